package segments

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
	"muster/projects"
	"muster/queries"
)

// Run is one materialization of a segment.
type Run struct {
	ID             uuid.UUID
	Segment        string
	Revision       uint32
	DefinitionHash string
	AsOf           time.Time
	Previous       uuid.UUID // the run that entered and exited are counted against; nil for the first
	Base           uuid.UUID // the run that keeps the members whole: itself, or one that it is some steps after
	Step           uint32    // how many runs over the same base came before, the base included; 0 for the base
	Tick           uint64    // the number of a live run, which those made together share; 0 for a run that was asked for
	Size           uint64
	Entered        uint64
	Exited         uint64
	Elapsed        time.Duration
	FinishedAt     time.Time
}

// Materialize computes and keeps the members of segments, all as of one pinned now and in one statement, and returns
// their runs in the order of the ids. A run is visible when all of it is kept, and not before; one that ends half way
// leaves nothing that is read.
func (e *Evaluator) Materialize(ctx context.Context, project projects.Project, ids []string) ([]Run, error) {
	return e.MaterializeAt(ctx, project, ids, At{})
}

// MaterializeAt is [Evaluator.Materialize] as of a time of one's own.
func (e *Evaluator) MaterializeAt(ctx context.Context, project projects.Project, ids []string, at At) ([]Run, error) {
	done, err := e.turns.take(ctx, project.ID)
	if err != nil {
		return nil, err
	}
	defer done()
	start := time.Now()
	scope, current, err := e.scope(ctx, project, at)
	if err != nil {
		return nil, err
	}
	last, err := e.LastRuns(ctx, project.ID)
	if err != nil {
		return nil, err
	}
	var targets []queries.Target
	var names []queries.Run
	runs := make([]Run, 0, len(ids))
	for _, id := range ids {
		seg, ok := current[id]
		if !ok {
			return nil, notFound(id)
		}
		run := Run{Segment: id, Revision: seg.Revision, DefinitionHash: queries.Hash(seg.Definition), AsOf: scope.Now}
		if run.ID, err = uuid.NewV7(); err != nil {
			return nil, fmt.Errorf("make a run id: %w", err)
		}
		run.Base = run.ID
		name := queries.Run{ID: run.ID}
		if before := last[id]; before != nil {
			run.Previous = before.ID
			name.Base, name.Step = before.Base, before.Step
		}
		runs = append(runs, run)
		targets = append(targets, queries.Target{ID: id, Definition: seg.Definition})
		names = append(names, name)
	}
	plan, err := queries.Compile(scope, targets)
	if err != nil {
		return nil, err
	}
	statement := plan.Materialize(names)
	if err := e.db.Exec(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL); err != nil {
		return nil, failed(ctx, "materialize", err)
	}
	if err := e.withdrawErased(ctx, project.ID, start, nil); err != nil {
		return nil, err
	}
	if err := e.size(ctx, project.ID, runs); err != nil {
		return nil, err
	}
	for i := range runs {
		runs[i].Elapsed = time.Since(start)
		runs[i].FinishedAt = time.Now().UTC().Truncate(time.Millisecond)
	}
	if err := e.finish(ctx, project.ID, runs); err != nil {
		return nil, err
	}
	return runs, e.withdrawErased(ctx, project.ID, start, runs)
}

// size counts what was kept for each run.
func (e *Evaluator) size(ctx context.Context, project muster.ProjectID, runs []Run) error {
	ids := make([]uuid.UUID, len(runs))
	segments := make([]string, len(runs))
	byID := make(map[uuid.UUID]*Run, len(runs))
	for i := range runs {
		ids[i], segments[i], byID[runs[i].ID] = runs[i].ID, runs[i].Segment, &runs[i]
	}
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": number(project), "segments": queries.Texts(segments), "runs": queries.UUIDs(ids),
	}), `
		SELECT run, sum(bitmapCardinality(members)), sum(bitmapCardinality(entered)), sum(bitmapCardinality(exited))
		FROM segment_members
		WHERE project = {project:UInt32} AND segment IN {segments:Array(String)} AND has({runs:Array(UUID)}, run)
		GROUP BY run`)
	if err != nil {
		return failed(ctx, "count members", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id uuid.UUID
		var size, entered, exited uint64
		if err := rows.Scan(&id, &size, &entered, &exited); err != nil {
			return failed(ctx, "count members", err)
		}
		if run := byID[id]; run != nil {
			run.Size, run.Entered, run.Exited = size, entered, exited
		}
	}
	return rows.Err()
}

// finish records the runs, which makes them visible.
func (e *Evaluator) finish(ctx context.Context, project muster.ProjectID, runs []Run) error {
	batch, err := e.db.PrepareBatch(ctx, `INSERT INTO segment_runs (project, segment, run, revision, definition_hash, as_of,
		previous, base, step, tick, size, entered, exited, elapsed_ms, finished_at)`)
	if err != nil {
		return failed(ctx, "record the runs", err)
	}
	defer batch.Close()
	for _, r := range runs {
		if err := batch.Append(uint32(project), r.Segment, r.ID, r.Revision, r.DefinitionHash, r.AsOf, r.Previous, r.Base, r.Step,
			r.Tick, r.Size, r.Entered, r.Exited, uint64(r.Elapsed.Milliseconds()), r.FinishedAt); err != nil {
			return fmt.Errorf("record the runs: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return failed(ctx, "record the runs", err)
	}
	return nil
}
