package queries

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestChangedTimes compares the edges of intervals with asking every millisecond.
func TestChangedTimes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	in := func(i interval, at int64) bool { return at >= i.from && at < i.to }
	for range 20_000 {
		var all []interval
		var pairs [][2]interval
		for range 1 + random.IntN(3) {
			var pair [2]interval
			for i := range pair {
				pair[i] = interval{random.Int64N(20), random.Int64N(20)}
				if random.IntN(5) == 0 {
					pair[i].from = beginning
				}
			}
			pairs = append(pairs, pair)
			all = append(all, changed(pair[0], pair[1])...)
		}
		edges := merged(all)
		for at := int64(-1); at < 21; at++ {
			want := slices.ContainsFunc(pairs, func(p [2]interval) bool { return in(p[0], at) != in(p[1], at) })
			got := slices.ContainsFunc(edges, func(i interval) bool { return in(i, at) })
			if got != want {
				t.Fatalf("at %d it is %v that one of %v changed; %v", at, got, pairs, edges)
			}
		}
		for i := 1; i < len(edges); i++ {
			if edges[i].from <= edges[i-1].to {
				t.Fatalf("%v could be fewer", edges)
			}
		}
	}
}

// TestCombineMeansWhatTheFormulaSays compares sets of sets with counting, over random formulas.
func TestCombineMeansWhatTheFormulaSays(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	ands := Algebra[uint64]{
		And: func(a, b uint64) uint64 { return a & b }, Or: func(a, b uint64) uint64 { return a | b },
		Without: func(a, b uint64) uint64 { return a &^ b },
	}
	names := []string{"a", "b", "c", "d"}
	var build func(depth int) formula
	build = func(depth int) formula {
		if depth == 0 || random.IntN(4) == 0 {
			switch random.IntN(8) {
			case 0:
				return constant(everybody)
			case 1:
				return constant(nobody)
			}
			return leafFormula(importLeaf{names[random.IntN(len(names))]})
		}
		var of []formula
		for range 1 + random.IntN(4) {
			of = append(of, build(depth-1))
		}
		switch random.IntN(4) {
		case 0:
			return group(intersection, of)
		case 1:
			return group(union, of)
		case 2:
			return atLeast(1+random.IntN(len(of)), of)
		default:
			return not(of[0])
		}
	}
	for range 2000 {
		p := &Plan{sets: []formula{build(4)}, numbers: map[string]int{}}
		p.collect(p.sets[0])
		leaves := make([]uint64, len(p.leaves)+1)
		leaves[0] = random.Uint64() | random.Uint64()
		for i := range p.leaves {
			leaves[i+1] = random.Uint64()
		}
		var holds func(f formula, bit int) bool
		holds = func(f formula, bit int) bool {
			n := 0
			for _, part := range f.of {
				if holds(part, bit) {
					n++
				}
			}
			switch f.op {
			case nobody:
				return false
			case everybody:
				return true
			case leafSet:
				return leaves[p.numbers[f.key]]>>bit&1 == 1
			case complement:
				return n == 0
			case intersection:
				return n == len(f.of)
			case union:
				return n > 0
			case atLeastOf:
				return n >= f.count
			}
			panic("unknown")
		}
		got := Combine(p, []int{0}, func(n int) uint64 { return leaves[n] }, ands)[0]
		for bit := range 64 {
			if want := leaves[0]>>bit&1 == 1 && holds(p.sets[0], bit); (got>>bit&1 == 1) != want {
				t.Fatalf("bit %d of %s is %v", bit, p.sets[0].key, !want)
			}
		}
	}
}
