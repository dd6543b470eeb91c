package queries

import (
	"fmt"
	"slices"
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

// Grows tells whether nobody leaves the set of a leaf by what comes in: it says that something happened. Only somebody for whom
// the time of it has left the window does.
func (p *Plan) Grows(leaf int) bool {
	l, ok := p.leaves[leaf-1].(eventLeaf)
	return ok && l.measure.kind == happened
}

// Lapses tells whether somebody leaves the set of a leaf by the passing of time alone, given that it grows.
func (p *Plan) Lapses(leaf int) bool { return windowOf(p.leaves[leaf-1]).from != beginning }

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
