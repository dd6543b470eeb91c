package bench

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"muster/clickhouse"
	"muster/identity"
	"muster/projects"
)

// Size is how much data the queries are measured over.
type Size struct {
	Users, Events uint64
}

// chunk is the number of rows one statement makes.
const chunk = 2_000_000

// days is how far the events reach back.
const days = 180

// eventNames is the number of distinct events; the first are frequent, the last rare.
const eventNames = 40

// attributes are those every user has, and the SQL of each value.
var attributes = []struct{ name, kind, text, number string }{
	{"plan", "text", "['free','free','free','trial','pro','pro','team','enterprise'][1 + sipHash64(1, n) % 8]", "NULL"},
	{"role", "text", "['admin','analyst','developer','manager','viewer'][1 + sipHash64(2, n) % 5]", "NULL"},
	{"country", "text", "['DE','FR','ES','US','GB','IT','NL','JP','BR','SE'][1 + sipHash64(3, n) % 10]", "NULL"},
	{"email", "text", "concat('user-', toString(n), '@example.com')", "NULL"},
	{"seats", "number", "''", "toFloat64(sipHash64(5, n) % 200)"},
	{"score", "number", "''", "(sipHash64(6, n) % 10000) / 100"},
	{"onboarded", "boolean", "if(sipHash64(7, n) % 3 = 0, 'false', 'true')", "NULL"},
	{"language", "text", "['en','en','de','fr','ja'][1 + sipHash64(8, n) % 5]", "NULL"},
}

// now is the pinned present of the data: it is kept, so the figures of a later run are of the same sets.
var now = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

// actorOf makes actors of identified users: their lowest bit is not set.
const actorOf = "bitAnd(sipHash64('muster bench', n), 18446744073709551614)"

// Load makes the data, where it is not there yet, and shows how far it is.
func Load(ctx context.Context, db *clickhouse.DB, size Size, w io.Writer) error {
	index := identity.NewIndex(db)
	var events uint64
	if err := db.QueryRow(ctx, `SELECT count() FROM events WHERE project = 1`).Scan(&events); err != nil {
		return fmt.Errorf("look for the data: %w", err)
	}
	if events == size.Events {
		return index.Open(ctx)
	}
	if events > 0 {
		return fmt.Errorf("the data directory holds %d events, not %d: an earlier load was interrupted or of another size; remove it",
			events, size.Events)
	}
	if err := loadUsers(ctx, db, size, w); err != nil {
		return err
	}
	for from := uint64(0); from < size.Events; from += chunk {
		fmt.Fprintf(w, "  making events: %d of %d million\n", from/1_000_000, size.Events/1_000_000)
		if err := run(ctx, db, insertEvents, size, from, min(chunk, size.Events-from)); err != nil {
			return fmt.Errorf("make events: %w", err)
		}
	}
	fmt.Fprintln(w, "  merging")
	for _, table := range []string{"events", "latest_attributes", "attribute_snapshots", "activity", "actors"} {
		if err := db.Exec(ctx, "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
			return fmt.Errorf("merge %s: %w", table, err)
		}
	}
	return index.Open(ctx)
}

func loadUsers(ctx context.Context, db *clickhouse.DB, size Size, w io.Writer) error {
	for from := uint64(0); from < size.Users; from += chunk {
		fmt.Fprintf(w, "  making users: %d of %d million\n", from/1_000_000, size.Users/1_000_000)
		count := min(chunk, size.Users-from)
		err := run(ctx, db, `INSERT INTO actors (project, actor, uid, rank, kind, id, version, batch)
			SELECT 1, `+actorOf+`, toUInt32(n + 1), 0, 'user', concat('user-', toString(n)), 1, generateUUIDv4(1)
			FROM (SELECT number + {from:UInt64} AS n FROM numbers({count:UInt64}))`, size, from, count)
		if err != nil {
			return fmt.Errorf("make users: %w", err)
		}
		for _, a := range attributes {
			err := run(ctx, db, `INSERT INTO attribute_snapshots
				(project, attribute, actor, ts, message, time, received, source, kind, text, number, instant, list)
				SELECT 1, '`+a.name+`', `+actorOf+`, t, sipHash64(n), t, t, 'custom', '`+a.kind+`', `+a.text+`, `+a.number+`, NULL, []
				FROM (SELECT number + {from:UInt64} AS n, {now:DateTime64(3, 'UTC')} - toIntervalDay(1 + n % 300) AS t FROM numbers({count:UInt64}))`,
				size, from, count)
			if err != nil {
				return fmt.Errorf("make attribute %s: %w", a.name, err)
			}
		}
	}
	return nil
}

// insertEvents makes events of skewed frequency by users of skewed activity.
var insertEvents = `INSERT INTO events (project, event, actor, ts, message, time, received, message_id, properties, context)
	SELECT 1, concat('event_', leftPad(toString(toUInt32(pow(sipHash64(10, e) / 18446744073709551616., 2) * ` + strconv.Itoa(eventNames) + `)), 2, '0')),
		` + actorOf + `, t, sipHash64(e), t, t, concat('message-', toString(e)),
		concat('{"amount":', toString(sipHash64(11, e) % 1000), ',"plan":"', ['free','pro','team'][1 + sipHash64(12, e) % 3],
			'","path":"/page/', toString(sipHash64(13, e) % 200), '"}'), '{"library":{"name":"bench","version":"1"}}'
	FROM (
		SELECT number + {from:UInt64} AS e,
			toUInt64(pow(sipHash64(14, e) / 18446744073709551616., 1.5) * {users:UInt64}) % {users:UInt64} AS n,
			{now:DateTime64(3, 'UTC')} - toIntervalMillisecond(sipHash64(15, e) % ` + strconv.Itoa(days*24*3600*1000) + `) AS t
		FROM numbers({count:UInt64}))`

func run(ctx context.Context, db *clickhouse.DB, sql string, size Size, from, count uint64) error {
	return db.Exec(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"from": strconv.FormatUint(from, 10), "count": strconv.FormatUint(count, 10), "users": strconv.FormatUint(size.Users, 10),
		"now": now.Format("2006-01-02 15:04:05.000"),
	}), sql)
}

// project is the one the data is in.
func project() projects.Project { return projects.Project{ID: 1, Name: "bench", Zone: time.UTC} }
