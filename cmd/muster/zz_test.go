package main

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"muster/clickhouse"
	"muster/identity"
	"muster/queries"
)

func TestZZ(t *testing.T) {
	engine, err := clickhouse.StartEngine(t.Context(), clickhouse.EngineConfig{Dir: "/tmp/lead/bench/clickhouse", Log: slog.Default()})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Stop()
	db, err := engine.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	identity.NewIndex(db).Open(t.Context())
	now := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	scope := queries.Scope{Project: 1, Now: now, Zone: time.UTC, Lookup: func(string) (queries.Definition, bool) { return queries.Definition{}, false }}
	timed := func(name string, st queries.Statement) {
		for i := range 3 {
			start := time.Now()
			var read clickhouse.Statistics
			rows, err := db.Query(clickhouse.WithStatistics(t.Context(), st.Parameters, &read), st.SQL)
			if err != nil {
				t.Fatal(name, err)
			}
			for rows.Next() {
			}
			if rows.Err() != nil {
				t.Fatal(rows.Err())
			}
			rows.Close()
			if i == 2 {
				fmt.Println(name, time.Since(start), read.Rows, read.Bytes)
			}
		}
	}
	for _, d := range []string{`{"everyone":true}`, `{"attribute":"plan","op":"equals","value":"pro"}`, `{"event":"event_03","within":"30d"}`,
		`{"event":"event_00","where":{"property":"amount","op":"gt","value":500},"count":{"op":"gte","value":3}}`,
		`{"all":[{"attribute":"plan","op":"in","value":["pro","team"]},{"attribute":"seats","op":"gte","value":100},{"not":{"event":"event_05"}}]}`,
		`{"attribute":"last_seen","op":"more_than_ago","value":"30d"}`} {
		def, err := queries.Decode([]byte(d))
		if err != nil {
			t.Fatal(err)
		}
		p, _ := queries.Compile(scope, []queries.Target{{Definition: def}})
		timed(d, p.Counts(10))
	}
	uids := []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	timed("people", queries.People(scope, uids))
	rows, _ := db.Query(t.Context(), "select actor from actors where uid <= 10")
	var actors []uint64
	for rows.Next() {
		var a uint64
		rows.Scan(&a)
		actors = append(actors, a)
	}
	timed("facts", queries.Facts(scope, actors, nil))
	timed("sightings", queries.Sightings(scope, actors))
}
