package segments

import (
	"context"
	"time"

	"muster"
	"muster/clickhouse"
)

// EventName is an event in use.
type EventName struct {
	Event     string
	FirstSeen time.Time
	LastSeen  time.Time
	Count     uint64 // how often it was done
	Users     uint64 // who did it
}

// Events lists the events that any user of a project ever did.
func (e *Evaluator) Events(ctx context.Context, project muster.ProjectID) ([]EventName, error) {
	return catalog(ctx, e, project, "events", e.countEvents)
}

func (e *Evaluator) countEvents(ctx context.Context, project muster.ProjectID) ([]EventName, error) {
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": number(project)}), `
		SELECT event, min(time) AS first, max(time) AS last, count(), toUInt64(groupBitmapIf(uid, uid != 0))
		FROM (SELECT event, time, dictGet('actor_uids', 'uid', actor) AS uid FROM events FINAL WHERE project = {project:UInt32})
		GROUP BY event
		ORDER BY event`)
	if err != nil {
		return nil, failed(ctx, "list events", err)
	}
	defer rows.Close()
	all := []EventName{}
	for rows.Next() {
		var n EventName
		if err := rows.Scan(&n.Event, &n.FirstSeen, &n.LastSeen, &n.Count, &n.Users); err != nil {
			return nil, failed(ctx, "list events", err)
		}
		all = append(all, n)
	}
	return all, rows.Err()
}
