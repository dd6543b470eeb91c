package queries_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"muster"
	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
	"muster/identity"
	"muster/queries"
)

// TestExplanationOfManyLeaves explains more leaves than one statement of evidence reads.
func TestExplanationOfManyLeaves(t *testing.T) {
	fx := newFixture(t)
	for _, line := range []string{"user ann", `set ann a7 "x"`, "did ann e9 2026-02-01T10:00:00Z"} {
		word, rest, _ := strings.Cut(line, " ")
		if err := fx.load(word, rest); err != nil {
			t.Fatal(err)
		}
	}
	fx.now = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if err := fx.insert(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := fx.index(t.Context()); err != nil {
		t.Fatal(err)
	}
	var leaves []string
	for i := range 120 {
		leaves = append(leaves, fmt.Sprintf(`{"attribute":"a%d","op":"exists"}`, i), fmt.Sprintf(`{"event":"e%d"}`, i))
	}
	x, err := fx.explain(t.Context(), `{"any":[`+strings.Join(leaves, ",")+`]}`, fx.actor("ann"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range x.Root.Of {
		text := string(queries.Print(c.Definition))
		s, is := x.seen[c.Evidence]
		held := strings.Contains(text, `"a7"`) || strings.Contains(text, `"e9"`)
		if x.holds[c.Target] != held || held != (is && len(s.times) == 1) {
			t.Errorf("%s: holds %v, saw %+v", text, x.holds[c.Target], s)
		}
	}
	if n := len(x.Seen()); n < 2 {
		t.Errorf("the evidence is read in %d statement", n)
	}
}

// TestExplanationReadsLittle explains one of 200,000 users, by every kind of leaf: no statement may scan a table.
func TestExplanationReadsLittle(t *testing.T) {
	db := clickhousetest.DB(t)
	for _, sql := range []string{
		`INSERT INTO actors (project, actor, uid, rank, kind, id, version)
			SELECT 1, cityHash64(number) AS actor, number + 1, 0, 'user', toString(number), 1 FROM numbers(200000)`,
		`INSERT INTO events (project, event, actor, ts, message, time, received, message_id, properties)
			SELECT 1, 'buy', cityHash64(number % 200000), toDateTime64('2025-03-01', 3, 'UTC') + number AS at, number, at, at, '', '{"amount":1}'
			FROM numbers(600000)`,
		`INSERT INTO attribute_snapshots (project, attribute, actor, ts, message, time, received, source, kind, text)
			SELECT 1, 'plan', cityHash64(number), toDateTime64('2025-03-01', 3, 'UTC') AS at, number, at, at, 'custom', 'text', 'pro' FROM numbers(200000)`,
		`INSERT INTO import_members (project, import, actor, time, received)
			SELECT 1, 'list', cityHash64(number), toDateTime64('2025-03-01', 3, 'UTC') AS at, at FROM numbers(200000)`,
	} {
		if err := db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := identity.NewIndex(db).Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	var actor uint64
	if err := db.QueryRow(t.Context(), "SELECT cityHash64(toUInt64(123456))").Scan(&actor); err != nil {
		t.Fatal(err)
	}
	fx := database{DB: db}.fixture(project)
	fx.imports["list"] = true
	for _, at := range []struct{ now, known time.Time }{
		{now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)},
		{now: time.Date(2025, 3, 4, 0, 0, 0, 0, time.UTC)},
		{now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), known: time.Date(2025, 3, 4, 0, 0, 0, 0, time.UTC)},
	} {
		fx.now, fx.known = at.now, at.known
		for _, leaf := range []string{
			`{"everyone":true}`, `{"identified":true}`, `{"tag":"vip"}`, `{"import":"list"}`, `{"event":"buy","within":"365d"}`,
			`{"attribute":"plan","op":"equals","value":"pro"}`, `{"attribute":"sessions","op":"gte","value":1}`,
			`{"attribute":"user_id","op":"exists"}`, `{"attribute":"first_seen","op":"within_last","value":"1y"}`,
			`{"attribute":"last_seen","op":"within_last","value":"1y"}`, `{"event":"buy","aggregate":{"fn":"sum","property":"amount"},"op":"gt","value":1}`,
			`{"event":"buy","first":{"op":"within_last","value":"1y"}}`, `{"sequence":[{"event":"buy"},{"event":"buy"}]}`,
			`{"experience":"tour"}`, `{"experience":"tour","question":"q","answer":{"op":"exists"}}`,
		} {
			d, err := queries.Decode([]byte(leaf))
			if err != nil {
				t.Fatal(err)
			}
			scope := fx.scope()
			scope.Actors = []muster.Actor{muster.Actor(actor)}
			x, err := queries.Explain(scope, d)
			if err != nil {
				t.Fatal(err)
			}
			for _, statement := range append([]queries.Statement{x.Plan.Counts(0)}, x.Seen()...) {
				var read clickhouse.Statistics
				rows, err := db.Query(clickhouse.WithStatistics(t.Context(), statement.Parameters, &read), statement.SQL)
				if err != nil {
					t.Fatalf("%v\n%s", err, statement.SQL)
				}
				for rows.Next() {
				}
				if err := errors.Join(rows.Err(), rows.Close()); err != nil {
					t.Fatal(err)
				}
				// A granule has 8,192 rows; the events lie in some parts, each with a granule at least.
				if read.Rows > 120_000 {
					t.Errorf("%s, as of %v, known at %v, reads %d rows\n%s", leaf, fx.now, fx.known, read.Rows, statement.SQL)
				}
			}
		}
	}
}
