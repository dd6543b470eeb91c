package segments

import (
	"context"
	"time"

	"muster/clickhouse"
	"muster/projects"
)

// Prune removes the live runs of a project that were finished before a time, whole bases with all that is over them. What is
// over the base of a segment's newest run stays, and so do the newest tick, whose number must not be given out again, and runs that
// were asked for; so the members of every run that is left are
// what they were. Of who entered and exited, nothing older is known afterwards.
func (e *Evaluator) Prune(ctx context.Context, project projects.Project, before time.Time) error {
	ctx = clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": number(project.ID), "before": number(before.UnixMilli())})
	for _, sql := range []string{
		`DELETE FROM segment_runs
		WHERE project = {project:UInt32} AND tick > 0 AND (segment, base) NOT IN (
			SELECT segment, base FROM segment_runs
			WHERE project = {project:UInt32} AND finished_at >= fromUnixTimestamp64Milli({before:Int64}, 'UTC')
			UNION ALL
			SELECT segment, argMax(base, finished_at) FROM segment_runs WHERE project = {project:UInt32} GROUP BY segment
			UNION ALL
			SELECT segment, base FROM segment_runs
			WHERE project = {project:UInt32} AND tick = (SELECT max(tick) FROM segment_runs WHERE project = {project:UInt32}))`,
		// Also what runs left that never finished. A run's id tells when it began.
		`DELETE FROM segment_members
		WHERE project = {project:UInt32} AND UUIDv7ToDateTime(run) < fromUnixTimestamp64Milli({before:Int64}, 'UTC')
			AND run NOT IN (SELECT run FROM segment_runs WHERE project = {project:UInt32})`,
	} {
		if err := e.db.Exec(ctx, sql); err != nil {
			return failed(ctx, "remove old runs of live segments", err)
		}
	}
	return nil
}
