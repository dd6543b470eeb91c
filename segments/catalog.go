package segments

import (
	"context"
	"time"

	"muster"
	"muster/clickhouse"
)

// AttributeName is an attribute in use.
type AttributeName struct {
	Attribute string
	Source    string
	Kinds     []string // of the values it ever had
	FirstSeen time.Time
	LastSeen  time.Time
}

// EventName is an event in use.
type EventName struct {
	Event     string
	FirstSeen time.Time
	LastSeen  time.Time
}

// Attributes lists the attributes that any user of a project ever had.
func (e *Evaluator) Attributes(ctx context.Context, project muster.ProjectID) ([]AttributeName, error) {
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": number(project)}), `
		SELECT attribute, toString(source), groupUniqArrayIf(toString(kind), kind != 'null'), min(first_seen) AS first, max(last_seen) AS last
		FROM attribute_names
		WHERE project = {project:UInt32}
		GROUP BY attribute, source
		ORDER BY attribute, source`)
	if err != nil {
		return nil, failed(ctx, "list attributes", err)
	}
	defer rows.Close()
	var all []AttributeName
	for rows.Next() {
		var a AttributeName
		if err := rows.Scan(&a.Attribute, &a.Source, &a.Kinds, &a.FirstSeen, &a.LastSeen); err != nil {
			return nil, failed(ctx, "list attributes", err)
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

// Events lists the events that any user of a project ever did.
func (e *Evaluator) Events(ctx context.Context, project muster.ProjectID) ([]EventName, error) {
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": number(project)}), `
		SELECT event, min(first_seen) AS first, max(last_seen) AS last
		FROM event_names
		WHERE project = {project:UInt32}
		GROUP BY event
		ORDER BY event`)
	if err != nil {
		return nil, failed(ctx, "list events", err)
	}
	defer rows.Close()
	var all []EventName
	for rows.Next() {
		var n EventName
		if err := rows.Scan(&n.Event, &n.FirstSeen, &n.LastSeen); err != nil {
			return nil, failed(ctx, "list events", err)
		}
		all = append(all, n)
	}
	return all, rows.Err()
}
