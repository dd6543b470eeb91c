package exports

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
)

// Status is how far an export is.
type Status string

// The states of an export.
const (
	Queued  Status = "queued"
	Running Status = "running"
	Done    Status = "done"
	Failed  Status = "failed"
)

// Export is one dataset asked for.
type Export struct {
	ID        uuid.UUID `json:"id"`
	Status    Status    `json:"status"`
	Request   Request   `json:"request"`
	Rows      uint64    `json:"rows"`
	Files     []File    `json:"files"`           // of a dataset that is done, without its manifest
	Manifest  string    `json:"manifest"`        // the manifest's name; empty until the dataset is done
	Error     string    `json:"error,omitempty"` // why it failed, for people
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	manifest File
	version  uint64 // of the newest row; the rows of an export are ordered by it
}

// storedRequest is a request as the table keeps it.
type storedRequest struct {
	Request
	Owner uuid.UUID `json:"owner"` // whose directory the files belong into, see [ownerOf]
}

// waiting is an export to be done, and whose it is.
type waiting struct {
	project muster.ProjectID
	export  Export
}

// save appends a row with the export's state, which becomes the newest.
func (s *Service) save(ctx context.Context, project muster.ProjectID, e *Export) error {
	now := time.Now().UTC()
	e.UpdatedAt = now.Truncate(time.Millisecond)
	e.version = max(e.version+1, uint64(now.UnixMicro()))
	files := e.Files
	if e.Manifest != "" {
		files = append(slices.Clip(files), e.manifest)
	}
	request, err := json.Marshal(storedRequest{e.Request, s.owner})
	if err != nil {
		return fmt.Errorf("keep an export: %w", err)
	}
	manifest, err := json.Marshal(files)
	if err != nil {
		return fmt.Errorf("keep an export: %w", err)
	}
	batch, err := s.cfg.DB.PrepareBatch(ctx,
		`INSERT INTO exports (project, export, version, status, request, manifest, rows, error, created_at, updated_at)`)
	if err != nil {
		return failed("keep an export", err)
	}
	defer batch.Close()
	if err := batch.Append(uint32(project), e.ID, e.version, string(e.Status), string(request), string(manifest), e.Rows, e.Error,
		e.CreatedAt, e.UpdatedAt); err != nil {
		return fmt.Errorf("keep an export: %w", err)
	}
	if err := batch.Send(); err != nil {
		return failed("keep an export", err)
	}
	return nil
}

// Get returns an export, or [muster.NotFound].
func (s *Service) Get(ctx context.Context, project muster.ProjectID, id uuid.UUID) (Export, error) {
	found, err := s.read(ctx, `WHERE project = {project:UInt32} AND export = {export:UUID}`,
		clickhouse.Parameters{"project": decimal(project), "export": id.String()})
	if err != nil {
		return Export{}, err
	}
	if len(found) == 0 {
		return Export{}, &muster.Error{Code: muster.NotFound, Detail: fmt.Sprintf("there is no export %s in this project", id)}
	}
	return found[0].export, nil
}

// Page is a part of the list of a project's exports.
type Page struct {
	Exports []Export
	Next    *string // the cursor of the next part, nil at the end
}

// List returns a project's exports, the newest first, up to a limit. The empty cursor begins the list.
func (s *Service) List(ctx context.Context, project muster.ProjectID, cursor string, limit int) (Page, error) {
	// Ids carry their time and sort by it as text; ClickHouse's own order of UUIDs is another.
	before := "~"
	if cursor != "" {
		id, err := uuid.Parse(cursor)
		if err != nil {
			return Page{}, &muster.Error{
				Code: muster.InvalidArgument, Detail: "the cursor is not one of ours", Hint: "send the \"next\" of the page before, unchanged",
			}
		}
		before = id.String()
	}
	found, err := s.read(ctx, `WHERE project = {project:UInt32} AND toString(export) < {before:String}
		ORDER BY toString(export) DESC LIMIT {limit:UInt32}`,
		clickhouse.Parameters{"project": decimal(project), "before": before, "limit": strconv.Itoa(limit + 1)})
	if err != nil {
		return Page{}, err
	}
	page := Page{Exports: []Export{}}
	for _, w := range found[:min(limit, len(found))] {
		page.Exports = append(page.Exports, w.export)
	}
	if len(found) > limit {
		next := page.Exports[limit-1].ID.String()
		page.Next = &next
	}
	return page, nil
}

// waiting lists what is queued here, and what was being written here when a process ended, the oldest first.
func (s *Service) waiting(ctx context.Context) ([]waiting, error) {
	return s.read(ctx, `WHERE status IN ('queued', 'running') AND JSONExtractString(request, 'owner') = {owner:String}
		ORDER BY toString(export)`, clickhouse.Parameters{"owner": s.owner.String()})
}

func (s *Service) read(ctx context.Context, where string, parameters clickhouse.Parameters) ([]waiting, error) {
	rows, err := s.cfg.DB.Query(clickhouse.WithParameters(ctx, parameters), `
		SELECT project, export, version, toString(status), request, manifest, rows, error, created_at, updated_at
		FROM exports FINAL `+where)
	if err != nil {
		return nil, failed("read exports", err)
	}
	defer rows.Close()
	var all []waiting
	for rows.Next() {
		var project uint32
		var e Export
		var status, request, manifest string
		if err := rows.Scan(&project, &e.ID, &e.version, &status, &request, &manifest, &e.Rows, &e.Error, &e.CreatedAt,
			&e.UpdatedAt); err != nil {
			return nil, fmt.Errorf("read exports: %w", err)
		}
		var stored storedRequest
		if err := json.Unmarshal([]byte(request), &stored); err != nil {
			return nil, fmt.Errorf("read the request of export %s: %w", e.ID, err)
		}
		if err := json.Unmarshal([]byte(manifest), &e.Files); err != nil {
			return nil, fmt.Errorf("read the files of export %s: %w", e.ID, err)
		}
		e.Status, e.Request = Status(status), stored.Request
		if n := len(e.Files); n > 0 {
			e.Files, e.manifest = e.Files[:n-1], e.Files[n-1]
			e.Manifest = e.manifest.Name
		}
		all = append(all, waiting{muster.ProjectID(project), e})
	}
	if err := rows.Err(); err != nil {
		return nil, failed("read exports", err)
	}
	return all, nil
}

// failed wraps an error of ClickHouse, and tells one that may be over soon from one that will not.
func failed(what string, err error) error {
	if clickhouse.IsUnavailable(err) {
		return &muster.Error{Code: muster.Unavailable, Detail: what + ": ClickHouse cannot do this now; try again soon", Err: err}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// decimal prints a number as a query's parameter.
func decimal[T ~uint32 | ~uint16 | ~int64](n T) string { return strconv.FormatInt(int64(n), 10) }
