package queries

import (
	"fmt"
	"strings"

	"muster"
)

// Lookup finds the current definition of a segment.
type Lookup func(id string) (Definition, bool)

// Imports tells whether there is an import. Nil knows none.
type Imports func(id string) bool

// CheckReferences refuses the definition of a segment that names a segment or an import that does not exist, or that
// comes back to itself, through however many others. The lookup must already give the new definition for the segment's
// own id.
func CheckReferences(id string, lookup Lookup, imports Imports) error {
	root, ok := lookup(id)
	if !ok {
		return fmt.Errorf("check segment %s: it is not there", id)
	}
	r := resolver{lookup: lookup, imports: imports, path: []string{id}}
	r.node(root.root, "/definition")
	return r.err()
}

// resolve replaces every segment by its current definition, and refuses imports there are none of.
func resolve(d Definition, lookup Lookup, imports Imports) (Node, error) {
	r := resolver{lookup: lookup, imports: imports}
	n := r.node(d.root, "")
	return n, r.err()
}

type resolver struct {
	lookup  Lookup
	imports Imports
	path    []string // the segments that led here
	at      string   // where the definition that was asked for names the first of them
	leaves  int
	depth   int  // of groups
	full    bool // a limit was reached, and nothing more is resolved
	issues  []muster.Issue
}

// maxResolved bounds the leaves of a definition with all its segments in place: segments that name others twice grow
// without end otherwise.
const maxResolved = 20_000

// maxResolvedDepth bounds how deep groups are nested with all segments in place: a long chain of segments, each in a group of
// its own, is a statement that ClickHouse takes seconds to understand, and in the end does not take.
const maxResolvedDepth = 40

func (r *resolver) err() error {
	if len(r.issues) == 0 {
		return nil
	}
	return &muster.Error{Code: muster.InvalidDefinition, Detail: "the definition cannot be resolved", Issues: r.issues}
}

func (r *resolver) nodes(of []Node, at string) []Node {
	resolved := make([]Node, len(of))
	r.depth++
	defer func() { r.depth-- }()
	if r.depth > maxResolvedDepth {
		r.refuseGrowth("too_deep", fmt.Sprintf("with all the segments it names, groups are nested more than %d deep", maxResolvedDepth))
		return resolved
	}
	for i, n := range of {
		resolved[i] = r.node(n, fmt.Sprintf("%s/%d", at, i))
	}
	return resolved
}

func (r *resolver) node(n Node, at string) Node {
	switch n := n.(type) {
	case All:
		return All{r.nodes(n.Of, at+"/all")}
	case Any:
		return Any{r.nodes(n.Of, at+"/any")}
	case AtLeast:
		return AtLeast{n.Count, r.nodes(n.Of, at+"/of")}
	case Not:
		return Not{r.node(n.Of, at+"/not")}
	case Segment:
		return r.segment(n.ID, at+"/segment")
	case Import:
		r.leaves++
		return r.imported(n, at+"/import")
	case Everyone, Identified, Attribute, Event, EventAggregate, EventTime, Sequence, Experience, Answer, Tag:
		r.leaves++
		return n
	default:
		panic(fmt.Sprintf("resolve: unknown node %T", n))
	}
}

// refuseGrowth refuses what has grown beyond a limit, at the place of the segment that makes it so.
func (r *resolver) refuseGrowth(code, detail string) {
	if !r.full {
		r.issues = append(r.issues, muster.Issue{Pointer: r.at, Code: code, Detail: detail})
	}
	r.full = true
}

// imported refuses an import there is none of, at the place that names it or the segment it is in.
func (r *resolver) imported(n Import, at string) Node {
	if r.imports == nil || !r.imports(n.ID) {
		if r.at != "" {
			at = r.at
		}
		r.issues = append(r.issues, muster.Issue{
			Pointer: at, Code: "unknown_import", Detail: fmt.Sprintf("there is no import %q in this project", n.ID),
		})
	}
	return n
}

func (r *resolver) segment(id, at string) Node {
	// Everything under a named segment is put down to the place that names it.
	if r.at == "" {
		r.at = at
		defer func() { r.at = "" }()
	}
	for i, seen := range r.path {
		if seen == id {
			cycle := strings.Join(append(r.path[i:], id), " → ")
			r.issues = append(r.issues, muster.Issue{
				Pointer: r.at, Code: "cycle", Detail: "the segment would name itself: " + cycle,
			})
			return nil
		}
	}
	if r.full {
		return nil
	}
	if r.leaves > maxResolved {
		r.refuseGrowth("too_many_leaves", fmt.Sprintf("with all the segments it names, the definition has more than %d leaves", maxResolved))
		return nil
	}
	found, ok := r.lookup(id)
	if !ok {
		r.issues = append(r.issues, muster.Issue{
			Pointer: r.at, Code: "unknown_segment", Detail: fmt.Sprintf("there is no segment %q in this project", id),
		})
		return nil
	}
	r.path = append(r.path, id)
	defer func() { r.path = r.path[:len(r.path)-1] }()
	return r.node(found.root, "")
}
