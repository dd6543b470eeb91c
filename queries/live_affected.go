package queries

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Effect is what may have become of a user in the leaves of a source.
type Effect string

// The effects.
const (
	Changed Effect = "changed" // anything
	Gained  Effect = "gained"  // there are more rows in windows, and none fewer
	Late    Effect = "late"    // the same, but that a row may have taken the place of one that was read before
	Lapsed  Effect = "lapsed"  // there are fewer rows in windows
)

// Since is how far rows have been read before.
type Since struct {
	Inserted time.Time // what was inserted earlier has been read; on the server's clock
	Received time.Time // the newest receipt of anything that has been read; an earlier one may replace something
}

// Affected returns the statement for the users of whom a leaf may have changed since before: the effect; what their rows are, a
// kind and a name, or else the number of the source; the users, as the state of a bitmap; and the months of their rows, by
// the client's clock, with a zero where they are not known. Those of source zero are the users some actor of whom was not seen
// by then, changed where it is not seen yet. They are the users of
//
//   - what was inserted since; late where it was received before others that were read, because of the copies of a message the one
//     that was received first counts,
//   - rows whose time is in a window now and was not before, or the other way round,
//   - values that are to be compared with times, on the edges of those.
func (p *Plan) Affected(since Since) Statement {
	s := newPrinter(p.scope)
	s.parameters["since"] = strconv.FormatInt(since.Inserted.UnixMilli(), 10)
	s.parameters["received"] = strconv.FormatInt(since.Received.UnixMicro(), 10)
	s.parameters["before"] = strconv.FormatInt(p.scope.Before.UnixMilli(), 10)
	branches := []string{
		s.arrived("if(received > fromUnixTimestamp64Micro({received:Int64}, 'UTC'), '"+string(Gained)+"', '"+string(Late)+"')",
			"inserted >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')"),
		affectedFacts("if(first_seen > "+s.now+", '"+string(Changed)+"', '"+string(Gained)+"')", 0, "activity",
			"project = "+s.project+" AND first_seen > "+pinnedBefore) + "\nGROUP BY effect",
	}
	for _, effect := range []Effect{Changed, Gained, Lapsed} {
		if moved := p.movedRows(s, effect); moved != "" {
			branches = append(branches, s.arrived("'"+string(effect)+"'", moved))
		}
	}
	for i, src := range p.sources {
		if src.kind == attributeSource {
			if table, condition := p.movedFacts(s, src); table != "" {
				branches = append(branches, affectedFacts("'"+string(Changed)+"'", i+1, table, condition))
			}
		}
	}
	return s.statement(s.with() + "SELECT effect, what, whose, source, users, months\nFROM (\n" + indent(joinBranches(branches)) + "\n)\nSETTINGS optimize_move_to_prewhere_if_final = 1")
}

// pinnedBefore is the place of the time before, as a time.
const pinnedBefore = "fromUnixTimestamp64Milli({before:Int64}, 'UTC')"

// arrived prints the users of arrivals.
func (s *sqlPrinter) arrived(effect, condition string) string {
	return "SELECT " + effect + " AS effect, toString(kind) AS what, toString(name) AS whose, toUInt16(0) AS source, toString(groupBitmapState(" + uidOf +
		")) AS users, groupUniqArray(month) AS months\nFROM arrivals\nWHERE project = " + s.project + " AND " + condition +
		"\nGROUP BY effect, kind, name"
}

// affectedFacts prints the users of rows that are not arrivals.
func affectedFacts(effect string, source int, table, condition string) string {
	return fmt.Sprintf("SELECT %s AS effect, '' AS what, '' AS whose, toUInt16(%d) AS source, toString(groupBitmapState(%s)) AS users, "+
		"emptyArrayUInt32() AS months\nFROM %s\nWHERE %s", effect, source, uidOf, table, condition)
}

// with prints the readings that are used, before a statement.
func (s *sqlPrinter) with() string {
	if all := s.definitions(); len(all) > 0 {
		return "WITH\n" + strings.Join(all, ",\n") + "\n"
	}
	return ""
}

func joinBranches(all []string) string { return strings.Join(all, "\nUNION ALL\n") }

// movedRows prints the condition of the arrivals that are at the edges of windows, to an effect. Names with the same edges,
// which are most, are one part of it.
func (p *Plan) movedRows(s *sqlPrinter, effect Effect) string {
	edges := map[ArrivalKind]map[string][]interval{EventArrival: {}, AttributeArrival: {}, ImportArrival: {}}
	for _, src := range p.sources {
		switch src.kind {
		case actorSource:
		case importSource:
			edges[ImportArrival][src.names[0]] = p.passed(effect)
		case attributeSource:
			edges[AttributeArrival][src.names[0]] = p.passed(effect)
			if isRemovable(src.names[0]) {
				edges[AttributeArrival][""] = p.passed(effect)
			}
		case eventSource, sequenceSource:
			for _, n := range src.leaves {
				for _, name := range src.names {
					edges[EventArrival][name] = append(edges[EventArrival][name], moved(windowOf(p.was[n-1]), windowOf(p.leaves[n-1]), effect)...)
				}
			}
		default:
			panic(fmt.Sprintf("live: unknown source %d", src.kind))
		}
	}
	var conditions []string
	for _, kind := range []ArrivalKind{EventArrival, AttributeArrival, ImportArrival} {
		names, times := map[string][]string{}, map[string][]interval{}
		for _, name := range slices.Sorted(maps.Keys(edges[kind])) {
			in := merged(edges[kind][name])
			key := fmt.Sprint(in)
			names[key], times[key] = append(names[key], name), in
		}
		for _, key := range slices.Sorted(maps.Keys(names)) {
			if len(times[key]) > 0 {
				conditions = append(conditions, "(kind = '"+string(kind)+"' AND name IN "+s.texts(names[key])+" AND "+s.inAny("time", s.instant, times[key])+")")
			}
		}
	}
	if len(conditions) == 0 {
		return ""
	}
	return joinedConditions(conditions, "OR")
}

// passed is the time that has passed since before: what came to be in it may change anything.
func (p *Plan) passed(effect Effect) []interval {
	if in := (interval{p.scope.Before.UnixMilli() + 1, p.scope.Now.UnixMilli() + 1}); effect == Changed && !in.empty() {
		return []interval{in}
	}
	return nil
}

// moved returns the times by which a window grew or shrank.
func moved(was, now interval, effect Effect) []interval {
	switch effect {
	case Gained:
		return without(now, was)
	case Lapsed:
		return without(was, now)
	case Changed, Late:
		return nil
	default:
		panic(fmt.Sprintf("live: unknown effect %q", effect))
	}
}

// windowOf returns when the events of a leaf count.
func windowOf(l leaf) interval {
	switch l := l.(type) {
	case eventLeaf:
		return l.window
	case sequenceLeaf:
		return l.window
	case identifiedLeaf, importLeaf, attributeLeaf:
	}
	panic(fmt.Sprintf("live: %T is no leaf over events", l))
}

// activityAttributes are the native attributes that come from activity, and the column that a comparison with times is over;
// a star where it is none of them.
var activityAttributes = map[string]string{"first_seen": "first_seen", "last_seen": "last_seen", "sessions": "*"}

// movedFacts prints where an attribute's values are found whose users may have moved: times that are at the edges of what they
// are compared with. Rows that a newer one has replaced may be among them, and do no harm. It prints nothing where no time is
// compared with.
func (p *Plan) movedFacts(s *sqlPrinter, src source) (table, condition string) {
	name := src.names[0]
	var edges []interval
	for _, n := range src.leaves {
		now, was := attributeTest(p.leaves[n-1]), attributeTest(p.was[n-1])
		if now.Op == opDuring && was.Op == opDuring {
			edges = append(edges, changed(was.Operand.span, now.Operand.span)...)
		}
	}
	edges = merged(edges)
	if _, native := nativeAttributes[name]; native {
		column := activityAttributes[name]
		if column == "" {
			return "", ""
		}
		condition = "project = " + s.project + " AND (last_seen > " + pinnedBefore
		if column != "*" && len(edges) > 0 {
			condition += " OR " + s.inAny(column, s.instant, edges)
		}
		return "activity", condition + ")"
	}
	if len(edges) == 0 {
		return "", ""
	}
	moved := []string{"time > " + pinnedBefore}
	for _, edge := range edges {
		moved = append(moved, s.attributeReading().during(edge))
	}
	return "latest_attributes", "project = " + s.project + " AND attribute = " + s.text(name) + " AND " + joinedConditions(moved, "OR")
}

func attributeTest(l leaf) Comparison {
	a, ok := l.(attributeLeaf)
	if !ok {
		panic(fmt.Sprintf("live: %T is no leaf over an attribute", l))
	}
	return a.test
}

// inAny prints that a value is in one of some intervals, whose ends print says.
func (s *sqlPrinter) inAny(value string, print func(int64) string, all []interval) string {
	conditions := make([]string, len(all))
	for i, in := range all {
		conditions[i] = "(" + within(value, in, print) + ")"
	}
	return joinedConditions(conditions, "OR")
}

// changed returns the times that are in one of two intervals and not in the other.
func changed(a, b interval) []interval { return append(without(a, b), without(b, a)...) }

// without returns the times that are in one interval and not in another.
func without(a, b interval) []interval {
	if b.empty() || b.to <= a.from || a.to <= b.from {
		return slices.DeleteFunc([]interval{a}, interval.empty)
	}
	return slices.DeleteFunc([]interval{{a.from, b.from}, {b.to, a.to}}, interval.empty)
}

// merged returns the same times in as few intervals as possible.
func merged(all []interval) []interval {
	slices.SortFunc(all, func(a, b interval) int { return cmp.Compare(a.from, b.from) })
	var out []interval
	for _, in := range all {
		if last := len(out) - 1; last >= 0 && in.from <= out[last].to {
			out[last].to = max(out[last].to, in.to)
			continue
		}
		out = append(out, in)
	}
	return out
}
