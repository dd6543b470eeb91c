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

// A plan with a before is one that is brought up to now: whoever kept the sets of its leaves as of then needs to read
// again only what came in since, and what is at the edges of the windows that moved. The statements for it are here.

// Key names the definition of a target with all the segments it names in place: while it is the same, the target's members
// change only where a leaf does.
func (p *Plan) Key(target int) string { return p.keys[target] }

// LeafKeys name a leaf by what it asks, as of now and as of before. Leaves of two plans with one name are the same set, as
// far as what they read is the same.
func (p *Plan) LeafKeys(leaf int) (now, before string) {
	return leafKey(p.leaves[leaf-1]), leafKey(p.was[leaf-1])
}

// SourceLeaves returns the numbers of the leaves that are read from a source. Sources are numbered from one.
func (p *Plan) SourceLeaves(source int) []int { return p.sources[source-1].leaves }

// LeavesOf returns the numbers of a target's leaves.
func (p *Plan) LeavesOf(target int) []int {
	var numbers []int
	var collect func(formula)
	collect = func(f formula) {
		if f.op == leafSet {
			numbers = append(numbers, p.numbers[f.key])
		}
		for _, part := range f.of {
			collect(part)
		}
	}
	collect(p.sets[target])
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// Follows tells whether the set of a leaf can be made from the one of before: that nothing of it moved but its window, or
// the times an attribute is compared with. Where a comparison of events' properties moved, all events have to be read.
func (p *Plan) Follows(leaf int) bool {
	l, was := p.leaves[leaf-1], p.was[leaf-1]
	switch w := was.(type) {
	case attributeLeaf:
		if now, ok := l.(attributeLeaf); ok {
			w.test = now.test
		}
		was = w
	case eventLeaf:
		if now, ok := l.(eventLeaf); ok {
			w.window = now.window
		}
		was = w
	case sequenceLeaf:
		if now, ok := l.(sequenceLeaf); ok {
			w.window = now.window
		}
		was = w
	case identifiedLeaf, importLeaf:
	default:
		panic(fmt.Sprintf("live: unknown leaf %T", was))
	}
	return leafKey(l) == leafKey(was)
}

// ArrivalKind tells what arrived.
type ArrivalKind string

// The kinds of arrivals.
const (
	EventArrival     ArrivalKind = "event"
	AttributeArrival ArrivalKind = "attribute"
	ImportArrival    ArrivalKind = "import"
)

// Reads tells whether a source reads what arrived. A removal arrives as an attribute without a name.
func (p *Plan) Reads(source int, kind ArrivalKind, name string) bool {
	switch src := p.sources[source-1]; src.kind {
	case actorSource:
		return false
	case importSource:
		return kind == ImportArrival && src.names[0] == name
	case attributeSource:
		if _, native := nativeAttributes[src.names[0]]; native {
			return kind == EventArrival && activityAttributes[src.names[0]] != ""
		}
		return kind == AttributeArrival && (src.names[0] == name || name == "" && isRemovable(src.names[0]))
	case eventSource, sequenceSource:
		return kind == EventArrival && slices.Contains(src.names, name)
	default:
		panic(fmt.Sprintf("live: unknown source %d", src.kind))
	}
}

// Affected returns the statement for the users of whom a leaf may have changed since before: what their rows are, a kind and a
// name, or else the number of the source; and the users, as the state of a bitmap. Those of source zero are the users who
// were not seen by then. They are the users of
//
//   - what was inserted at a time on the server's clock or later,
//   - rows whose time is in a window now and was not before, or the other way round,
//   - values that are to be compared with times, on the edges of those.
func (p *Plan) Affected(since time.Time) Statement {
	s := newPrinter(p.scope)
	s.parameters["since"] = strconv.FormatInt(since.UnixMilli(), 10)
	s.parameters["before"] = strconv.FormatInt(p.scope.Before.UnixMilli(), 10)
	arrived := "SELECT toString(kind) AS what, toString(name) AS whose, toUInt16(0) AS source, toString(groupBitmapState(" + uidOf +
		")) AS users\nFROM arrivals\nWHERE project = " + s.project + " AND "
	branches := []string{
		arrived + "inserted >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')\nGROUP BY kind, name",
		affectedFacts(0, "activity", "project = "+s.project+" AND first_seen > "+pinnedBefore),
	}
	if moved := p.movedRows(s); moved != "" {
		branches = append(branches, arrived+moved+"\nGROUP BY kind, name")
	}
	for i, src := range p.sources {
		if src.kind == attributeSource {
			if table, condition := p.movedFacts(s, src); table != "" {
				branches = append(branches, affectedFacts(i+1, table, condition))
			}
		}
	}
	return s.statement(s.with() + "SELECT what, whose, source, users\nFROM (\n" + indent(joinBranches(branches)) + "\n)\nSETTINGS optimize_move_to_prewhere_if_final = 1")
}

// pinnedBefore is the place of the time before, as a time.
const pinnedBefore = "fromUnixTimestamp64Milli({before:Int64}, 'UTC')"

func affectedFacts(source int, table, condition string) string {
	return fmt.Sprintf("SELECT '' AS what, '' AS whose, toUInt16(%d) AS source, toString(groupBitmapState(%s)) AS users\nFROM %s\nWHERE %s",
		source, uidOf, table, condition)
}

// with prints the readings that are used, before a statement.
func (s *sqlPrinter) with() string {
	if all := s.definitions(); len(all) > 0 {
		return "WITH\n" + strings.Join(all, ",\n") + "\n"
	}
	return ""
}

func joinBranches(all []string) string { return strings.Join(all, "\nUNION ALL\n") }

// movedRows prints the condition of the arrivals that are at the edges of windows. Names with the same edges, which are most,
// are one part of it.
func (p *Plan) movedRows(s *sqlPrinter) string {
	passed := interval{p.scope.Before.UnixMilli() + 1, p.scope.Now.UnixMilli() + 1}
	edges := map[ArrivalKind]map[string][]interval{EventArrival: {}, AttributeArrival: {}, ImportArrival: {}}
	for _, src := range p.sources {
		switch src.kind {
		case actorSource:
		case importSource:
			edges[ImportArrival][src.names[0]] = []interval{passed}
		case attributeSource:
			edges[AttributeArrival][src.names[0]] = []interval{passed}
			if isRemovable(src.names[0]) {
				edges[AttributeArrival][""] = []interval{passed}
			}
		case eventSource, sequenceSource:
			for _, n := range src.leaves {
				for _, name := range src.names {
					edges[EventArrival][name] = append(edges[EventArrival][name], changed(windowOf(p.was[n-1]), windowOf(p.leaves[n-1]))...)
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
	instant := s.attributeReading(name).instant()
	return "latest_attributes", "project = " + s.project + " AND attribute = " + s.text(name) + " AND (time > " + pinnedBefore + " OR " +
		never(s.inAny(instant, s.millis, edges)) + ")"
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
		var ends []string
		if in.from != beginning {
			ends = append(ends, value+" >= "+print(in.from))
		}
		if in.to != forever {
			ends = append(ends, value+" < "+print(in.to))
		}
		if len(ends) == 0 {
			ends = []string{"true"}
		}
		conditions[i] = joinedConditions(ends, "AND")
	}
	return joinedConditions(conditions, "OR")
}

// changed returns the times that are in one of two intervals and not in the other.
func changed(a, b interval) []interval {
	switch {
	case a.empty() && b.empty():
		return nil
	case a.empty():
		return []interval{b}
	case b.empty():
		return []interval{a}
	case a.to <= b.from || b.to <= a.from:
		return []interval{a, b}
	}
	edges := []interval{{min(a.from, b.from), max(a.from, b.from)}, {min(a.to, b.to), max(a.to, b.to)}}
	return slices.DeleteFunc(edges, interval.empty)
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

// Part is some leaves of a source that are read together: of every user, or only of the actors that the external table
// affected(source, actor) has for the source. Source zero has leaf zero, everyone.
type Part struct {
	Source   int
	Leaves   []int
	Affected bool
}

// Refresh returns the statement that reads leaves again: their numbers and their users, as the states of bitmaps.
func (p *Plan) Refresh(parts []Part) Statement {
	s := newPrinter(p.scope)
	branches := make([]string, len(parts))
	for i, part := range parts {
		s.among = ""
		if part.Affected {
			s.among = " AND actor IN (SELECT actor FROM affected WHERE source = " + strconv.Itoa(part.Source) + ")"
		}
		if part.Source == 0 {
			branches[i] = s.everyone()
			continue
		}
		leaves := make([]leaf, len(part.Leaves))
		for j, n := range part.Leaves {
			leaves[j] = p.leaves[n-1]
		}
		branches[i] = s.branch(p.sources[part.Source-1], part.Leaves, leaves)
	}
	return s.statement(s.with() + "SELECT leaf, toString(bitmap) AS users\nFROM (\n" + indent(joinBranches(branches)) + "\n)\nSETTINGS optimize_move_to_prewhere_if_final = 1")
}
