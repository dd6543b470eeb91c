package segments

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
	"muster/queries"
)

// columns are those of a revision, in the order scan reads them.
const columns = `segment, revision, name, description, definition, live, schedule, browser_visible, deleted, author,
	created_at, updated_at`

// revision is one row of table segments.
type revision struct {
	Segment
	deleted bool
}

func (s *Store) revisions(ctx context.Context, project muster.ProjectID, id string) ([]revision, error) {
	return s.read(ctx, project, `SELECT `+columns+` FROM segments WHERE project = {project:UInt32} AND segment = {segment:String}
		ORDER BY revision DESC`, clickhouse.Parameters{"segment": queries.Text(id)})
}

// read reads revisions of one project.
func (s *Store) read(ctx context.Context, project muster.ProjectID, sql string, parameters clickhouse.Parameters) ([]revision, error) {
	parameters["project"] = number(project)
	rows, err := s.db.Query(clickhouse.WithParameters(ctx, parameters), sql)
	if err != nil {
		return nil, fmt.Errorf("read segments: %w", err)
	}
	defer rows.Close()
	var all []revision
	for rows.Next() {
		r := revision{Segment: Segment{Project: project}}
		var definition string
		if err := rows.Scan(&r.ID, &r.Revision, &r.Name, &r.Description, &definition, &r.Live, &r.Schedule,
			&r.BrowserVisible, &r.deleted, &r.Author, &r.CreatedAt, &r.UpdatedAt); err != nil {
			return nil, fmt.Errorf("read segments: %w", err)
		}
		if r.Definition, err = s.decoded.definition(definition); err != nil {
			return nil, fmt.Errorf("segment %s, revision %d: %w", r.ID, r.Revision, err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// write appends a revision. Its deduplication token makes the number of the revision a compare-and-swap: of two writers
// of the same revision one wins, and the other is told.
func (s *Store) write(ctx context.Context, seg Segment, deleted bool) error {
	id := uuid.New()
	token := fmt.Sprintf("segments/%d/%s/%d", seg.Project, seg.ID, seg.Revision)
	batch, err := s.db.PrepareBatch(clickhouse.WithInsertToken(ctx, token),
		`INSERT INTO segments (project, `+columns+`, definition_hash, write)`)
	if err != nil {
		return fmt.Errorf("save segment %s: %w", seg.ID, err)
	}
	defer batch.Close()
	if err := batch.Append(uint32(seg.Project), seg.ID, seg.Revision, seg.Name, seg.Description,
		string(queries.Print(seg.Definition)), seg.Live, seg.Schedule, seg.BrowserVisible, deleted, seg.Author, seg.CreatedAt,
		seg.UpdatedAt, queries.Hash(seg.Definition), id); err != nil {
		return fmt.Errorf("save segment %s: %w", seg.ID, err)
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("save segment %s: %w", seg.ID, err)
	}
	var winner uuid.UUID
	err = s.db.QueryRow(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": number(seg.Project), "segment": queries.Text(seg.ID), "revision": number(seg.Revision),
	}), `SELECT write FROM segments
		WHERE project = {project:UInt32} AND segment = {segment:String} AND revision = {revision:UInt32}`).Scan(&winner)
	if err != nil {
		return fmt.Errorf("read back segment %s: %w", seg.ID, err)
	}
	if winner == id {
		return nil
	}
	current, err := s.Get(ctx, seg.Project, seg.ID)
	if err != nil {
		return errors.Join(fmt.Errorf("segment %s was changed at the same time", seg.ID), err)
	}
	return changedMeanwhile(current)
}
