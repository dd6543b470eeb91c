package queries

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// formula is set algebra over positive leaves: the form in which equal conditions are equal values.
type formula struct {
	op    formulaOp
	leaf  Node      // of leafSet
	count int       // of atLeastOf
	of    []formula // of the others
	key   string    // equal for equal formulas
}

type formulaOp uint8

const (
	nobody formulaOp = iota
	everybody
	leafSet
	complement
	intersection
	union
	atLeastOf
)

// normalise turns a resolved node into a formula: negative operators and counts that include zero become complements of
// positive leaves, groups are flattened, sorted and rid of repeats and constants, and double negations go.
func normalise(n Node) formula {
	switch n := n.(type) {
	case All:
		return group(intersection, formulas(n.Of))
	case Any:
		return group(union, formulas(n.Of))
	case AtLeast:
		return atLeast(n.Count, formulas(n.Of))
	case Not:
		return not(normalise(n.Of))
	case Everyone:
		return constant(everybody)
	case Identified:
		if !n.Is {
			return not(leaf(Identified{Is: true}))
		}
		return leaf(n)
	case Attribute:
		if positive := operators[n.Op].positive; positive != "" {
			n.Op = positive
			return not(leaf(n))
		}
		return leaf(n)
	case Event:
		return event(n)
	default:
		panic(fmt.Sprintf("normalise: unknown node %T", n))
	}
}

// event splits a count into one that excludes zero and, where it includes zero, the complement: who did something at most
// n times is who did not do it more often.
func event(e Event) formula {
	with := func(op CountOp, n, m uint64) formula {
		e.Count = Count{Op: op, N: n, M: m}
		return leaf(e)
	}
	n := e.Count.N
	switch e.Count.Op {
	case CountEq:
		if n == 0 {
			return not(with(CountGte, 1, 0))
		}
		return with(CountEq, n, 0)
	case CountNeq:
		if n == 0 {
			return with(CountGte, 1, 0)
		}
		return not(with(CountEq, n, 0))
	case CountLt:
		if n == 0 {
			return constant(nobody)
		}
		return not(with(CountGte, n, 0))
	case CountLte:
		return not(with(CountGte, n+1, 0))
	case CountGt:
		return with(CountGte, n+1, 0)
	case CountGte:
		if n == 0 {
			return constant(everybody)
		}
		return with(CountGte, n, 0)
	case CountBetween:
		if n == 0 {
			return not(with(CountGte, e.Count.M+1, 0))
		}
		return with(CountBetween, n, e.Count.M)
	default:
		panic(fmt.Sprintf("normalise: unknown count operator %q", e.Count.Op))
	}
}

func formulas(of []Node) []formula {
	all := make([]formula, len(of))
	for i, n := range of {
		all[i] = normalise(n)
	}
	return all
}

func constant(op formulaOp) formula { return formula{op: op, key: string('0' + rune(op))} }

func leaf(n Node) formula { return formula{op: leafSet, leaf: n, key: string(Print(Definition{n}))} }

func not(f formula) formula {
	switch f.op {
	case nobody:
		return constant(everybody)
	case everybody:
		return constant(nobody)
	case complement:
		return f.of[0]
	case leafSet, intersection, union, atLeastOf:
	}
	return formula{op: complement, of: []formula{f}, key: "!" + f.key}
}

// group makes an intersection or a union.
func group(op formulaOp, of []formula) formula {
	neutral, absorbing := everybody, nobody
	if op == union {
		neutral, absorbing = nobody, everybody
	}
	var flat []formula
	for _, f := range of {
		switch f.op {
		case neutral:
		case absorbing:
			return f
		case op:
			flat = append(flat, f.of...)
		default:
			flat = append(flat, f)
		}
	}
	flat = sortFormulas(flat)
	flat = slices.CompactFunc(flat, func(a, b formula) bool { return a.key == b.key })
	for _, f := range flat {
		if f.op == complement && slices.ContainsFunc(flat, func(g formula) bool { return g.key == f.of[0].key }) {
			return constant(absorbing) // a set and its complement
		}
	}
	switch len(flat) {
	case 0:
		return constant(neutral)
	case 1:
		return flat[0]
	}
	return formula{op: op, of: flat, key: groupKey(map[formulaOp]string{intersection: "&", union: "|"}[op], flat)}
}

// atLeast makes "at least n of"; a condition that stands twice counts twice.
func atLeast(n int, of []formula) formula {
	var rest []formula
	for _, f := range of {
		switch f.op {
		case everybody:
			n--
		case nobody:
		default:
			rest = append(rest, f)
		}
	}
	switch {
	case n <= 0:
		return constant(everybody)
	case n > len(rest):
		return constant(nobody)
	case n == 1:
		return group(union, rest)
	case n == len(rest):
		return group(intersection, rest)
	}
	rest = sortFormulas(rest)
	return formula{op: atLeastOf, count: n, of: rest, key: groupKey(fmt.Sprintf("%d<", n), rest)}
}

func sortFormulas(all []formula) []formula {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b formula) int { return cmp.Compare(a.key, b.key) })
	return all
}

// groupKey is short whatever it is the key of.
func groupKey(op string, of []formula) string {
	keys := make([]string, len(of))
	for i, f := range of {
		keys[i] = f.key
	}
	sum := sha256.Sum256([]byte(op + strings.Join(keys, "\x00")))
	return op + hex.EncodeToString(sum[:])
}

// zeroOnly tells whether the count holds only for those who never did it.
func (c Count) zeroOnly() bool {
	return c.Op == CountEq && c.N == 0 || c.Op == CountLte && c.N == 0 || c.Op == CountLt && c.N == 1 ||
		c.Op == CountBetween && c.M == 0
}
