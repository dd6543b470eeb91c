package queries

import (
	"fmt"
	"strings"
)

// nativeAttributes are those kept apart from what people say of a user: how their rows are printed. A custom attribute
// cannot have one of these names.
var nativeAttributes = map[string]func(*sqlPrinter) string{
	"user_id":      func(s *sqlPrinter) string { return s.idRows("user") },
	"anonymous_id": func(s *sqlPrinter) string { return s.idRows("anonymous") },
	"first_seen":   func(s *sqlPrinter) string { return s.seenRows("min(first_seen)") },
	"last_seen":    func(s *sqlPrinter) string { return s.seenRows("max(last_seen)") },
	"sessions":     (*sqlPrinter).sessionRows,
}

// attributeRows prints one row per user with the attribute's value: uid, kind, text, number, instant, list.
func (s *sqlPrinter) attributeRows(name string) string {
	if native, ok := nativeAttributes[name]; ok {
		return native(s)
	}
	return s.latestRows(s.text(name))
}

// latestRows prints each user's latest value as of now, over all of the user's actors.
//
// latest_attributes has the latest of each actor. It is the user's for everybody but the mixed: users of whom an actor
// other than the first has a value, or of whom an actor's latest is from after now. Theirs is found in the snapshots. The
// mixed are few, and where there are none the snapshots are not read. Where only some users are evaluated, theirs are read at once.
func (s *sqlPrinter) latestRows(name string) string {
	of := s.ofAttribute(name)
	if s.scope.Actors != nil {
		return s.latestSnapshots(of)
	}
	return "WITH\n  " + s.later(of) + " AS later,\n  (\n    SELECT groupBitmapState(" + uidOf + ")\n    FROM latest_attributes FINAL\n    WHERE " + of +
		"\n      AND (" + s.mayFollow() + ") AND " + follows + "\n  ) AS following,\n  bitmapOr(later, following) AS mixed\n" +
		"SELECT " + uidOf + " AS uid, kind, text, number, instant, list\nFROM latest_attributes FINAL\nWHERE " + of +
		" AND NOT bitmapContains(mixed, uid)\nUNION ALL\n" + s.mixedSnapshots(of)
}

// attributeBranch prints the branch of the leaves of an attribute. It means what a scan of [sqlPrinter.latestRows] would, and goes
// through latest_attributes once: whoever turns out to be mixed is taken out of what was found, and found again in the snapshots.
func (s *sqlPrinter) attributeBranch(name string, numbers []int, leaves []attributeLeaf) string {
	conditions := s.attributeConditions(leaves)
	if native, ok := nativeAttributes[name]; ok {
		return scan(numbers, native(s), conditions)
	}
	text := s.text(name)
	of := s.ofAttribute(text)
	if s.scope.Actors != nil || len(leaves) > fewLeaves { // many conditions are not to stand in a statement three times
		return scan(numbers, s.latestRows(text), conditions)
	}
	latest := []string{"groupBitmapStateIf(uid, following)"}
	columns := []string{uidOf + " AS uid", "(" + s.mayFollow() + ") AND " + follows + " AS following"}
	states := make([]string, len(leaves))
	for i, condition := range conditions {
		column := fmt.Sprintf("c%d", i+1)
		latest = append(latest, "groupBitmapStateIf(uid, "+column+")")
		columns = append(columns, condition+" AS "+column)
		states[i] = fmt.Sprintf("bitmapOr(bitmapAndnot(latest.%d, mixed), groupBitmapStateIf(uid, %s))", i+2, condition)
	}
	return "WITH\n  " + s.later(of) + " AS later,\n  (\n    SELECT (" + strings.Join(latest, ", ") + ")\n    FROM (\n      SELECT\n        " +
		strings.Join(columns, ",\n        ") + "\n      FROM latest_attributes FINAL\n      WHERE " + of + "\n        AND (" +
		strings.Join(append([]string{s.mayFollow()}, conditions...), "\n          OR ") + ")\n    )\n  ) AS latest,\n" +
		"  bitmapOr(later, latest.1) AS mixed\n" + branch(numbers, states, s.mixedSnapshots(of))
}

func (s *sqlPrinter) ofAttribute(name string) string {
	return "project = " + s.project + " AND attribute = " + name + s.among
}

// later prints the users of whom an actor's latest value is not one of now. Replaced rows may be among them, and do no harm.
func (s *sqlPrinter) later(of string) string {
	later := "time > " + s.now
	if !s.scope.KnownAt.IsZero() {
		later = "(" + later + " OR NOT (true" + s.known("received") + "))"
	}
	return "(SELECT groupBitmapState(" + uidOf + ") FROM latest_attributes WHERE " + of + " AND " + later + ")"
}

// mayFollow prints what holds of every actor that is not the first of its user: its lowest bit tells an anonymous one, and of users
// only those that were aliased are not.
func (s *sqlPrinter) mayFollow() string {
	return "bitTest(actor, 0) OR actor IN (SELECT actor FROM actors WHERE project = " + s.project + " AND if(kind = 'user', rank, 0) > 0)"
}

// follows is that an actor is not the first of its user. A rank is not compared with zero: ClickHouse would turn the comparison
// into a scan of the whole dictionary.
const follows = "toBool(dictGet('actor_uids', 'rank', actor))"

// mixedSnapshots prints the latest values of the mixed.
func (s *sqlPrinter) mixedSnapshots(of string) string {
	return s.latestSnapshots("bitmapCardinality(mixed) > 0 AND " + of + " AND bitmapContains(mixed, uid)")
}

// latestSnapshots prints each user's latest value as of now, of the snapshots where a condition holds.
func (s *sqlPrinter) latestSnapshots(where string) string {
	return "SELECT uid, value.1 AS kind, value.2 AS text, value.3 AS number, value.4 AS instant, value.5 AS list\nFROM (\n" +
		"  SELECT " + uidOf + " AS uid, argMax((kind, text, number, instant, list), (time, received)) AS value\n" +
		"  FROM attribute_snapshots FINAL\n  WHERE " + where + "\n    AND time <= " + s.now + s.known("received") + "\n  GROUP BY uid\n)"
}

// idRows prints the id each user is known by, of one kind of actor: that of the first of them.
func (s *sqlPrinter) idRows(kind string) string {
	return textRow("SELECT uid, argMin(id, rank) AS text FROM actors FINAL WHERE project = " + s.project + " AND kind = '" + kind +
		"'" + s.among + " GROUP BY uid")
}

func textRow(rows string) string {
	return "SELECT uid, 'text' AS kind, text, CAST(NULL AS Nullable(Float64)) AS number, CAST(NULL AS Nullable(Int64)) AS instant, " +
		"emptyArrayString() AS list\nFROM (" + rows + ")"
}

// seenRows prints when each user was first or last seen, as of now. activity knows it for everybody who was not seen
// since; the events know it for the others.
func (s *sqlPrinter) seenRows(pick string) string {
	later := "last_seen > " + s.now
	if !s.scope.KnownAt.IsZero() {
		later = "true"
	}
	return "WITH (\n  SELECT groupBitmapState(" + uidOf + ") FROM activity WHERE project = " + s.project + " AND " + later + s.among + "\n) AS later\n" +
		"SELECT uid, 'time' AS kind, '' AS text, CAST(NULL AS Nullable(Float64)) AS number, toNullable(toUnixTimestamp64Milli(" + pick +
		")) AS instant, emptyArrayString() AS list\nFROM (\n" +
		"  SELECT " + uidOf + " AS uid, first_seen, last_seen FROM activity\n  WHERE project = " + s.project +
		s.among + " AND NOT bitmapContains(later, uid)\n  UNION ALL\n" +
		"  SELECT " + uidOf + " AS uid, " + sighting + " AS first_seen, " + sighting + " AS last_seen FROM events FINAL\n" +
		"  WHERE bitmapCardinality(later) > 0 AND project = " + s.project + " AND " + sighting + " <= " + s.now + s.known("received") +
		s.among + " AND bitmapContains(later, uid)\n)\nGROUP BY uid"
}

// sessionRows prints how many sessions each user had: a session ends when nothing follows for 30 minutes.
func (s *sqlPrinter) sessionRows() string {
	return "SELECT uid, 'number' AS kind, '' AS text, toNullable(toFloat64(1 + arrayCount((a, b) -> b - a > 1800000, " +
		"arrayPopBack(times), arrayPopFront(times)))) AS number, CAST(NULL AS Nullable(Int64)) AS instant, emptyArrayString() AS list\nFROM (\n" +
		"  SELECT uid, arraySort(groupArray(seen)) AS times\n  FROM (\n    SELECT " + uidOf +
		" AS uid, toUnixTimestamp64Milli(" + sighting + ") AS seen\n    FROM events FINAL\n    WHERE project = " +
		s.project + " AND seen <= {now:Int64}" + s.known("received") + s.among + "\n  )\n  GROUP BY uid\n)"
}

// attributeConditions prints the conditions of leaves over one attribute's rows.
func (s *sqlPrinter) attributeConditions(leaves []attributeLeaf) []string {
	r := s.attributeReading()
	conditions := make([]string, len(leaves))
	for i, l := range leaves {
		conditions[i] = s.compare(l.test, r)
	}
	return conditions
}
