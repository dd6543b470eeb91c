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
	return e.withdraw(ctx, project, uids, nil)
}

// withdraw is [Evaluator.Withdraw], which counts some runs again even if the users are not in them any more.
func (e *Evaluator) withdraw(ctx context.Context, project muster.ProjectID, uids []uint32, counted []Run) error {
	bases := make([]uuid.UUID, len(counted))
	for i, run := range counted {
		bases[i] = run.Base
	}
	runs, sizes, err := e.without(ctx, project, uids, bases)
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

// without finds the runs whose size, entered and exited are others without some users than they say, and what those are. It looks
// at all runs over the bases that have any of the users in them, and at those over given bases.
//
// A size is counted from the base on: it has its members, and every step brings those who entered and loses those who exited.
func (e *Evaluator) without(ctx context.Context, project muster.ProjectID, uids []uint32, bases []uuid.UUID) (runs []uuid.UUID, sizes [3][]uint64, err error) {
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": number(project), "uids": queries.Unsigned(uids), "bases": queries.UUIDs(bases),
	}), `
		WITH
			bitmapBuild({uids:Array(UInt32)}) AS gone,
			concerned AS (
				SELECT segment, base FROM segment_runs
				WHERE project = {project:UInt32} AND (has({bases:Array(UUID)}, base) OR (segment, run) IN (
					SELECT segment, run FROM segment_members
					WHERE project = {project:UInt32}
						AND (bitmapHasAny(members, gone) OR bitmapHasAny(entered, gone) OR bitmapHasAny(exited, gone))))
			)
		SELECT run, toUInt64(counted), entering, exiting
		FROM (
			SELECT run, size, entered, exited, entering, exiting,
				sum(if(step = 0, toInt64(whole), toInt64(entering) - toInt64(exiting))) OVER (PARTITION BY segment, base ORDER BY step) AS counted
			FROM (
				SELECT segment, run, base, step, size, entered, exited FROM segment_runs
				WHERE project = {project:UInt32} AND (segment, base) IN (SELECT segment, base FROM concerned)
			) AS r
			LEFT JOIN (
				SELECT segment, run, sum(bitmapAndnotCardinality(members, gone)) AS whole,
					sum(bitmapAndnotCardinality(entered, gone)) AS entering, sum(bitmapAndnotCardinality(exited, gone)) AS exiting
				FROM segment_members
				WHERE project = {project:UInt32} AND (segment, run) IN (
					SELECT segment, run FROM segment_runs
					WHERE project = {project:UInt32} AND (segment, base) IN (SELECT segment, base FROM concerned))
				GROUP BY segment, run
			) AS m USING (segment, run)
		)
		WHERE counted != toInt64(size) OR entering != entered OR exiting != exited`)
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
	if err := rows.Err(); err != nil {
		return nil, sizes, failed(ctx, "find the runs of users", err)
	}
	return runs, sizes, nil
}

// withdrawErased takes out of memberships whoever was erased while a materialization was under way that began at a time: it
// may have read them before, and kept them after. It is called when the bitmaps are kept, so either the record of the
// erasure is seen here, or the erasure sees the bitmaps; and again when the runs are, which were counted before.
func (e *Evaluator) withdrawErased(ctx context.Context, project muster.ProjectID, began time.Time, runs []Run) error {
	uids, err := e.erasedSince(ctx, project, began)
	if err != nil || len(uids) == 0 {
		return err
	}
	return e.withdraw(ctx, project, uids, runs)
}

// erasedSince returns who was erased since a time on this process's clock, and some who were a little before.
func (e *Evaluator) erasedSince(ctx context.Context, project muster.ProjectID, began time.Time) ([]uint32, error) {
	var uids []uint32
	err := e.db.QueryRow(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": number(project), "began": number(began.Add(-clockSkew).UnixMilli()),
	}), `
		SELECT groupUniqArray(uid) FROM erased_users
		WHERE project = {project:UInt32} AND erased_at >= fromUnixTimestamp64Milli({began:Int64}, 'UTC')`).Scan(&uids)
	if err != nil {
		return nil, failed(ctx, "look for erased users", err)
	}
	return uids, nil
}

// clockSkew bounds how far the clocks of this process and of ClickHouse are apart.
const clockSkew = 5 * time.Minute
