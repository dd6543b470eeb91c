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

const runColumns = `segment, run, revision, definition_hash, as_of, previous, base, step, tick, size, entered, exited, elapsed_ms, finished_at`

// membersSQL has the members of a run in every bucket: those of its base, changed by every run over the base up to its own.
// Whoever enters was out and whoever exits was in, so each change is an exclusive or.
const membersSQL = `
	SELECT bucket, groupBitmapXorState(if(run = {base:UUID}, members, bitmapOr(entered, exited))) AS run_members
	FROM segment_members
	WHERE project = {project:UInt32} AND segment = {segment:String} AND run IN (
		SELECT run FROM segment_runs
		WHERE project = {project:UInt32} AND segment = {segment:String} AND base = {base:UUID} AND step <= {step:UInt32})
	GROUP BY bucket`

// membersOf returns the parameters of membersSQL.
func membersOf(project muster.ProjectID, run Run) clickhouse.Parameters {
	return clickhouse.Parameters{
		"project": number(project), "segment": queries.Text(run.Segment), "base": run.Base.String(), "step": number(run.Step),
	}
}

// LastRuns returns the newest run of each segment of a project that has one.
func (e *Evaluator) LastRuns(ctx context.Context, project muster.ProjectID) (map[string]*Run, error) {
	all, err := e.readRuns(ctx, `SELECT `+runColumns+` FROM segment_runs WHERE project = {project:UInt32}
		AND (segment, finished_at) IN (SELECT segment, max(finished_at) FROM segment_runs WHERE project = {project:UInt32} GROUP BY segment)
		ORDER BY segment, run DESC LIMIT 1 BY segment`, clickhouse.Parameters{"project": number(project)})
	if err != nil {
		return nil, err
	}
	last := make(map[string]*Run, len(all))
	for i := range all {
		last[all[i].Segment] = &all[i]
	}
	return last, nil
}

// Runs returns up to limit runs of a segment, the newest first.
func (e *Evaluator) Runs(ctx context.Context, project muster.ProjectID, segment string, limit int) ([]Run, error) {
	if _, err := e.store.Get(ctx, project, segment); err != nil {
		return nil, err
	}
	return e.readRuns(ctx, `SELECT `+runColumns+` FROM segment_runs WHERE project = {project:UInt32} AND segment = {segment:String}
		ORDER BY finished_at DESC, run DESC LIMIT {limit:UInt32}`, clickhouse.Parameters{
		"project": number(project), "segment": queries.Text(segment), "limit": number(limit),
	})
}

// RunSegment returns the revision of a segment that a run was made of.
func (e *Evaluator) RunSegment(ctx context.Context, project muster.ProjectID, run Run) (Segment, error) {
	all, err := e.store.Revisions(ctx, project, run.Segment)
	if err != nil {
		return Segment{}, err
	}
	for _, seg := range all {
		if seg.Revision == run.Revision {
			return seg, nil
		}
	}
	return Segment{}, fmt.Errorf("segment %s has no revision %d", run.Segment, run.Revision)
}

// Members lists the members of a segment at its newest run, or at the newest as of a time. All pages of a list are of the
// same run.
func (e *Evaluator) Members(ctx context.Context, project projects.Project, segment string, asOf time.Time, request PageRequest) (Page, Run, error) {
	if _, err := e.store.Get(ctx, project.ID, segment); err != nil {
		return Page{}, Run{}, err
	}
	run, from, err := e.listedRun(ctx, project.ID, segment, asOf, request.Cursor)
	if err != nil {
		return Page{}, Run{}, err
	}
	limit := request.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	var uids []uint32
	parameters := membersOf(project.ID, run)
	parameters["from"], parameters["limit"] = number(uint64(from.After)+1), number(limit)
	err = e.db.QueryRow(clickhouse.WithParameters(ctx, parameters), `
		SELECT arraySort(bitmapToArray(bitmapSubsetLimit(groupBitmapMergeState(run_members), {from:UInt32}, {limit:UInt64})))
		FROM (`+membersSQL+`)`).Scan(&uids)
	if err != nil {
		return Page{}, run, failed(ctx, "list members", err)
	}
	page := Page{Total: run.Size, AsOf: run.AsOf}
	scope := queries.Scope{Project: project.ID, Zone: project.Zone, Now: run.AsOf}
	if page.Users, err = e.people(ctx, scope, uids, request.Columns, true); err != nil {
		return Page{}, run, err
	}
	if len(uids) == limit {
		next := cursor{After: uids[len(uids)-1], AsOf: run.AsOf.UnixMilli(), Run: run.ID.String()}.String()
		page.Next = &next
	}
	return page, run, nil
}

// listedRun finds the run a list is of: the one its cursor names, or the newest as of a time.
func (e *Evaluator) listedRun(ctx context.Context, project muster.ProjectID, segment string, asOf time.Time, text string) (Run, cursor, error) {
	var from cursor
	condition := "true"
	parameters := clickhouse.Parameters{"project": number(project), "segment": queries.Text(segment)}
	switch {
	case text != "":
		var err error
		if from, err = parseCursor(text); err != nil {
			return Run{}, from, err
		}
		if _, err := uuid.Parse(from.Run); err != nil {
			return Run{}, from, &muster.Error{Code: muster.InvalidArgument, Detail: "the cursor is of another list"}
		}
		condition, parameters["run"] = "run = {run:UUID}", from.Run
	case !asOf.IsZero():
		condition, parameters["as_of"] = "as_of <= fromUnixTimestamp64Milli({as_of:Int64}, 'UTC')", number(asOf.UnixMilli())
	}
	runs, err := e.readRuns(ctx, `SELECT `+runColumns+` FROM segment_runs
		WHERE project = {project:UInt32} AND segment = {segment:String} AND `+condition+`
		ORDER BY finished_at DESC, run DESC LIMIT 1`, parameters)
	if err != nil {
		return Run{}, from, err
	}
	if len(runs) == 0 {
		return Run{}, from, &muster.Error{
			Code: muster.NotFound, Detail: fmt.Sprintf("segment %q has no such run", segment),
			Hint: "POST /api/v1/segments/" + segment + "/materialize makes one",
		}
	}
	return runs[0], from, nil
}

func (e *Evaluator) readRuns(ctx context.Context, sql string, parameters clickhouse.Parameters) ([]Run, error) {
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, parameters), sql)
	if err != nil {
		return nil, failed(ctx, "read runs", err)
	}
	defer rows.Close()
	var all []Run
	for rows.Next() {
		var r Run
		var elapsed uint64
		if err := rows.Scan(&r.Segment, &r.ID, &r.Revision, &r.DefinitionHash, &r.AsOf, &r.Previous, &r.Base, &r.Step, &r.Tick,
			&r.Size, &r.Entered, &r.Exited, &elapsed, &r.FinishedAt); err != nil {
			return nil, failed(ctx, "read runs", err)
		}
		r.Elapsed = time.Duration(elapsed) * time.Millisecond
		all = append(all, r)
	}
	return all, rows.Err()
}
