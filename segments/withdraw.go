package segments

import (
	"context"
	"time"

	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
	"muster/queries"
)

// Withdraw takes erased users out of the memberships of all runs, and out of what the runs count. The bitmaps themselves are
// rewritten, so that whoever reads them, exports and SQL views too, need not know who was erased.
func (e *Evaluator) Withdraw(ctx context.Context, project muster.ProjectID, uids []uint32) error {
	runs, sizes, err := e.without(ctx, project, uids)
	if err != nil {
		return err
	}
	// Counts first, as what they are without the users: after a failure in between, the runs are found again.
	for len(runs) > 0 {
		n := min(len(runs), runsPerUpdate)
		parameters := clickhouse.Parameters{"project": number(project), "runs": queries.UUIDs(runs[:n])}
		for i, name := range []string{"size", "entered", "exited"} {
			parameters[name] = queries.Unsigned(sizes[i][:n])
			sizes[i] = sizes[i][n:]
		}
		err := e.db.Exec(clickhouse.WithParameters(ctx, parameters), `
			ALTER TABLE segment_runs UPDATE
				size = transform(run, {runs:Array(UUID)}, {size:Array(UInt64)}, size),
				entered = transform(run, {runs:Array(UUID)}, {entered:Array(UInt64)}, entered),
				exited = transform(run, {runs:Array(UUID)}, {exited:Array(UInt64)}, exited)
			WHERE project = {project:UInt32} AND has({runs:Array(UUID)}, run)
			SETTINGS mutations_sync = 2`)
		if err != nil {
			return failed(ctx, "correct the sizes of runs", err)
		}
		runs = runs[n:]
	}
	err = e.db.Exec(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": number(project), "uids": queries.Unsigned(uids)}), `
		ALTER TABLE segment_members UPDATE
			members = bitmapAndnot(members, bitmapBuild({uids:Array(UInt32)})),
			entered = bitmapAndnot(entered, bitmapBuild({uids:Array(UInt32)})),
			exited = bitmapAndnot(exited, bitmapBuild({uids:Array(UInt32)}))
		WHERE project = {project:UInt32} AND (bitmapHasAny(members, bitmapBuild({uids:Array(UInt32)}))
			OR bitmapHasAny(entered, bitmapBuild({uids:Array(UInt32)})) OR bitmapHasAny(exited, bitmapBuild({uids:Array(UInt32)})))
		SETTINGS mutations_sync = 2`)
	if err != nil {
		return failed(ctx, "take users out of memberships", err)
	}
	return nil
}

// runsPerUpdate bounds the text of one update, which ClickHouse keeps.
const runsPerUpdate = 5000

// without finds the runs that users are in, and what their size, entered and exited are without them.
func (e *Evaluator) without(ctx context.Context, project muster.ProjectID, uids []uint32) (runs []uuid.UUID, sizes [3][]uint64, err error) {
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": number(project), "uids": queries.Unsigned(uids),
	}), `
		WITH bitmapBuild({uids:Array(UInt32)}) AS gone
		SELECT run, sum(size), sum(entering), sum(exiting)
		FROM (
			SELECT run, bitmapAndnotCardinality(members, gone) AS size, 0 AS entering, 0 AS exiting, bitmapHasAny(members, gone) AS has
			FROM run_members
			WHERE project = {project:UInt32}
			UNION ALL
			SELECT run, 0 AS size, bitmapAndnotCardinality(entered, gone) AS entering, bitmapAndnotCardinality(exited, gone) AS exiting,
				bitmapHasAny(entered, gone) OR bitmapHasAny(exited, gone) AS has
			FROM segment_members
			WHERE project = {project:UInt32}
		)
		GROUP BY run
		HAVING max(has)`)
	if err != nil {
		return nil, sizes, failed(ctx, "find the runs of users", err)
	}
	defer rows.Close()
	for rows.Next() {
		var run uuid.UUID
		var size, entered, exited uint64
		if err := rows.Scan(&run, &size, &entered, &exited); err != nil {
			return nil, sizes, failed(ctx, "find the runs of users", err)
		}
		runs = append(runs, run)
		for i, n := range []uint64{size, entered, exited} {
			sizes[i] = append(sizes[i], n)
		}
	}
	return runs, sizes, rows.Err()
}

// withdrawErased takes out of memberships whoever was erased while a materialization was under way that began at a time: it
// may have read them before, and kept them after. It is called when what it made is kept, so either the record of the
// erasure is seen here, or the erasure sees what is kept.
func (e *Evaluator) withdrawErased(ctx context.Context, project muster.ProjectID, began time.Time) error {
	var uids []uint32
	err := e.db.QueryRow(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": number(project), "began": number(began.Add(-clockSkew).UnixMilli()),
	}), `
		SELECT groupUniqArray(uid) FROM erased_users
		WHERE project = {project:UInt32} AND erased_at >= fromUnixTimestamp64Milli({began:Int64}, 'UTC')`).Scan(&uids)
	if err != nil {
		return failed(ctx, "look for erased users", err)
	}
	if len(uids) == 0 {
		return nil
	}
	return e.Withdraw(ctx, project, uids)
}

// clockSkew bounds how far the clocks of this process and of ClickHouse are apart.
const clockSkew = 5 * time.Minute
