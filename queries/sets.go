package queries

import "fmt"

// Algebra says how sets of users are combined, whatever they are kept as. No operation changes what it is given.
type Algebra[S any] struct {
	And, Or, Without func(a, b S) S
}

// Combine returns the members of targets, given the sets of the plan's leaves by number; zero is everyone. The sets may be
// those of some users only: then so are the members. It means what [Plan.algebra] has ClickHouse do.
func Combine[S any](p *Plan, targets []int, leaf func(n int) S, a Algebra[S]) []S {
	c := combiner[S]{a, p.numbers, leaf, map[string]S{}}
	members := make([]S, len(targets))
	for i, t := range targets {
		members[i] = a.And(leaf(0), c.set(p.sets[t]))
	}
	return members
}

// combiner computes every distinct set once.
type combiner[S any] struct {
	Algebra[S]

	numbers map[string]int
	leaf    func(n int) S
	sets    map[string]S
}

func (c combiner[S]) set(f formula) S {
	switch f.op {
	case everybody:
		return c.leaf(0)
	case nobody:
		return c.Without(c.leaf(0), c.leaf(0))
	case leafSet:
		return c.leaf(c.numbers[f.key])
	case complement, intersection, union, atLeastOf:
	}
	if made, ok := c.sets[f.key]; ok {
		return made
	}
	made := c.combined(f)
	c.sets[f.key] = made
	return made
}

func (c combiner[S]) combined(f formula) S {
	switch f.op {
	case complement:
		return c.Without(c.leaf(0), c.set(f.of[0]))
	case intersection:
		return c.intersection(f.of)
	case union:
		all := c.set(f.of[0])
		for _, part := range f.of[1:] {
			all = c.Or(all, c.set(part))
		}
		return all
	case atLeastOf:
		return c.atLeast(f.of, f.count)
	case everybody, nobody, leafSet:
	}
	panic(fmt.Sprintf("sets: unknown operation %d", f.op))
}

// intersection takes complements away instead of making them.
func (c combiner[S]) intersection(of []formula) S {
	all, begun := c.leaf(0), false
	for _, part := range of {
		if part.op == complement {
			continue
		}
		if begun {
			all = c.And(all, c.set(part))
		} else {
			all, begun = c.set(part), true
		}
	}
	for _, part := range of {
		if part.op == complement {
			all = c.Without(all, c.set(part.of[0]))
		}
	}
	return all
}

// atLeast goes through the parts, and keeps who is in at least j of them so far.
func (c combiner[S]) atLeast(of []formula, count int) S {
	nobody := c.Without(c.leaf(0), c.leaf(0))
	reached := make([]S, count+1)
	reached[0] = c.leaf(0)
	for j := 1; j <= count; j++ {
		reached[j] = nobody
	}
	for _, part := range of {
		in := c.set(part)
		for j := count; j >= 1; j-- {
			reached[j] = c.Or(reached[j], c.And(reached[j-1], in))
		}
	}
	return reached[count]
}
