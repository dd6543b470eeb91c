package queries

import (
	"fmt"
	"strconv"
	"strings"

	"muster"
)

// evidence is what is read to show why a leaf holds or not: rows that are printed with the same conditions as the plan's.
type evidence struct {
	attribute string                   // whose value is shown, or
	read      func(*sqlPrinter) string // prints the row
}

// maxShown is how many events, or answers, are shown of a leaf: the last of them.
const maxShown = 5

// maxBranches bounds the leaves one statement of evidence reads.
const maxBranches = 100

// The columns of evidence. Every branch has all of them; parallel arrays hold what was seen, in the order to show it.
const (
	noValues = "emptyArrayString() AS kinds, emptyArrayString() AS texts, CAST([] AS Array(Nullable(Float64))) AS numbers, " +
		"CAST([] AS Array(Array(String))) AS lists, emptyArrayString() AS sources, CAST([] AS Array(Bool)) AS counted"
	noAmount = "CAST(NULL AS Nullable(Float64)) AS amount"
)

// Seen returns the statements for the evidence of the leaves. Their rows: the number of the evidence; how many events, or
// steps, counted; an aggregate; and as parallel arrays the times in milliseconds of what was seen, and of values the kinds,
// texts, numbers, lists, sources, and whether they counted. A leaf nothing was seen of may have no row.
func (x *Explanation) Seen() []Statement {
	var all []Statement
	for from := 0; from < len(x.seen); from += maxBranches {
		s := newPrinter(x.scope)
		branches := s.branches(x.seen[from:min(from+maxBranches, len(x.seen))], from)
		with := ""
		if definitions := s.definitions(); len(definitions) > 0 {
			with = "WITH\n" + strings.Join(definitions, ",\n") + "\n"
		}
		all = append(all, s.statement(with+"SELECT * FROM (\n"+indent(strings.Join(branches, "\nUNION ALL\n"))+"\n)"))
	}
	return all
}

// branches prints the rows of evidence that is numbered from a number. What was said of attributes is read at once.
func (s *sqlPrinter) branches(all []evidence, from int) []string {
	var said unique
	var saidNumbers, texts []string
	numbers := map[string][]string{} // by text: leaves that differ in what is asked of a count are shown the same
	for i, e := range all {
		number, text := strconv.Itoa(from+i), ""
		native, isNative := nativeAttributes[e.attribute]
		switch {
		case isNative:
			text = nativeValue(native(s))
		case e.attribute != "":
			said.add(e.attribute)
			saidNumbers = append(saidNumbers, number)
			continue
		default:
			text = e.read(s)
		}
		if numbers[text] == nil {
			texts = append(texts, text)
		}
		numbers[text] = append(numbers[text], number)
	}
	var branches []string
	if len(said.all) > 0 {
		branches = append(branches, s.saidValues(said.all, saidNumbers))
	}
	for _, text := range texts {
		branches = append(branches, "SELECT arrayJoin("+numberArray(numbers[text])+") AS leaf, "+evidenceColumns+"\nFROM (\n"+indent(text)+"\n)")
	}
	return branches
}

const evidenceColumns = "count, amount, times, kinds, texts, numbers, lists, sources, counted"

func numberArray(numbers []string) string {
	return "CAST([" + strings.Join(numbers, ", ") + "] AS Array(UInt32))"
}

// saidValues prints the values of attributes, one row each, with when and by what source they were said. One that was unset
// has the kind 'null'; where a removal unset it, that is what was said. It is the rule of [sqlPrinter.latestRows], for one user.
func (s *sqlPrinter) saidValues(names, numbers []string) string {
	list := s.texts(names)
	return "SELECT leaf, toUInt64(1) AS count, " + noAmount + ", [value.1] AS times, [value.2] AS kinds, [value.3] AS texts, [value.4] AS numbers, " +
		"[value.5] AS lists, [value.6] AS sources, [true] AS counted\nFROM (\n" +
		"  WITH (" + s.lastRemoval() + ") AS removed\n" +
		"  SELECT transform(toString(attribute), " + list + ", " + numberArray(numbers) + ", toUInt32(0)) AS leaf,\n" +
		"    argMax((toUnixTimestamp64Milli(time), toString(kind), text, number, list, toString(source), " + removable + "), (time, received)) AS last,\n" +
		"    if(last.7 AND max((time, received)) < removed, (assumeNotNull(toUnixTimestamp64Milli(removed.1)), 'null', '', NULL, emptyArrayString(), 'custom', true), last) AS value\n" +
		"  FROM attribute_snapshots FINAL\n  WHERE project = " + s.project + " AND attribute IN " + list + s.among +
		"\n    AND time <= " + s.now + s.known("received") + "\n  GROUP BY attribute\n)"
}

// nativeValue prints the value of a native attribute that is no saying: its count is zero, and its time is the value where that
// is a time.
func nativeValue(rows string) string {
	return "SELECT toUInt64(0) AS count, " + noAmount + ", [ifNull(instant, 0)] AS times, [kind] AS kinds, [text] AS texts, " +
		"[number] AS numbers, [list] AS lists, ['native'] AS sources, [true] AS counted\nFROM (\n" + indent(rows) + "\n)"
}

// seenImport prints since when the user was in an import.
func (s *sqlPrinter) seenImport(id string) string {
	return "SELECT count() AS count, " + noAmount + ", [toUnixTimestamp64Milli(min(time))] AS times, " + noValues +
		"\nFROM import_members\nWHERE project = " + s.project + " AND import = " + s.text(id) + " AND time <= " + s.now +
		s.known("received") + s.among + "\nHAVING count > 0"
}

// lastTimes prints the times of the last of the matching events, the newest first.
func lastTimes(match string) string {
	return fmt.Sprintf("arrayMap(t -> -t, groupArraySortedIf(%d)(-toUnixTimestamp64Milli(time), %s)) AS times", maxShown, match)
}

// counting returns how the events that a leaf counts are shown, and sets the span they count in.
func (e *explainer) counting(c *Condition, l eventLeaf, w Window) func(*sqlPrinter) string {
	c.Span = e.windowSpan(w)
	l.window, l.where = e.window(w), e.predicate(l.where)
	return func(s *sqlPrinter) string {
		match := s.matching(l.window, l.window, l.where)
		amount := noAmount
		if l.measure.kind == aggregateMeasure {
			amount = "toNullable(toFloat64(" + s.amount(l.measure, match) + ")) AS amount"
		}
		return "SELECT countIf(" + match + ") AS count, " + amount + ", " + lastTimes(match) + ", " + noValues + "\n" +
			s.eventsFrom([]string{l.name}, l.window)
	}
}

// amount prints an aggregate of the matching events.
func (s *sqlPrinter) amount(m measure, match string) string {
	if m.fn.counted() {
		return s.distinct(m, match)
	}
	return s.aggregate(m.fn, s.propertyReading(m.property).number(), match)
}

// timing returns how the first or the last event is shown: as the amount, in milliseconds.
func (e *explainer) timing(n EventTime) func(*sqlPrinter) string {
	past, where := e.window(Window{}), e.predicate(n.Where)
	return func(s *sqlPrinter) string {
		match := s.matching(past, past, where)
		pick := map[bool]string{true: "maxIf", false: "minIf"}[n.Last]
		return "SELECT countIf(" + match + ") AS count, if(count = 0, NULL, toFloat64(" + pick + "(toUnixTimestamp64Milli(time), " + match +
			"))) AS amount, " + lastTimes(match) + ", " + noValues + "\n" + s.eventsFrom([]string{n.Name}, past)
	}
}

// seenSteps prints how far the best chain of a sequence came, and when its steps were. It goes through the same pairs as
// [sqlPrinter.completed], and keeps the chains themselves: chains[n] is that of n steps which began last, and the shortest of
// those that began then.
func (s *sqlPrinter) seenSteps(l sequenceLeaf) string {
	last := strconv.Itoa(len(l.steps))
	follows := "notEmpty(chains[-pair.2 - 1]) AND (empty(chain) OR chains[-pair.2 - 1][1] > chain[1])"
	if l.complete != (Duration{}) {
		follows += " AND (-pair.2 < " + last + " OR pair.1 <= " + s.deadline(l.complete, "chains[-pair.2 - 1][1]") + ")"
	}
	times := s.stepTimes(l, l.window, "m")
	return "SELECT length(times) AS count, " + noAmount + ", arrayLast(chain -> notEmpty(chain), arrayFold((chains, pair) -> " +
		"arrayMap((chain, step) -> multiIf(step != -pair.2, chain, step = 1, [pair.1], " + follows +
		", arrayPushBack(chains[-pair.2 - 1], pair.1), chain), chains, arrayEnumerate(chains)), pairs, " +
		"CAST(arrayWithConstant(" + last + ", []) AS Array(Array(Int64))))) AS times, " + noValues + "\nFROM (\n" +
		"  SELECT " + times.pairs() + " AS pairs\n  FROM (\n    SELECT " + strings.Join(times.columns(), ", ") + "\n" +
		indent(indent(s.eventsFrom(l.events(), l.window))) + "\n  )\n)"
}

// answers returns how the answers to a question are shown: those that count first, then the newest; where only the latest
// counts, the newest first.
func (e *explainer) answers(n Answer) func(*sqlPrinter) string {
	window := e.window(n.Window)
	where := AllOf{append(asking(n), answered)}
	test := n.Comparison
	if positive := operators[test.Op].positive; positive != "" {
		test.Op = positive
	}
	test = e.pin(test)
	return func(s *sqlPrinter) string {
		match := s.matching(window, window, where)
		counts := s.compare(test, s.propertyReading(answerProperty))
		order := "NOT counts, "
		if n.Latest {
			order = ""
		}
		a := s.answer()
		return "SELECT max(total) AS count, " + noAmount + ", groupArray(at) AS times, groupArray(kind) AS kinds, groupArray(text) AS texts, " +
			"CAST(groupArray(tuple(number)).1 AS Array(Nullable(Float64))) AS numbers, groupArray(list) AS lists, " +
			"arrayMap(x -> '', kinds) AS sources, groupArray(counts) AS counted\nFROM (\n" +
			"  SELECT count() OVER () AS total, toUnixTimestamp64Milli(time) AS at, " + a.kind + " AS kind, " + a.text + " AS text, " + a.number + " AS number, " +
			a.list + " AS list, CAST(" + counts + " AS Bool) AS counts\n" + indent(s.eventsFrom([]string{experienceEvent}, window)) + " AND " + match +
			"\n  ORDER BY " + order + "time DESC, received DESC\n  LIMIT " + strconv.Itoa(maxShown) + "\n)"
	}
}

// shownProperty is how a property is written in SQL to be shown, in the columns of evidence.
type shownProperty struct{ kind, text, number, list string }

// answer prints the answer of an event.
func (s *sqlPrinter) answer() shownProperty {
	p := "properties." + s.bind("Identifier", Text(muster.PropertyKey(answerProperty)))
	return shownProperty{
		kind: "multiIf(dynamicType(" + p + ") IN ('Int64', 'Float64'), 'number', dynamicType(" + p + ") = 'Bool', 'boolean', " +
			"dynamicType(" + p + ") = 'String', 'text', 'list')",
		text:   "ifNull(coalesce(toString(" + p + ".:Bool), " + p + ".:String), '')",
		number: "coalesce(toFloat64(" + p + ".:Int64), " + p + ".:Float64)",
		list:   "arrayMap(x -> ifNull(x, ''), " + s.propertyReading(answerProperty).list + ")",
	}
}
