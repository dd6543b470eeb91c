package queries_test

import (
	"testing"

	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
	"muster/identity"
	"muster/queries"
)

// traffic makes 200,000 users with two attributes and 4 million events of eight names over a year, merged.
func traffic(b *testing.B) *clickhouse.DB {
	b.Helper()
	db := clickhousetest.DB(b)
	for _, sql := range []string{
		`INSERT INTO actors (project, actor, uid, rank, kind, id, version)
			SELECT 1, cityHash64(number), number + 1, 0, 'user', toString(number), 1 FROM numbers(200000)`,
		`INSERT INTO events (project, event, actor, ts, message, time, received, message_id, properties)
			SELECT 1, concat('e', toString(intDiv(number, 7) % 8)), cityHash64(rand(1) % 200000), toDateTime64('2025-03-01', 3, 'UTC') + rand(2) % 31536000 AS at,
				number, at, at, '', concat('{"amount":', toString(number % 1000), ',"item":"i', toString(number % 20), '"}')
			FROM numbers(4000000)`,
		`INSERT INTO attribute_snapshots (project, attribute, actor, ts, message, time, received, source, kind, text)
			SELECT 1, ['plan', 'city'][number % 2 + 1], cityHash64(intDiv(number, 2)), toDateTime64('2025-03-01', 3, 'UTC') AS at,
				number, at, at, 'custom', 'text', concat('v', toString(number % 5)) FROM numbers(400000)`,
		`OPTIMIZE TABLE events FINAL`,
		`OPTIMIZE TABLE latest_attributes FINAL`,
		`OPTIMIZE TABLE activity FINAL`,
	} {
		if err := db.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	if err := identity.NewIndex(db).Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	return db
}

// What a leaf costs beside the SQL a person would write for it.
func BenchmarkLeaves(b *testing.B) {
	db := traffic(b)
	const uid = `dictGet('actor_uids', 'uid', actor)`
	run := func(name string, s queries.Statement) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := db.Exec(clickhouse.WithParameters(b.Context(), s.Parameters), s.SQL); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	compiled := func(definitions ...string) queries.Statement { return compile(b, definitions...).Counts(0) }
	hand := func(sql string) queries.Statement { return queries.Statement{SQL: sql} }
	where := `project = 1 AND event = 'e3' AND time <= '2026-03-01'`

	run("everyone/hand", hand(`SELECT groupBitmap(`+uid+`) FROM activity WHERE project = 1 AND first_seen <= '2026-03-01'`))
	run("everyone/plan", compiled(`{"everyone":true}`))
	run("presence/hand", hand(`SELECT groupBitmap(`+uid+`) FROM events WHERE `+where))
	run("presence/handFINAL", hand(`SELECT groupBitmap(`+uid+`) FROM events FINAL WHERE `+where))
	run("presence/plan", compiled(`{"event":"e3"}`))
	run("presence30d/hand", hand(`SELECT groupBitmap(`+uid+`) FROM events FINAL WHERE `+where+` AND time > '2026-01-30'`))
	run("presence30d/plan", compiled(`{"event":"e3","within":"30d"}`))
	run("where/hand", hand(`SELECT groupBitmap(`+uid+`) FROM events FINAL WHERE `+where+` AND properties.amount.:Int64 > 900`))
	run("where/plan", compiled(`{"event":"e3","where":{"property":"amount","op":"gt","value":900}}`))
	run("count/hand", hand(`SELECT groupBitmap(u) FROM (SELECT `+uid+` AS u FROM events FINAL WHERE `+where+` GROUP BY u HAVING count() >= 3)`))
	run("count/plan", compiled(`{"event":"e3","count":{"op":"gte","value":3}}`))
	run("sum/plan", compiled(`{"event":"e3","aggregate":{"fn":"sum","property":"amount"},"op":"gt","value":1500}`))
	run("distinct/plan", compiled(`{"event":"e3","aggregate":{"fn":"distinct","property":"item"},"op":"gte","value":3}`))
	run("sequence/plan", compiled(`{"sequence":[{"event":"e1"},{"event":"e2"},{"event":"e3"}],"complete_within":"30d"}`))
	run("attribute/hand", hand(`SELECT groupBitmap(`+uid+`) FROM latest_attributes FINAL WHERE project = 1 AND attribute = 'plan' AND text = 'v2'`))
	run("attribute/plan", compiled(`{"attribute":"plan","op":"equals","value":"v2"}`))
	run("sessions/plan", compiled(`{"attribute":"sessions","op":"gte","value":3}`))
	run("eightSegments/plan", compiled(`{"event":"e0"}`, `{"event":"e0","within":"7d"}`, `{"not":{"event":"e0"}}`, `{"all":[{"event":"e0"},{"event":"e0","within":"90d"}]}`,
		`{"event":"e0","within":"30d"}`, `{"any":[{"event":"e0","within":"7d"},{"not":{"event":"e0"}}]}`, `{"event":"e0","within":"60d"}`, `{"event":"e0","within":"14d"}`))
}
