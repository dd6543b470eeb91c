package queries

import (
	"fmt"
	"strings"

	"muster"
)

// eventRows prints the rows of one event's leaves and their conditions. Where every leaf only asks whether something
// happened, the rows are the events themselves: a bitmap needs no groups. Otherwise there is one row per user.
func (s *sqlPrinter) eventRows(name string, leaves []eventLeaf) (rows string, conditions []string) {
	windows := make([]interval, len(leaves))
	matches := make([]string, len(leaves))
	grouped := false
	for i, l := range leaves {
		windows[i] = l.window
		grouped = grouped || l.measure.kind != happened
	}
	all := hull(windows)
	for i, l := range leaves {
		matches[i] = s.matching(l.window, all, l.where)
	}
	from := s.eventsFrom([]string{name}, all) + someHold(matches)
	columns := make([]string, len(leaves))
	conditions = make([]string, len(leaves))
	for i, l := range leaves {
		column := fmt.Sprintf("m%d", i)
		conditions[i] = column
		if grouped {
			columns[i], conditions[i] = s.measured(l.measure, matches[i], column)
		} else {
			columns[i] = matches[i] + " AS " + column
		}
	}
	rows = "SELECT\n  " + uidOf + " AS uid,\n  " + strings.Join(columns, ",\n  ") + "\n" + from
	if grouped {
		rows += "\nGROUP BY uid"
	}
	return rows, conditions
}

// eventsFrom prints where events of some names are read from, in a time.
func (s *sqlPrinter) eventsFrom(names []string, in interval) string {
	event := "event = " + s.text(names[0])
	if len(names) > 1 {
		event = "event IN " + s.texts(names)
	}
	text := "FROM events FINAL\nWHERE project = " + s.project + " AND " + event
	if in.from != beginning {
		text += " AND time >= " + s.instant(in.from)
	}
	return text + " AND time < " + s.instant(in.to) + s.known("received") + s.among
}

// matching prints which of the rows a leaf counts. What holds for all of them is not asked again.
func (s *sqlPrinter) matching(in, all interval, where Predicate) string {
	var conditions []string
	if in.from != all.from {
		conditions = append(conditions, "time >= "+s.instant(in.from))
	}
	if in.to != all.to {
		conditions = append(conditions, "time < "+s.instant(in.to))
	}
	if where != nil {
		conditions = append(conditions, s.predicate(where))
	}
	switch len(conditions) {
	case 0:
		return "true"
	case 1:
		return conditions[0]
	}
	return joinedConditions(conditions, "AND")
}

// hull returns the shortest interval that has all the given ones in it.
func hull(all []interval) interval {
	h := all[0]
	for _, i := range all[1:] {
		h = interval{min(h.from, i.from), max(h.to, i.to)}
	}
	return h
}

// measured prints what is computed of a user's matching events, as a column, and the condition over it.
func (s *sqlPrinter) measured(m measure, match, column string) (expr, condition string) {
	as := " AS " + column
	switch m.kind {
	case happened:
		return "max(" + match + ")" + as, column
	case counted:
		return countOf(match) + as, s.counted(column, m.counts)
	case countedMeasure:
		return s.distinct(m, match) + as, s.counted(column, m.counts)
	case aggregateMeasure:
		number := s.propertyReading(m.property).number()
		return s.aggregate(m.fn, number, match) + as, never(s.exceeds(column, m.threshold))
	case latestMeasure:
		return aggregateIf("argMax", s.predicate(m.test)+", (time, received)", match) + as, column
	default:
		panic(fmt.Sprintf("sql: unknown measure %d", m.kind))
	}
}

// aggregate prints an aggregate of the numbers of the matching events; NULL without one, but for a sum. Sums are
// compensated (Kahan's), so that they do not depend on the order the rows came in. What has no number adds nothing to one:
// ClickHouse sums a column that may be NULL one value at a time.
func (s *sqlPrinter) aggregate(fn Fn, number, match string) string {
	switch fn {
	case Sum:
		return aggregateIf("sumKahan", "ifNull("+number+", 0)", match)
	case Min:
		return aggregateIf("min", number, match)
	case Max:
		return aggregateIf("max", number, match)
	case Avg:
		return aggregateIf("sumKahan", "ifNull("+number+", 0)", match) + " / nullIf(countIf(isNotNull(" + number + ") AND " + match + "), 0)"
	case Distinct, DistinctDays:
	}
	panic(fmt.Sprintf("sql: %q is no aggregate of numbers", fn))
}

// aggregateIf prints an aggregate of the rows that match.
func aggregateIf(fn, of, match string) string {
	if match == "true" {
		return fn + "(" + of + ")"
	}
	return fn + "If(" + of + ", " + match + ")"
}

// countOf prints how many rows match.
func countOf(match string) string {
	if match == "true" {
		return "count()"
	}
	return "countIf(" + match + ")"
}

// distinct prints how many different things there are among the matching events. A number and the text of it are two.
func (s *sqlPrinter) distinct(m measure, match string) string {
	if m.fn == DistinctDays {
		s.parameters["zone"] = Text(s.scope.Zone.String())
		return aggregateIf("uniqExact", "toDate32(toTimeZone(time, {zone:String}))", match)
	}
	r := s.propertyReading(m.property)
	p := "properties." + s.bind("Identifier", Text(muster.PropertyKey(m.property)))
	kind := "multiIf(dynamicType(" + p + ") IN ('Int64', 'Float64'), 'number', dynamicType(" + p + "))"
	number := "coalesce(toFloat64(" + p + ".:Int64), " + p + ".:Float64)"
	return "uniqExactIf((" + kind + ", " + number + ", " + p + ".:String, " + p + ".:Bool, " + r.list + "), " + r.exists + " AND " + match + ")"
}

// predicate prints a condition over one event's properties. Unlike a definition's, its complement is among events.
func (s *sqlPrinter) predicate(n Predicate) string {
	switch n := n.(type) {
	case AllOf:
		return joinedConditions(s.predicates(n.Of), "AND")
	case AnyOf:
		return joinedConditions(s.predicates(n.Of), "OR")
	case NotOf:
		return "NOT " + s.predicate(n.Of)
	case Property:
		c, negated := n.Comparison, ""
		if positive := operators[c.Op].positive; positive != "" {
			c.Op, negated = positive, "NOT "
		}
		return negated + s.compare(c, s.propertyReading(n.Path))
	default:
		panic(fmt.Sprintf("sql: unknown predicate %T", n))
	}
}

func (s *sqlPrinter) predicates(of []Predicate) []string {
	all := make([]string, len(of))
	for i, p := range of {
		all[i] = s.predicate(p)
	}
	return all
}
