package queries

import (
	"fmt"
	"strconv"
	"strings"
)

// algebra prints sets, where there are any, and results. A set that several targets share is one column. Every result has the columns
// of wide that are passed on, and more, which are computed once for all of them from everyone.
func (p *Plan) algebra(passed []string, more []named) []string {
	a := algebra{numbers: p.numbers, sets: map[string]set{}}
	members := make([]string, len(p.sets))
	targets := make([]string, len(p.sets))
	for i, f := range p.sets {
		members[i] = "bitmapAnd(l0, " + a.set(f).name + ")"
		targets[i] = fmt.Sprintf("toUInt16(%d)", i)
	}
	tables, from := a.print()
	names, columns := append([]string{"target", "members", "l0 AS everyone"}, passed...), []string{"*"}
	for _, m := range more {
		names, columns = append(names, m.name), append(columns, m.expression+" AS "+m.name)
	}
	if len(more) > 0 {
		from = "(SELECT " + strings.Join(columns, ", ") + " FROM " + from + ")"
	}
	return append(tables, "results AS (\n  SELECT "+strings.Join(names, ", ")+"\n  FROM "+from+"\n  ARRAY JOIN\n    ["+
		strings.Join(targets, ", ")+"] AS target,\n    ["+strings.Join(members, ",\n     ")+"] AS members\n)")
}

// named is an expression and the name of its column.
type named struct{ name, expression string }

// algebra gives every distinct set that is put together of others a column. Columns stand in layers, each a SELECT over the
// one below: within one SELECT ClickHouse would write a column out wherever it is named, and a set that is used twice at
// each of many levels would grow beyond all bounds.
type algebra struct {
	numbers map[string]int // of leaves, by key
	sets    map[string]set // by key
	layers  [][]string     // columns
	columns int
}

// set is a set that is already there: its expression, of no more than a name or a complement, and the layer that makes it.
type set struct {
	name  string
	layer int
}

func (a *algebra) set(f formula) set {
	switch f.op {
	case everybody:
		return set{name: "l0"}
	case nobody:
		return set{name: "bitmapAndnot(l0, l0)"}
	case leafSet:
		return set{name: "l" + strconv.Itoa(a.numbers[f.key])}
	case complement:
		of := a.set(f.of[0])
		return set{"bitmapAndnot(l0, " + of.name + ")", of.layer}
	case intersection, union, atLeastOf:
	}
	if made, ok := a.sets[f.key]; ok {
		return made
	}
	parts := make([]set, len(f.of))
	for i, part := range f.of {
		parts[i] = a.set(part)
	}
	if f.op == atLeastOf {
		a.sets[f.key] = a.atLeast(parts, f.count)[f.count]
	} else {
		a.sets[f.key] = a.column(map[formulaOp]string{intersection: "bitmapAnd", union: "bitmapOr"}[f.op], parts)
	}
	return a.sets[f.key]
}

// column makes one of sets combined by a function.
func (a *algebra) column(function string, of []set) set {
	layer := 0
	for _, part := range of {
		layer = max(layer, part.layer)
	}
	if layer == len(a.layers) {
		a.layers = append(a.layers, nil)
	}
	name := "s" + strconv.Itoa(a.columns)
	a.columns++
	a.layers[layer] = append(a.layers[layer], balanced(function, of)+" AS "+name)
	return set{name, layer + 1}
}

// balanced nests calls no deeper than needed, since how deep an expression may be is limited.
func balanced(function string, of []set) string {
	if len(of) == 1 {
		return of[0].name
	}
	half := len(of) / 2
	return function + "(" + balanced(function, of[:half]) + ", " + balanced(function, of[half:]) + ")"
}

// atLeast makes who is in at least j of the sets, for j from 1 to most: who is in at least i of the first half and in at
// least j-i of the second.
func (a *algebra) atLeast(of []set, most int) []set {
	if len(of) == 1 {
		return []set{{}, of[0]}
	}
	half := len(of) / 2
	left, right := a.atLeast(of[:half], most), a.atLeast(of[half:], most)
	all := make([]set, min(len(of), most)+1)
	for j := 1; j < len(all); j++ {
		var ways []set
		for i := max(0, j-len(right)+1); i <= min(j, len(left)-1); i++ {
			switch i {
			case 0:
				ways = append(ways, right[j])
			case j:
				ways = append(ways, left[j])
			default:
				l, r := left[i], right[j-i]
				ways = append(ways, set{"bitmapAnd(" + l.name + ", " + r.name + ")", max(l.layer, r.layer)})
			}
		}
		all[j] = a.column("bitmapOr", ways)
	}
	return all
}

// print prints the table of the sets, where there are any, the lowest layer innermost, and the name of the table that has the leaves
// and them.
func (a *algebra) print() (tables []string, name string) {
	if len(a.layers) == 0 {
		return nil, "wide"
	}
	from := "wide"
	for i, columns := range a.layers {
		layer := "SELECT\n  *,\n  " + strings.Join(columns, ",\n  ") + "\nFROM " + from
		if from = layer; i+1 < len(a.layers) {
			from = "(\n" + indent(layer) + "\n)"
		}
	}
	return []string{"sets AS (\n" + indent(from) + "\n)"}, "sets"
}
