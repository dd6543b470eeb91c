package bench

import (
	"cmp"
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

// eventNames is the number of distinct events; the first are frequent, the last rare. Every tenth event besides is of an
// experience.
const eventNames = 40

// attributes are those every user has, and the SQL of each value.
var attributes = []struct{ name, kind, text, number, list string }{
	{name: "plan", kind: "text", text: "['free','free','free','trial','pro','pro','team','enterprise'][1 + sipHash64(1, n) % 8]"},
	{name: "role", kind: "text", text: "['admin','analyst','developer','manager','viewer'][1 + sipHash64(2, n) % 5]"},
	{name: "country", kind: "text", text: "['DE','FR','ES','US','GB','IT','NL','JP','BR','SE'][1 + sipHash64(3, n) % 10]"},
	{name: "email", kind: "text", text: "concat('user-', toString(n), '@example.com')"},
	{name: "seats", kind: "number", number: "toFloat64(sipHash64(5, n) % 200)"},
	{name: "score", kind: "number", number: "(sipHash64(6, n) % 10000) / 100"},
	{name: "onboarded", kind: "boolean", text: "if(sipHash64(7, n) % 3 = 0, 'false', 'true')"},
	{name: "language", kind: "text", text: "['en','en','de','fr','ja'][1 + sipHash64(8, n) % 5]"},
	{name: "created_at", kind: "text", text: "formatDateTime(" + createdAt + ", '%Y-%m-%dT%H:%i:%SZ')"},
	{name: "tags", kind: "list", list: "arrayFilter(x -> x != '', [['vip','','',''][1 + sipHash64(9, n) % 4], ['beta',''][1 + sipHash64(16, n) % 2]])"},
	{name: "company", kind: "text", text: "concat('company-', toString(sipHash64(17, n) % 50000))"},
	{name: "industry", kind: "text", text: "['retail','media','health','finance','energy'][1 + sipHash64(18, n) % 5]"},
	{name: "employees", kind: "number", number: "toFloat64(1 + sipHash64(19, n) % 5000)"},
	{name: "revenue", kind: "number", number: "(sipHash64(20, n) % 1000000) / 10"},
	{name: "trial", kind: "boolean", text: "if(sipHash64(21, n) % 5 = 0, 'true', 'false')"},
	{name: "theme", kind: "text", text: "['light','dark','system'][1 + sipHash64(22, n) % 3]"},
	{name: "browser", kind: "text", text: "['chrome','chrome','safari','firefox','edge'][1 + sipHash64(23, n) % 5]"},
	{name: "utm_source", kind: "text", text: "['search','ads','friend','blog','none'][1 + sipHash64(24, n) % 5]"},
	{name: "invites", kind: "number", number: "toFloat64(sipHash64(25, n) % 30)"},
	{name: "interests", kind: "list", list: "arraySlice(['charts','reports','api','alerts','sso'], 1 + sipHash64(26, n) % 4, 2)"},
}

// createdAt is when a user was created: within the 300 days before now.
const createdAt = "({now:DateTime64(3, 'UTC')} - toIntervalHour(sipHash64(27, n) % 7200))"

// now is the pinned present of the data: it is kept, so the figures of a later run are of the same sets.
var now = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

// actorOf makes actors of identified users: their lowest bit is not set. Every fourth user has an anonymous actor besides,
// with a third of the user's events.
const (
	actorOf     = "bitAnd(sipHash64('muster bench', n), 18446744073709551614)"
	anonymousOf = "bitOr(sipHash64('muster bench, before the login', n), 1)"
)

// Load makes the data, where it is not there yet, and shows how far it is.
func Load(ctx context.Context, db *clickhouse.DB, size Size, w io.Writer) error {
	if err := clearLive(ctx, db); err != nil {
		return err
	}
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
	if err := run(ctx, db, `INSERT INTO imports (project, import, version, name, status, created_at)
		SELECT 1, 'customers', 1, 'Customers', 'done', {now:DateTime64(3, 'UTC')}`, size, 0, 0); err != nil {
		return fmt.Errorf("make an import: %w", err)
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
		err = run(ctx, db, `INSERT INTO actors (project, actor, uid, rank, kind, id, version, batch)
			SELECT 1, `+anonymousOf+`, toUInt32(n + 1), 1, 'anonymous', concat('browser-', toString(n)), 2, generateUUIDv4(1)
			FROM (SELECT number + {from:UInt64} AS n FROM numbers({count:UInt64})) WHERE n % 4 = 0`, size, from, count)
		if err != nil {
			return fmt.Errorf("make users: %w", err)
		}
		err = run(ctx, db, `INSERT INTO import_members (project, import, actor, time, received)
			SELECT 1, 'customers', `+actorOf+`, {now:DateTime64(3, 'UTC')}, {now:DateTime64(3, 'UTC')}
			FROM (SELECT number + {from:UInt64} AS n FROM numbers({count:UInt64})) WHERE sipHash64(28, n) % 20 = 0`, size, from, count)
		if err != nil {
			return fmt.Errorf("make an import: %w", err)
		}
		for _, a := range attributes {
			err := run(ctx, db, `INSERT INTO attribute_snapshots
				(project, attribute, actor, ts, message, time, received, source, kind, text, number, instant, list)
				SELECT 1, '`+a.name+`', `+actorOf+`, t, sipHash64(n), t, t, 'custom', '`+a.kind+`', text,
					`+cmp.Or(a.number, "NULL")+`, if(text LIKE '____-__-__T%', toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull(text, 3, 'UTC')), NULL),
					`+cmp.Or(a.list, "[]")+`
				FROM (SELECT number + {from:UInt64} AS n, {now:DateTime64(3, 'UTC')} - toIntervalDay(1 + n % 300) AS t,
					`+cmp.Or(a.text, "''")+` AS text FROM numbers({count:UInt64}))`,
				size, from, count)
			if err != nil {
				return fmt.Errorf("make attribute %s: %w", a.name, err)
			}
		}
	}
	return nil
}

// insertEvents makes the events of the last days.
var insertEvents = insertEventsBefore(days * 24 * 3600 * 1000)

// insertEventsBefore makes events of skewed frequency by users of skewed activity, in the milliseconds before now.
func insertEventsBefore(millis int64) string {
	return `INSERT INTO events (project, event, actor, ts, message, time, received, message_id, properties, context)
	SELECT 1, if(e % 10 = 0, '$experience',
			concat('event_', leftPad(toString(toUInt32(pow(sipHash64(10, e) / 18446744073709551616., 2) * ` + strconv.Itoa(eventNames) + `)), 2, '0'))),
		if(n % 4 = 0 AND e % 3 = 0, ` + anonymousOf + `, ` + actorOf + `), t, sipHash64(e), t, t, concat('message-', toString(e)),
		if(e % 10 = 0,
			concat('{"experience":"', ['tour','tour','nps','banner'][1 + sipHash64(29, e) % 4],
				'","interaction":"', ['seen','seen','completed','dismissed'][1 + sipHash64(30, e) % 4],
				'","question":"q1","answer":', toString(sipHash64(31, e) % 11), '}'),
			concat('{"amount":', toString(sipHash64(11, e) % 1000), ',"plan":"', ['free','pro','team'][1 + sipHash64(12, e) % 3],
				'","path":"/page/', toString(sipHash64(13, e) % 200), '"}')),
		'{"library":{"name":"bench","version":"1"}}'
	FROM (
		SELECT number + {from:UInt64} AS e,
			toUInt64(pow(sipHash64(14, e) / 18446744073709551616., 1.5) * {users:UInt64}) % {users:UInt64} AS n,
			{now:DateTime64(3, 'UTC')} - toIntervalMillisecond(sipHash64(15, e) % ` + strconv.FormatInt(millis, 10) + `) AS t
		FROM numbers({count:UInt64}))`
}

func run(ctx context.Context, db *clickhouse.DB, sql string, size Size, from, count uint64) error {
	return db.Exec(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"from": strconv.FormatUint(from, 10), "count": strconv.FormatUint(count, 10), "users": strconv.FormatUint(size.Users, 10),
		"now": now.Format("2006-01-02 15:04:05.000"),
	}), sql)
}

// project is the one the data is in.
func project() projects.Project { return projects.Project{ID: 1, Name: "bench", Zone: time.UTC} }
