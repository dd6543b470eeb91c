package queries

import (
	"fmt"
	"strings"

	"muster"
)

// eventRows prints the rows of one event's leaves and their conditions. Where every leaf only asks whether something
// happened, the rows are the events themselves; otherwise they are counts, one row per user.
func (s *sqlPrinter) eventRows(name string, leaves []Node) (rows string, conditions []string) {
	events := make([]Event, len(leaves))
	counted := false
	for i, n := range leaves {
		e, ok := n.(Event)
		if !ok {
			panic(fmt.Sprintf("sql: %T is no event", n))
		}
		events[i] = e
		counted = counted || e.Count != (Count{Op: CountGte, N: 1})
	}
	matches := make([]string, len(events))
	columns := make([]string, len(events))
	conditions = make([]string, len(events))
	for i, e := range events {
		matches[i] = s.window(e.Window)
		if e.Where != nil {
			matches[i] += " AND " + s.predicate(e.Where)
		}
		columns[i] = fmt.Sprintf("(%s) AS m%d", matches[i], i)
		conditions[i] = fmt.Sprintf("m%d", i)
	}
	from := "FROM events FINAL\nWHERE project = " + s.project + " AND event = " + s.text(name) + " AND time <= " + s.now +
		s.known("received") + s.since(events)
	if !counted {
		return "SELECT " + uidOf + " AS uid, " + strings.Join(columns, ", ") + "\n" + from, conditions
	}
	for i, e := range events {
		columns[i] = fmt.Sprintf("countIf(%s) AS c%d", matches[i], i)
		conditions[i] = s.countCondition(e.Count, fmt.Sprintf("c%d", i))
	}
	return "SELECT " + uidOf + " AS uid, " + strings.Join(columns, ", ") + "\n" + from + "\nGROUP BY uid", conditions
}

// since prints the earliest time that any of the leaves looks at, so that older months are not read.
func (s *sqlPrinter) since(events []Event) string {
	var earliest string
	var at int64
	for i, e := range events {
		switch w := e.Window; {
		case w.Within != Duration{}:
			if t := w.Within.before(s.scope.Now, s.scope.Zone); i == 0 || t.UnixMilli() < at {
				at, earliest = t.UnixMilli(), " AND time > "+s.instant(t)
			}
		case w.From != "":
			if t := w.From.in(s.scope.Zone); i == 0 || t.UnixMilli() <= at {
				at, earliest = t.UnixMilli(), " AND time >= "+s.instant(t)
			}
		default:
			return ""
		}
	}
	return earliest
}

// window prints when an event counts; that it is not after now is asked of all rows.
func (s *sqlPrinter) window(w Window) string {
	switch {
	case w.Within != Duration{}:
		return "time > " + s.instant(w.Within.before(s.scope.Now, s.scope.Zone))
	case w.To != "":
		return "time >= " + s.instant(w.From.in(s.scope.Zone)) + " AND time < " + s.instant(w.To.in(s.scope.Zone))
	case w.From != "":
		return "time >= " + s.instant(w.From.in(s.scope.Zone))
	default:
		return "true"
	}
}

// countCondition prints a positive comparison of a count.
func (s *sqlPrinter) countCondition(c Count, column string) string {
	switch c.Op {
	case CountEq:
		return column + " = " + s.count(c.N)
	case CountGte:
		return column + " >= " + s.count(c.N)
	case CountBetween:
		return column + " BETWEEN " + s.count(c.N) + " AND " + s.count(c.M)
	case CountNeq, CountLt, CountLte, CountGt:
	}
	panic(fmt.Sprintf("sql: a normalised count has no operator %q", c.Op))
}

// predicate prints a condition over one event's properties. Unlike a definition's, its complement is among events.
func (s *sqlPrinter) predicate(n Predicate) string {
	group := func(of []Predicate, word string) string {
		parts := make([]string, len(of))
		for i, part := range of {
			parts[i] = s.predicate(part)
		}
		return "(" + strings.Join(parts, word) + ")"
	}
	switch n := n.(type) {
	case AllOf:
		return group(n.Of, " AND ")
	case AnyOf:
		return group(n.Of, " OR ")
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

// Forms of text that has another reading: those of muster.ReadNumber and muster.ReadInstant, and of a date.
const (
	numberForm  = `'^[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$'`
	instantForm = `'^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.,][0-9]+)?(Z|[+-][0-9]{2}:[0-5][0-9])$'`
	dayForm     = `'^[0-9]{4}-[0-9]{2}-[0-9]{2}$'`
)

// propertyReading prints the readings of an event's property. Only the property's own sub-columns are read.
func (s *sqlPrinter) propertyReading(path string) reading {
	p := "properties." + s.bind("Identifier", Text(muster.PropertyKey(path)))
	text, list := p+".:String", p+".:`Array(Nullable(String))`"
	day := "toDate32OrNull(substring(" + text + ", 1, 10))"
	return reading{
		exists: "isNotNull(" + p + ")",
		text:   guarded{"", text},
		truth:  guarded{"", "coalesce(toString(" + p + ".:Bool), " + text + ")"},
		number: "coalesce(toFloat64(" + p + ".:Int64), " + p + ".:Float64, if(match(" + text + ", " + numberForm +
			") AND isFinite(toFloat64OrNull(" + text + ")), toFloat64OrNull(" + text + "), NULL))",
		instant: "multiIf(match(" + text + ", " + dayForm + "), " + s.dayInstant(text) + ", match(" + text + ", " + instantForm +
			") AND toString(" + day + ") = substring(" + text + ", 1, 10), toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull(" +
			"replaceOne(" + text + ", ',', '.'), 3, 'UTC')), NULL)",
		list: guarded{"startsWith(dynamicType(" + p + "), 'Array')", list},
	}
}
