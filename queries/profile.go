package queries

import (
	"strconv"
	"strings"

	"muster"
)

// Identifiers returns the statement for all actors of the user that one actor is of, in the order of their ranks: actor, kind,
// id, uid, rank. It has no rows for an actor that is nobody, and may have rows of another project's number for an actor that
// is of another project: the user is there only where the actor itself is among the rows.
//
// uid and rank are read from the dictionary, which is what every query goes by; the table may hold older versions.
func Identifiers(scope Scope, actor muster.Actor) Statement {
	b := newBuilder(scope)
	own := "dictGet('actor_uids', 'uid', " + b.bind("UInt64", strconv.FormatUint(uint64(actor), 10)) + ")"
	return Statement{SQL: `
SELECT DISTINCT actor, toString(kind) AS sort, id, ` + uidOf + ` AS user, dictGet('actor_uids', 'rank', actor) AS place
FROM actors
WHERE project = {project:UInt32} AND uid != 0 AND uid = ` + own + `
ORDER BY place, actor`, Parameters: b.parameters}
}

// sessionCount is how many sessions there are in an array of sorted times in milliseconds: a session ends when nothing follows
// for 30 minutes.
const sessionCount = "1 + arrayCount((a, b) -> b - a > 1800000, arrayPopBack(times), arrayPopFront(times))"

// Attributes returns the statement for the attributes of the user of a scope, with where they come from: one row each, with the
// latest value over the user's actors: attribute, kind, text, number, list, source, time. What was unset is not there.
func Attributes(scope Scope) Statement {
	s := newPrinter(scope)
	return s.statement("WITH (" + s.lastRemoval() + ") AS removed\n" +
		"SELECT attribute, value.1 AS kind, value.2 AS text, value.3 AS number, value.4 AS list, value.5 AS source, value.6 AS said\n" +
		"FROM (\n  SELECT toString(attribute) AS attribute,\n" +
		"    argMax((toString(kind), text, number, list, toString(source), time, received, " + removable + "), (time, received)) AS value\n" +
		"  FROM attribute_snapshots FINAL\n  WHERE project = " + s.project + " AND time <= " + s.now + s.known("received") + s.among +
		"\n  GROUP BY attribute\n)\nWHERE kind != 'null' AND NOT (value.8 AND (value.6, value.7) < removed)\nORDER BY attribute")
}

// Activity returns the statement for what the user of a scope did in all: how many events and sessions, when the user was first
// and last seen. It has no row for a user who was not seen.
func Activity(scope Scope) Statement {
	s := newPrinter(scope)
	return s.statement("SELECT toUInt64(length(times)) AS events, toUInt64(" + sessionCount + ") AS sessions, times[1] AS first, times[-1] AS last\nFROM (\n" +
		"  SELECT arraySort(groupArray(seen)) AS times\n  FROM (\n    SELECT toUnixTimestamp64Milli(" + sighting + ") AS seen\n    FROM events FINAL\n" +
		"    WHERE project = " + s.project + " AND seen <= {now:Int64}" + s.known("received") + s.among + "\n  )\n)\nWHERE notEmpty(times)")
}

// EventKey is the place of an event in a list that is newest first.
type EventKey struct {
	Time    int64  `json:"t"` // milliseconds
	Message uint64 `json:"m"`
	Event   string `json:"e"`
	Actor   uint64 `json:"a"`
	TS      int64  `json:"s"` // milliseconds
}

// EventKeys returns the statement for the places of the newest events of the user of a scope, by now: time, message, event, actor,
// ts, all of them in the list's order, up to limit. With a name only events of that name; with a place only those after it.
func EventKeys(scope Scope, name string, after *EventKey, limit int) Statement {
	s := newPrinter(scope)
	where := "project = " + s.project + " AND time <= " + s.now + s.known("received") + s.among
	if name != "" {
		where += " AND event = " + s.text(name)
	}
	if after != nil {
		where += " AND (time, message, toString(event), actor, ts) < (" + s.instant(after.Time) + ", " + s.count(after.Message) + ", " +
			s.text(after.Event) + ", " + s.count(after.Actor) + ", " + s.instant(after.TS) + ")"
	}
	return s.statement("SELECT toUnixTimestamp64Milli(time) AS at, message, toString(event) AS name, actor, toUnixTimestamp64Milli(ts) AS said\n" +
		"FROM events FINAL\nWHERE " + where + "\nORDER BY time DESC, message DESC, name DESC, actor DESC, ts DESC\nLIMIT " +
		s.bind("UInt64", strconv.Itoa(limit)))
}

// Events returns the statement for events at some places, newest first: time, received, message, event, actor, ts, message id,
// properties and context as JSON. Properties have the names they are stored under.
func Events(scope Scope, keys []EventKey) Statement {
	s := newPrinter(scope)
	var names unique
	var actors, messages []uint64
	var said []string
	for _, k := range keys {
		names.add(k.Event)
		actors, messages, said = append(actors, k.Actor), append(messages, k.Message), append(said, strconv.FormatInt(k.TS, 10))
	}
	ts := s.bind("Array(Int64)", "["+strings.Join(said, ",")+"]")
	return s.statement("SELECT toUnixTimestamp64Milli(time) AS at, received, message, toString(event) AS name, actor, toUnixTimestamp64Milli(ts) AS said,\n" +
		"  message_id, toJSONString(properties) AS properties, context\nFROM events FINAL\n" +
		"WHERE project = " + s.project + " AND event IN " + s.texts(names.all) + " AND actor IN " + s.bind("Array(UInt64)", unsigned(actors)) +
		" AND toUnixTimestamp64Milli(ts) IN " + ts + " AND message IN " + s.bind("Array(UInt64)", unsigned(messages)) +
		"\nORDER BY time DESC, message DESC, name DESC, actor DESC, ts DESC")
}

// Experiences returns the statement for what the user of a scope did with experiences: per experience, type and interaction how
// often and when last.
func Experiences(scope Scope) Statement {
	s := newPrinter(scope)
	text := func(name string) string { return "ifNull(" + s.propertyReading(name).text + ", '')" }
	return s.statement("SELECT " + text("experience") + " AS experience, " + text("type") + " AS sort, " + text("interaction") + " AS interaction,\n" +
		"  count() AS times, max(time) AS last\n" + s.experienceEvents() + "\nGROUP BY experience, sort, interaction\nORDER BY experience, sort, interaction")
}

// Answers returns the statement for the answers the user of a scope gave, newest first: experience, question, time in
// milliseconds, kind, text, number, list.
func Answers(scope Scope) Statement {
	s := newPrinter(scope)
	text := func(name string) string { return "ifNull(" + s.propertyReading(name).text + ", '')" }
	a := s.answer()
	return s.statement("SELECT " + text("experience") + " AS experience, " + text("question") + " AS question, toUnixTimestamp64Milli(time) AS at, " +
		a.kind + " AS kind, " + a.text + " AS text, " + a.number + " AS number, " + a.list + " AS list\n" + s.experienceEvents() + " AND " +
		s.predicate(answered) + "\nORDER BY experience, question, time DESC, received DESC")
}

func (s *sqlPrinter) experienceEvents() string {
	return s.eventsFrom([]string{experienceEvent}, clock{s.scope.Now, s.scope.Zone}.window(Window{}))
}

// History returns the statement for all that was ever said of an attribute of the user of a scope, newest first: kind, text,
// number, list, source, time, received in microseconds, message, actor; up to limit, and after a place. A removal is said of the
// attributes it unset.
func History(scope Scope, name string, after *SnapshotKey, limit int) Statement {
	s := newPrinter(scope)
	where := "project = " + s.project + " AND time <= " + s.now + s.known("received") + s.among
	from := "attribute_snapshots FINAL\nWHERE " + where + " AND attribute = " + s.text(name)
	if isRemovable(name) {
		from = "(\n" + indent(s.saidAndRemoved(s.text(name), where)) + "\n)\nWHERE true"
	}
	if after != nil {
		from += " AND (time, received, message, actor) < (" + s.instant(after.Time) + ", fromUnixTimestamp64Micro(" + s.millis(after.Received) +
			", 'UTC'), " + s.count(after.Message) + ", " + s.count(after.Actor) + ")"
	}
	return s.statement("SELECT toString(kind) AS sort, text, number, list, toString(source) AS origin, toUnixTimestamp64Milli(time) AS at,\n" +
		"  toUnixTimestamp64Micro(received) AS heard, message, actor\nFROM " + from +
		"\nORDER BY time DESC, received DESC, message DESC, actor DESC\nLIMIT " + s.bind("UInt64", strconv.Itoa(limit)))
}

// SnapshotKey is the place of a snapshot in a list that is newest first.
type SnapshotKey struct {
	Time     int64  `json:"t"` // milliseconds
	Received int64  `json:"r"` // microseconds
	Message  uint64 `json:"m"`
	Actor    uint64 `json:"a"`
}
