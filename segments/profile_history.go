package segments

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"muster"
	"muster/projects"
	"muster/queries"
)

// Snapshot is a value that was said of a user at some time.
type Snapshot struct {
	Fact

	Received time.Time
	Actor    muster.Actor // of whom it was said
	message  uint64
}

// historyPlace is where a history goes on.
type historyPlace struct {
	After queries.SnapshotKey `json:"k"`
	AsOf  int64               `json:"n"` // milliseconds
}

// AttributeHistory lists all that was ever said of an attribute of a user, newest first. All pages are as of the same time.
func (e *Evaluator) AttributeHistory(ctx context.Context, project projects.Project, user muster.Actor, name, cursor string, limit int) ([]Snapshot, *string, error) {
	from, err := readCursor[historyPlace](cursor)
	if err != nil {
		return nil, nil, err
	}
	var at At
	var after *queries.SnapshotKey
	if from != nil {
		asOf := instant(from.AsOf)
		at.AsOf, after = &asOf, &from.After
	}
	scope, _, err := e.profileScope(ctx, project, user, at)
	if err != nil {
		return nil, nil, err
	}
	return e.history(ctx, scope, name, after, limit)
}

// history reads a part of what was said of an attribute, newest first.
func (e *Evaluator) history(ctx context.Context, scope queries.Scope, name string, after *queries.SnapshotKey, limit int) ([]Snapshot, *string, error) {
	var all []Snapshot
	var last queries.SnapshotKey
	var next *string
	err := e.each(ctx, "read the history", queries.History(scope, name, after, limit+1), func(rows driver.Rows) error {
		var v Snapshot
		var s stored
		var k queries.SnapshotKey
		if err := rows.Scan(&s.kind, &s.text, &s.number, &s.list, &v.Source, &k.Time, &k.Received, &k.Message, &k.Actor); err != nil {
			return err
		}
		if len(all) == limit {
			next = printCursor(historyPlace{last, scope.Now.UnixMilli()})
			return nil
		}
		said := instant(k.Time)
		v.Value, v.Kind, v.Said = s.value(), s.kind, &said
		v.Received, v.Actor, last = time.UnixMicro(k.Received).UTC(), muster.Actor(k.Actor), k
		v.message = k.Message
		all = append(all, v)
		return nil
	})
	return all, next, err
}
