package queries

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"muster"
)

// Scope is what a definition is evaluated in.
type Scope struct {
	Project muster.ProjectID
	Now     time.Time      // pinned; finer parts than milliseconds are cut off
	KnownAt time.Time      // what was received later is ignored; zero for none
	Before  time.Time      // of an evaluation that is brought up to now; zero for none
	Zone    *time.Location // the project's
	Lookup  Lookup         // of the segments a definition names
	Imports Imports        // of the imports a definition names
	Actors  []muster.Actor // all actors of the users who are evaluated; nil evaluates every user
}

// Target is one definition to evaluate.
type Target struct {
	ID         string // of the segment, where it is one
	Definition Definition
}

// Plan is how a set of definitions is computed together: each distinct leaf once, each source in one scan, and the
// definitions as set algebra over the leaves.
type Plan struct {
	scope   Scope
	targets []Target
	sets    []formula      // one per target
	keys    []string       // one per target, with a before: equal for definitions that are equal with all their segments in place
	leaves  []leaf         // a leaf's number is its index plus one; number zero is everyone
	was     []leaf         // the leaves as they were pinned before; nil without a before
	numbers map[string]int // a leaf's number by its key
	sources []source
}

// source is one scan and the leaves that come out of it.
type source struct {
	kind   sourceKind
	names  []string // of the import, the attribute or the events
	leaves []int    // numbers
}

// sourceKind tells what a source reads.
type sourceKind uint8

// The kinds of sources, in the order in which they are printed.
const (
	actorSource     sourceKind = iota // which users are identified
	importSource                      // who was in one import
	attributeSource                   // one attribute, native or custom
	eventSource                       // one event
	sequenceSource                    // several events, in the order they happened
)

// Compile plans the evaluation of definitions. Its error is a [muster.Error] when one names a segment that is unknown or
// comes back to itself.
func Compile(scope Scope, targets []Target) (*Plan, error) {
	scope = scope.pinned()
	p := &Plan{scope: scope, targets: targets, numbers: map[string]int{}}
	n := normaliser{clock: clock{scope.Now, scope.Zone}}
	if !scope.Before.IsZero() {
		n.before = &clock{scope.Before, scope.Zone}
	}
	for _, t := range targets {
		resolved, err := resolve(t.Definition, scope.Lookup, scope.Imports)
		if err != nil {
			return nil, err
		}
		if n.before != nil {
			p.keys = append(p.keys, Hash(Definition{resolved}))
		}
		set := n.node(resolved)
		p.sets = append(p.sets, set)
		p.collect(set)
	}
	p.group()
	return p, nil
}

// pinned returns the scope with its now cut to milliseconds, in a zone.
func (s Scope) pinned() Scope {
	s.Now = s.Now.Truncate(time.Millisecond)
	if s.Zone == nil {
		s.Zone = time.UTC
	}
	return s
}

// Now returns the plan's pinned now.
func (p *Plan) Now() time.Time { return p.scope.Now }

// Leaves returns how many distinct leaves the plan computes.
func (p *Plan) Leaves() int { return len(p.leaves) }

// Sources returns how many scans that takes.
func (p *Plan) Sources() int { return len(p.sources) }

// collect numbers the leaves of a formula that are not numbered yet.
func (p *Plan) collect(f formula) {
	if f.op == leafSet && p.numbers[f.key] == 0 {
		p.leaves, p.was = append(p.leaves, f.leaf), append(p.was, f.was)
		p.numbers[f.key] = len(p.leaves)
	}
	for _, part := range f.of {
		p.collect(part)
	}
}

// group gathers the leaves by source.
func (p *Plan) group() {
	index := map[string]int{}
	for i, l := range p.leaves {
		kind, names := sourceOf(l)
		key := fmt.Sprintf("%d%q", kind, names)
		at, ok := index[key]
		if !ok {
			at = len(p.sources)
			index[key] = at
			p.sources = append(p.sources, source{kind: kind, names: names})
		}
		p.sources[at].leaves = append(p.sources[at].leaves, i+1)
	}
	slices.SortFunc(p.sources, func(a, b source) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), slices.Compare(a.names, b.names))
	})
}

// sourceOf tells where a leaf is read from.
func sourceOf(l leaf) (sourceKind, []string) {
	switch l := l.(type) {
	case identifiedLeaf:
		return actorSource, nil
	case importLeaf:
		return importSource, []string{l.id}
	case attributeLeaf:
		return attributeSource, []string{l.name}
	case eventLeaf:
		return eventSource, []string{l.name}
	case sequenceLeaf:
		return sequenceSource, slices.Compact(slices.Sorted(slices.Values(l.events())))
	default:
		panic(fmt.Sprintf("plan: unknown leaf %T", l))
	}
}
