package queries

import (
	"fmt"
	"slices"
)

// Inspection is what can be said of a definition without looking at what is stored.
type Inspection struct {
	Settled []Settled
	Work    []Work
}

// Settled is a condition that holds for nobody or for everybody, whatever is stored.
type Settled struct {
	Pointer   string // where the condition stands in the definition
	Everybody bool   // or nobody
}

// Work is a leaf that may take long.
type Work struct {
	Pointer string
	Source  int // of the plan
	Kind    WorkKind
	Bounded bool // by a time window
}

// WorkKind tells what is done with the rows of a leaf, from the cheapest on.
type WorkKind uint8

// The kinds of work.
const (
	PerRow    WorkKind = iota // each row is looked at
	PerUser                   // the rows of each user are put together
	AllEvents                 // all that each user ever did is sorted by time
	InOrder                   // what each user did is sorted by time, and gone through
)

// Inspect inspects the first target. Where one condition in a group settles the whole group, it is the one that is named;
// what people say outright, "everyone", is not.
func (p *Plan) Inspect() (Inspection, error) {
	resolved, err := resolve(p.targets[0].Definition, p.scope.Lookup, p.scope.Imports)
	if err != nil {
		return Inspection{}, err
	}
	i := inspector{plan: p, normaliser: normaliser{clock: clock{p.scope.Now, p.scope.Zone}}}
	i.node(p.targets[0].Definition.root, resolved, "")
	return i.found, nil
}

type inspector struct {
	normaliser normaliser
	plan       *Plan
	found      Inspection
}

// inspected is what was found of a condition.
type inspected struct {
	formula
	op       formulaOp // nobody or everybody where it is settled
	settled  bool
	reported bool // it, or what settles it
}

// node inspects a condition, and its other form in which segments are resolved.
func (i *inspector) node(n, resolved Node, at string) inspected {
	switch n := n.(type) {
	case All:
		return i.group(intersection, 0, i.nodes(n.Of, resolved.(All).Of, at+"/all"), at)
	case Any:
		return i.group(union, 0, i.nodes(n.Of, resolved.(Any).Of, at+"/any"), at)
	case AtLeast:
		return i.group(atLeastOf, n.Count, i.nodes(n.Of, resolved.(AtLeast).Of, at+"/of"), at)
	case Not:
		of := i.node(n.Of, resolved.(Not).Of, at+"/not")
		of.formula = not(of.formula)
		of.op, of.settled = settled(of.formula, i.normaliser.clock)
		return of
	case Everyone:
		return inspected{formula: constant(everybody), op: everybody, settled: true}
	case Identified, Attribute, Event, EventAggregate, EventTime, Sequence, Experience, Answer, Tag, Import, Segment:
		f := i.normaliser.node(resolved)
		i.work(f, at)
		return i.judge(f, false, at)
	default:
		panic(fmt.Sprintf("inspect: unknown node %T", n))
	}
}

func (i *inspector) nodes(of, resolved []Node, at string) []inspected {
	all := make([]inspected, len(of))
	for k := range of {
		all[k] = i.node(of[k], resolved[k], fmt.Sprintf("%s/%d", at, k))
	}
	return all
}

func (i *inspector) group(op formulaOp, count int, of []inspected, at string) inspected {
	formulas := make([]formula, len(of))
	for k, part := range of {
		formulas[k] = part.formula
	}
	// One part that holds for nobody settles an intersection, one that holds for everybody a union.
	explains := func(part inspected) bool {
		return op == atLeastOf || op == intersection && part.op == nobody || op == union && part.op == everybody
	}
	var f formula
	if op == atLeastOf {
		f = atLeast(count, formulas)
	} else {
		f = group(op, formulas)
	}
	return i.judge(f, slices.ContainsFunc(of, func(part inspected) bool { return part.settled && part.reported && explains(part) }), at)
}

// judge reports a formula that is settled, unless a part of it was reported that explains it.
func (i *inspector) judge(f formula, explained bool, at string) inspected {
	op, is := settled(f, i.normaliser.clock)
	if is && !explained {
		i.found.Settled = append(i.found.Settled, Settled{Pointer: at, Everybody: op == everybody})
	}
	return inspected{formula: f, op: op, settled: is, reported: is}
}

// work notes what the leaves of a condition take.
func (i *inspector) work(f formula, at string) {
	if number := i.plan.numbers[f.key]; f.op == leafSet && number > 0 {
		kind, window := workOf(f.leaf)
		source := slices.IndexFunc(i.plan.sources, func(s source) bool { return slices.Contains(s.leaves, number) })
		i.found.Work = append(i.found.Work, Work{Pointer: at, Source: source, Kind: kind, Bounded: window.from != beginning})
	}
	for _, part := range f.of {
		i.work(part, at)
	}
}

// workOf tells what is done with a leaf's rows, and in which time they are.
func workOf(l leaf) (WorkKind, interval) {
	always := interval{beginning, forever}
	switch l := l.(type) {
	case identifiedLeaf, importLeaf:
		return PerRow, always
	case attributeLeaf:
		if l.name == sessionsAttribute {
			return AllEvents, always
		}
		return PerRow, always
	case eventLeaf:
		if l.measure.kind != happened {
			return PerUser, l.window
		}
		return PerRow, l.window
	case sequenceLeaf:
		return InOrder, l.window
	default:
		panic(fmt.Sprintf("inspect: unknown leaf %T", l))
	}
}
