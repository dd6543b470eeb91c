package queries

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// formula is set algebra over positive leaves: the form in which equal conditions are equal values. Groups in it are flat,
// sorted and free of repeats and constants, and no complement is of a complement.
type formula struct {
	op    formulaOp
	leaf  leaf      // of leafSet
	was   leaf      // of leafSet, where it is compared with an earlier evaluation: the leaf as it was pinned then
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

func constant(op formulaOp) formula { return formula{op: op, key: string('0' + rune(op))} }

func leafFormula(l leaf) formula { return formula{op: leafSet, leaf: l, key: leafKey(l)} }

// leafKey names a leaf by its Go syntax, in which every text is quoted: two leaves cannot be named alike.
func leafKey(l leaf) string { return fmt.Sprintf("%#v", l) }

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
		if f.op == absorbing {
			return f
		}
		if f.op == op {
			flat = append(flat, f.of...)
		} else if f.op != neutral {
			flat = append(flat, f)
		}
	}
	flat = sortFormulas(flat)
	flat = slices.CompactFunc(flat, func(a, b formula) bool { return a.key == b.key })
	keys := map[string]bool{}
	for _, f := range flat {
		keys[f.key] = true
	}
	for _, f := range flat {
		if f.op == complement && keys[f.of[0].key] {
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
		case leafSet, complement, intersection, union, atLeastOf:
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
