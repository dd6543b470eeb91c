package queries

import (
	"fmt"
	"strconv"
	"strings"

	"muster"
)

// evidence is what is read to show why a leaf holds or not: the rows of a leaf, printed with the same conditions as the
// plan's.
type evidence struct {
	target int
	read   func(*sqlPrinter) string
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

// Seen returns the statements for the evidence of the leaves. Their rows: the leaf's target; how many events, or steps,
// counted; an aggregate; and as parallel arrays the times in milliseconds of what was seen, and of values the kinds, texts,
// numbers, lists, sources, and whether they counted. A leaf nothing was seen of may have no row.
func (x *Explanation) Seen() []Statement {
	var all []Statement
	for from := 0; from < len(x.seen); from += maxBranches {
		s := newPrinter(x.scope)
		targets := map[string][]string{}
		var texts []string
		for _, e := range x.seen[from:min(from+maxBranches, len(x.seen))] {
			text := e.read(s)
			if targets[text] == nil {
				texts = append(texts, text)
			}
			targets[text] = append(targets[text], strconv.Itoa(e.target))
		}
		branches := make([]string, len(texts))
		for i, text := range texts {
			branches[i] = "SELECT arrayJoin(CAST([" + strings.Join(targets[text], ", ") + "] AS Array(UInt16))) AS target, " +
				"count, amount, times, kinds, texts, numbers, lists, sources, counted\nFROM (\n" + indent(text) + "\n)"
		}
		with := ""
		if definitions := s.definitions(); len(definitions) > 0 {
			with = "WITH\n" + strings.Join(definitions, ",\n") + "\n"
		}
		all = append(all, s.statement(with+"SELECT * FROM (\n"+indent(strings.Join(branches, "\nUNION ALL\n"))+"\n)"))
	}
	return all
}

// seenValue prints the value of an attribute, and when and by what source it was said; an attribute that was unset has the kind
// 'null'.
func (s *sqlPrinter) seenValue(name string) string {
	rows := "SELECT value.1 AS kind, value.2 AS text, value.3 AS number, value.4 AS instant, value.5 AS list, value.6 AS source, value.7 AS said\n" +
		"FROM (\n  SELECT argMax((toString(kind), text, number, instant, list, toString(source), toUnixTimestamp64Milli(time)), (time, received)) AS value\n" +
		"  FROM attribute_snapshots FINAL\n  WHERE project = " + s.project + " AND attribute = " + s.text(name) + " AND time <= " + s.now +
		s.known("received") + s.among + "\n  HAVING count() > 0\n)"
	said := "said"
	if native, ok := nativeAttributes[name]; ok {
		rows = "SELECT kind, text, number, instant, list, 'native' AS source\nFROM (\n" + indent(native(s)) + "\n)"
		said = "instant"
	}
	return "SELECT toUInt64(1) AS count, " + noAmount + ", [ifNull(toInt64(" + said + "), 0)] AS times, [kind] AS kinds, [text] AS texts, " +
		"[number] AS numbers, [list] AS lists, [source] AS sources, [true] AS counted\nFROM (\n" + indent(rows) + "\n)"
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
	names := make([]string, len(l.steps))
	for i, step := range l.steps {
		names[i] = step.Event
	}
	return "SELECT length(times) AS count, " + noAmount + ", arrayLast(chain -> notEmpty(chain), arrayFold((chains, pair) -> " +
		"arrayMap((chain, step) -> multiIf(step != -pair.2, chain, step = 1, [pair.1], " + follows +
		", arrayPushBack(chains[-pair.2 - 1], pair.1), chain), chains, arrayEnumerate(chains)), pairs, " +
		"CAST(arrayWithConstant(" + last + ", []) AS Array(Array(Int64))))) AS times, " + noValues + "\nFROM (\n" +
		"  SELECT arraySort(groupArrayArray(" + s.stepPairs(l, l.window) + ")) AS pairs\n" + indent(s.eventsFrom(names, l.window)) + "\n)"
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
		r := s.propertyReading(answerProperty)
		counts := s.compare(test, r)
		order := "NOT counts, "
		if n.Latest {
			order = ""
		}
		p := "properties." + s.bind("Identifier", Text(muster.PropertyKey(answerProperty)))
		kind := "multiIf(dynamicType(" + p + ") IN ('Int64', 'Float64'), 'number', dynamicType(" + p + ") = 'Bool', 'boolean', " +
			"dynamicType(" + p + ") = 'String', 'text', 'list')"
		number := "coalesce(toFloat64(" + p + ".:Int64), " + p + ".:Float64)"
		text := "ifNull(coalesce(toString(" + p + ".:Bool), " + p + ".:String), '')"
		list := "arrayMap(x -> ifNull(x, ''), " + r.list + ")"
		return "SELECT max(total) AS count, " + noAmount + ", groupArray(at) AS times, groupArray(kind) AS kinds, groupArray(text) AS texts, " +
			"CAST(groupArray(tuple(number)).1 AS Array(Nullable(Float64))) AS numbers, groupArray(list) AS lists, " +
			"arrayMap(x -> '', kinds) AS sources, groupArray(counts) AS counted\nFROM (\n" +
			"  SELECT count() OVER () AS total, toUnixTimestamp64Milli(time) AS at, " + kind + " AS kind, " + text + " AS text, " + number + " AS number, " +
			list + " AS list, CAST(" + counts + " AS Bool) AS counts\n" + indent(s.eventsFrom([]string{experienceEvent}, window)) + " AND " + match +
			"\n  ORDER BY " + order + "time DESC, received DESC\n  LIMIT " + strconv.Itoa(maxShown) + "\n)"
	}
}
