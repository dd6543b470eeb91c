package segments

import (
	"context"
	"time"

	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
	"muster/projects"
	"muster/queries"
)

// Change is a user who entered a segment or exited from it.
type Change struct {
	UID      uint32
	User     *User // without attributes; nil when the user has become one with another since
	Entered  bool  // or exited
	At       time.Time
	Run      uuid.UUID
	Revision uint32 // of the definition, at the run
}

// ChangePage is a part of a list of changes.
type ChangePage struct {
	Changes []Change
	Total   uint64
	Next    *string
	AsOf    time.Time // runs as of later are not in the list
}

// ChangeRequest asks for the changes from a time, in, to another, out; the zero time is no bound.
type ChangeRequest struct {
	From, To time.Time
	Cursor   string
	Limit    int // 0 for the usual 50
}

// Changes lists who entered a segment and who exited from it, from run to run, the oldest first; of one run first those who
// entered.
func (e *Evaluator) Changes(ctx context.Context, project projects.Project, segment string, request ChangeRequest) (ChangePage, error) {
	if _, err := e.store.Get(ctx, project.ID, segment); err != nil {
		return ChangePage{}, err
	}
	for name, t := range map[string]time.Time{"from": request.From, "to": request.To} {
		if !t.IsZero() {
			if err := checkTime(name, t); err != nil {
				return ChangePage{}, err
			}
		}
	}
	list := "changes " + segment + " " + request.From.UTC().String() + " " + request.To.UTC().String()
	from := cursor{AsOf: time.Now().UnixMilli()}
	if request.Cursor != "" {
		var err error
		if from, err = parseCursor(request.Cursor); err != nil {
			return ChangePage{}, err
		}
		if _, err := uuid.Parse(from.Run); err != nil || from.List != list || from.At == nil {
			return ChangePage{}, otherList()
		}
	}
	page := ChangePage{AsOf: time.UnixMilli(from.AsOf).UTC()}
	limit := request.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	parameters := clickhouse.Parameters{
		"project": number(project.ID), "segment": queries.Text(segment), "now": number(from.AsOf),
		"from": number(max(request.From.UnixMilli(), 0)), "to": number(from.AsOf + 1),
	}
	if !request.To.IsZero() {
		parameters["to"] = number(request.To.UnixMilli())
	}
	if err := e.db.QueryRow(clickhouse.WithParameters(ctx, parameters), `SELECT sum(entered + exited) `+changedRuns).Scan(&page.Total); err != nil {
		return ChangePage{}, failed(ctx, "count changes", err)
	}
	changes, err := e.changesAfter(ctx, parameters, from, limit+1)
	if err != nil {
		return ChangePage{}, err
	}
	if len(changes) > limit {
		changes = changes[:limit]
		last := changes[limit-1]
		kind := uint8(changeExited)
		if last.Entered {
			kind = changeEntered
		}
		next := cursor{After: last.UID, AsOf: from.AsOf, Run: last.Run.String(), List: list, At: &position{Kind: kind}}.String()
		page.Next = &next
	}
	page.Changes = changes
	return page, e.name(ctx, project.ID, changes)
}

// How a change stands in a cursor, and in the order within a run.
const (
	changeEntered = 1
	changeExited  = 2
)

// changedRuns are the finished runs of a list of changes, which have any.
const changedRuns = `FROM segment_runs
	WHERE project = {project:UInt32} AND segment = {segment:String} AND entered + exited > 0
		AND as_of >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND as_of < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
		AND as_of <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')`

// changesAfter reads up to limit changes that come after a place in the list. Every run has a change at least, so that many
// runs are enough.
func (e *Evaluator) changesAfter(ctx context.Context, parameters clickhouse.Parameters, from cursor, limit int) ([]Change, error) {
	place := ""
	parameters["limit"], parameters["after"], parameters["run"] = number(limit), number(from.After), uuid.Nil.String()
	parameters["kind"] = "0"
	if from.At != nil {
		parameters["run"], parameters["kind"] = from.Run, number(uint32(from.At.Kind))
		place = ` AND (as_of, run) >= (SELECT as_of, run FROM segment_runs
			WHERE project = {project:UInt32} AND segment = {segment:String} AND run = {run:UUID})`
	}
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, parameters), `
		WITH runs AS (SELECT run, as_of, revision `+changedRuns+place+` ORDER BY as_of, run LIMIT {limit:UInt64})
		SELECT as_of, run, revision, moved.1 AS kind, moved.2 AS uid
		FROM (
			SELECT m.run AS run, any(r.as_of) AS as_of, any(r.revision) AS revision,
				groupBitmapMergeState(m.entered) AS all_entered, groupBitmapMergeState(m.exited) AS all_exited
			FROM segment_members AS m
			INNER JOIN runs AS r ON r.run = m.run
			WHERE m.project = {project:UInt32} AND m.segment = {segment:String} AND m.run IN (SELECT run FROM runs)
			GROUP BY run
		)
		ARRAY JOIN arrayConcat(
			arrayMap(u -> (toUInt8(1), u), bitmapToArray(bitmapSubsetLimit(all_entered,
				multiIf(run != {run:UUID}, 0, {kind:UInt8} = 1, {after:UInt32} + 1, 4294967295)::UInt32, {limit:UInt64}))),
			arrayMap(u -> (toUInt8(2), u), bitmapToArray(bitmapSubsetLimit(all_exited,
				if(run = {run:UUID} AND {kind:UInt8} = 2, {after:UInt32} + 1, 0)::UInt32, {limit:UInt64})))) AS moved
		ORDER BY as_of, run, kind, uid
		LIMIT {limit:UInt64}`)
	if err != nil {
		return nil, failed(ctx, "read changes", err)
	}
	defer rows.Close()
	var all []Change
	for rows.Next() {
		var c Change
		var kind uint8
		if err := rows.Scan(&c.At, &c.Run, &c.Revision, &kind, &c.UID); err != nil {
			return nil, failed(ctx, "read changes", err)
		}
		c.Entered = kind == changeEntered
		all = append(all, c)
	}
	return all, rows.Err()
}

// name finds who the users of changes are, today.
func (e *Evaluator) name(ctx context.Context, project muster.ProjectID, changes []Change) error {
	if len(changes) == 0 {
		return nil
	}
	uids := make([]uint32, len(changes))
	for i, c := range changes {
		uids[i] = c.UID
	}
	users, _, err := e.identities(ctx, queries.Scope{Project: project}, uids)
	if err != nil {
		return err
	}
	byUID := make(map[uint32]*User, len(users))
	for i := range users {
		byUID[users[i].UID] = &users[i]
	}
	for i := range changes {
		changes[i].User = byUID[changes[i].UID]
	}
	return nil
}
