package queries

// nativeAttributes are those kept apart from what people say of a user: how their rows are printed. A custom attribute
// cannot have one of these names.
var nativeAttributes = map[string]func(*sqlPrinter) string{
	"user_id":      func(s *sqlPrinter) string { return s.idRows("user") },
	"anonymous_id": func(s *sqlPrinter) string { return s.idRows("anonymous") },
	"first_seen":   func(s *sqlPrinter) string { return s.seenRows("min(first_seen)") },
	"last_seen":    func(s *sqlPrinter) string { return s.seenRows("max(last_seen)") },
	"sessions":     (*sqlPrinter).sessionRows,
}

// attributeRows prints one row per user with the attribute's value: uid, kind, text, number, instant, day, list. Where some is
// given, which begins with AND, only the rows where it holds.
func (s *sqlPrinter) attributeRows(name, some string) string {
	if native, ok := nativeAttributes[name]; ok {
		rows := native(s)
		if some != "" {
			rows = "SELECT * FROM (\n" + indent(rows) + "\n)\nWHERE true" + some
		}
		return rows
	}
	return s.latestRows(name, some)
}

// latestRows prints each user's latest value as of now, over all of the user's actors. Of an attribute that a removal unsets, one
// that was unset by one has no row.
//
// latest_attributes has the latest of each actor. It is the user's for everybody but the mixed: users of whom an actor other than the
// first has a value, of whom an actor's latest is from after now, of whom a user id was aliased, or of whom there is a removal. Theirs
// is found in the snapshots. Where there are no mixed, the snapshots are not read. Where only some users are evaluated, theirs are
// read at once.
func (s *sqlPrinter) latestRows(attribute, some string) string {
	name := s.text(attribute)
	of := "project = " + s.project + " AND attribute = " + name + s.among
	rows, from := s.latestSnapshots, of
	if isRemovable(attribute) {
		rows = func(where, some string) string { return s.latestUnlessRemoved(name, where, some) }
		from = "project = " + s.project + " AND attribute IN (" + name + ", " + removal + ")" + s.among
	}
	if s.scope.Actors != nil {
		return rows(from, some)
	}
	latest := "SELECT " + uidOf + " AS uid, kind, text, number, instant, day, list\nFROM latest_attributes FINAL\nWHERE " + of + some
	set := Apart{mixedUsers, attribute}
	if s.presumes(set) {
		return latest
	}
	mixed := s.apart(set)
	return latest + "\n  AND (bitmapCardinality(" + mixed + ") = 0 OR NOT bitmapContains(" + mixed + ", uid))\nUNION ALL\n" +
		rows("bitmapCardinality("+mixed+") > 0 AND "+from+" AND bitmapContains("+mixed+", uid)", some)
}

// latestSnapshots prints each user's latest value as of now, of the snapshots where a condition holds; and of these, those of which
// another one does.
func (s *sqlPrinter) latestSnapshots(where, some string) string {
	rows := "SELECT " + uidOf + " AS uid, " + columnsOf("argMax("+said+", (time, received))") + "\nFROM attribute_snapshots AS said FINAL\nWHERE " +
		where + "\n  AND time <= " + s.now + s.known("received") + "\nGROUP BY uid"
	if some != "" {
		rows += "\nHAVING true" + some
	}
	return rows
}

// said is what a snapshot says.
const said = "(said.kind, said.text, said.number, said.instant, said.day, said.list, said.source)"

// columnsOf prints the columns of a value, which is what a snapshot says.
func columnsOf(value string) string {
	return "(" + value + " AS value).1 AS kind, value.2 AS text, value.3 AS number, value.4 AS instant, value.5 AS day, value.6 AS list"
}

// idRows prints the id each user is known by, of one kind of actor: that of the first of them.
func (s *sqlPrinter) idRows(kind string) string {
	return "SELECT uid, 'text' AS kind, text, " + noNumber + ", " + noInstant + ", " + s.read("read_civil", "text") + " AS day, " + noList +
		"\nFROM (SELECT uid, argMin(id, rank) AS text FROM actors FINAL WHERE project = " + s.project + " AND kind = '" + kind + "'" + s.among +
		" GROUP BY uid)"
}

// The columns of a value that has no such reading.
const (
	noNumber  = "CAST(NULL AS Nullable(Float64)) AS number"
	noInstant = "CAST(NULL AS Nullable(Int64)) AS instant"
	noDay     = "CAST(NULL AS Nullable(Int32)) AS day"
	noList    = "emptyArrayString() AS list"
)

// seenRows prints when each user was first or last seen, as of now. activity knows it for everybody who was not seen
// since; the events know it for the others.
func (s *sqlPrinter) seenRows(pick string) string {
	later := "last_seen > " + s.now
	if !s.scope.KnownAt.IsZero() {
		later = "true"
	}
	return "WITH (\n  SELECT groupBitmapState(" + uidOf + ") FROM activity WHERE project = " + s.project + " AND " + later + s.among + "\n) AS later\n" +
		"SELECT uid, 'time' AS kind, '' AS text, " + noNumber + ", toNullable(toUnixTimestamp64Milli(" + pick + ")) AS instant, " + noDay + ", " +
		noList + "\nFROM (\n" +
		"  SELECT " + uidOf + " AS uid, first_seen, last_seen FROM activity\n  WHERE project = " + s.project +
		s.among + " AND NOT bitmapContains(later, uid)\n  UNION ALL\n" +
		"  SELECT " + uidOf + " AS uid, " + sighting + " AS first_seen, " + sighting + " AS last_seen FROM events FINAL\n" +
		"  WHERE bitmapCardinality(later) > 0 AND project = " + s.project + " AND " + sighting + " <= " + s.now + s.known("received") +
		s.among + " AND bitmapContains(later, uid)\n)\nGROUP BY uid"
}

// sessionRows prints how many sessions each user had: a session ends when nothing follows for 30 minutes.
func (s *sqlPrinter) sessionRows() string {
	return "SELECT uid, 'number' AS kind, '' AS text, toNullable(toFloat64(1 + arrayCount((a, b) -> b - a > 1800000, " +
		"arrayPopBack(times), arrayPopFront(times)))) AS number, " + noInstant + ", " + noDay + ", " + noList + "\nFROM (\n" +
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
