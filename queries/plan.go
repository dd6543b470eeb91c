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
	Zone    *time.Location // the project's
	Lookup  Lookup         // of the segments a definition names
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
	leaves  []Node         // positive; a leaf's number is its index plus one, number zero is everyone
	numbers map[string]int // a leaf's number by its key
	sources []source
}

// source is one table scan and the leaves that come out of it.
type source struct {
	kind   sourceKind
	name   string // of the attribute or the event
	leaves []int  // numbers
}

// sourceKind tells what a source reads.
type sourceKind uint8

// The kinds of sources, in the order in which they are printed.
const (
	actorSource     sourceKind = iota // which users are identified
	attributeSource                   // one attribute, native or custom
	eventSource                       // one event
)

// Compile plans the evaluation of definitions. Its error is a [muster.Error] when one names a segment that is unknown or
// comes back to itself.
func Compile(scope Scope, targets []Target) (*Plan, error) {
	scope.Now = scope.Now.Truncate(time.Millisecond)
	p := &Plan{scope: scope, targets: targets, numbers: map[string]int{}}
	for _, t := range targets {
		resolved, err := resolve(t.Definition, scope.Lookup)
		if err != nil {
			return nil, err
		}
		set := normalise(resolved)
		p.sets = append(p.sets, set)
		p.collect(set)
	}
	p.group()
	return p, nil
}

// Now returns the plan's pinned now.
func (p *Plan) Now() time.Time { return p.scope.Now }

// Leaves returns how many distinct leaves the plan computes, and Sources how many scans that takes.
func (p *Plan) Leaves() int { return len(p.leaves) }

// Sources returns the number of scans.
func (p *Plan) Sources() int { return len(p.sources) }

// collect numbers the leaves of a formula that are not numbered yet.
func (p *Plan) collect(f formula) {
	if f.op == leafSet && p.numbers[f.key] == 0 {
		p.leaves = append(p.leaves, f.leaf)
		p.numbers[f.key] = len(p.leaves)
	}
	for _, part := range f.of {
		p.collect(part)
	}
}

// group gathers the leaves by source.
func (p *Plan) group() {
	for i, n := range p.leaves {
		kind, name := sourceOf(n)
		at := slices.IndexFunc(p.sources, func(s source) bool { return s.kind == kind && s.name == name })
		if at < 0 {
			at = len(p.sources)
			p.sources = append(p.sources, source{kind: kind, name: name})
		}
		p.sources[at].leaves = append(p.sources[at].leaves, i+1)
	}
	slices.SortFunc(p.sources, func(a, b source) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name))
	})
}

// sourceOf tells where a positive leaf is read from.
func sourceOf(n Node) (sourceKind, string) {
	switch n := n.(type) {
	case Identified:
		return actorSource, ""
	case Attribute:
		return attributeSource, n.Name
	case Event:
		return eventSource, n.Name
	default:
		panic(fmt.Sprintf("plan: %T is no leaf that is read", n))
	}
}
