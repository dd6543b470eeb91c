package ingest

import (
	"testing"
	"time"

	"muster"
	"muster/clickhouse/clickhousetest"
)

// What people say of a user is a snapshot and nothing else: the user did nothing, and nothing is said of who it is.
func TestAStatementIsNoEvent(t *testing.T) {
	s := openSpool(t)
	db := clickhousetest.DB(t)
	d := newTestDrain(t, s, db, func(identities bool) {
		if identities {
			t.Error("a statement says something of identifiers")
		}
	})
	run(t, d)
	door := newTestDoor(t, s)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	number, err := door.State(t.Context(), 1, muster.Identified, "ann", at, []Attribute{
		{Name: "tags", Source: Native, Kind: List, List: []string{"vip", "it's"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	flush(t, d)
	var actor, message uint64
	var said time.Time
	var source, kind string
	var list []string
	err = db.QueryRow(t.Context(), `SELECT actor, message, time, toString(source), toString(kind), list FROM attribute_snapshots WHERE attribute = 'tags'`).
		Scan(&actor, &message, &said, &source, &kind, &list)
	if err != nil {
		t.Fatal(err)
	}
	if muster.Actor(actor) != muster.NewActor(1, muster.Identified, "ann") || message != number || !said.Equal(at) || source != "native" || kind != "list" || len(list) != 2 {
		t.Errorf("the snapshot is of %d, message %d of %v: %s %s %q", actor, message, said, source, kind, list)
	}
	for _, table := range []string{"events", "identities", "activity", "event_names"} {
		var rows uint64
		if err := db.QueryRow(t.Context(), "SELECT count() FROM "+table).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if rows != 0 {
			t.Errorf("%s has %d rows of a statement", table, rows)
		}
	}
	if _, known := typeOf("statement"); known {
		t.Error("a sender can make a statement")
	}
}
