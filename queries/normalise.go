package queries

import (
	"fmt"
)

// normaliser turns resolved nodes into formulas. Negative operators, and counts that include zero, become complements of
// positive leaves, so that a negation is never written twice.
type normaliser struct {
	clock
	before *clock // of an earlier evaluation, for leaves to tell what they were then; or nil
}

// leaf makes the formula of a leaf, given how a clock pins it.
func (c normaliser) leaf(pinned func(clock) leaf) formula {
	f := leafFormula(pinned(c.clock))
	if c.before != nil {
		f.was = pinned(*c.before)
		f.key += "\x00" + leafKey(f.was)
	}
	return f
}

func (c normaliser) node(n Node) formula {
	switch n := n.(type) {
	case All:
		return group(intersection, c.nodes(n.Of))
	case Any:
		return group(union, c.nodes(n.Of))
	case AtLeast:
		return atLeast(n.Count, c.nodes(n.Of))
	case Not:
		return not(c.node(n.Of))
	case Everyone:
		return constant(everybody)
	case Identified:
		return given(n.Is, c.leaf(func(clock) leaf { return identifiedLeaf{} }))
	case Attribute:
		return c.compared(n.Comparison, func(test Comparison) formula {
			return c.leaf(func(k clock) leaf { return attributeLeaf{n.Name, k.pin(test)} })
		})
	case Event:
		return c.counted(eventLeaf{name: n.Name, where: n.Where}, n.Window, n.Count)
	case EventAggregate:
		return c.aggregate(n)
	case EventTime:
		return c.eventTime(n)
	case Sequence:
		return c.leaf(func(k clock) leaf { return k.sequence(n) })
	case Experience:
		return c.counted(eventLeaf{name: experienceEvent, where: interactions(n)}, n.Window, n.Count)
	case Answer:
		return c.compared(n.Comparison, func(test Comparison) formula { return c.answer(n, test) })
	case Tag:
		return c.leaf(func(clock) leaf { return attributeLeaf{tagsAttribute, hasTag(n)} })
	case Import:
		return c.leaf(func(clock) leaf { return importLeaf{n.ID} })
	case Segment:
		panic("normalise: segments must be resolved before")
	default:
		panic(fmt.Sprintf("normalise: unknown node %T", n))
	}
}

func (c normaliser) nodes(of []Node) []formula {
	all := make([]formula, len(of))
	for i, n := range of {
		all[i] = c.node(n)
	}
	return all
}

// given is the formula, or its complement.
func given(is bool, f formula) formula {
	if is {
		return f
	}
	return not(f)
}

// compared makes a formula of the positive of a comparison, and its complement if the comparison is negative.
func (c normaliser) compared(x Comparison, of func(Comparison) formula) formula {
	positive := operators[x.Op].positive
	if positive == "" {
		return of(x)
	}
	x.Op = positive
	return not(of(x))
}

// event makes a formula of a leaf over the events in a window. None happens in an empty one.
func (c normaliser) event(e eventLeaf, window func(clock) interval) formula {
	if window(c.clock).empty() && (c.before == nil || window(*c.before).empty()) {
		return constant(nobody)
	}
	return c.leaf(func(k clock) leaf {
		pinned := e
		pinned.window, pinned.where, pinned.measure.test = window(k), k.predicate(e.where), k.predicate(e.measure.test)
		return pinned
	})
}

// asked returns how a window that was asked for is pinned.
func asked(w Window) func(clock) interval { return func(k clock) interval { return k.window(w) } }

// counted asks for a number of events.
func (c normaliser) counted(e eventLeaf, in Window, threshold Threshold) formula {
	if threshold.holdsForZero() {
		return not(c.counted(e, in, threshold.complement()))
	}
	switch of := threshold.counts(); {
	case of.least > of.most:
		return constant(nobody)
	case of == atLeastOnce:
		e.measure = measure{kind: happened}
	default:
		e.measure = measure{kind: counted, counts: of}
	}
	return c.event(e, asked(in))
}

// aggregate asks something of an aggregate. Sums and numbers of different things are zero where there is nothing, and so
// have to do with everybody; the others are missing there.
func (c normaliser) aggregate(n EventAggregate) formula {
	fn, threshold := n.Aggregate.Fn, n.Threshold
	if zero := fn == Sum || fn.counted(); zero && threshold.holdsForZero() {
		n.Threshold = threshold.complement()
		return not(c.aggregate(n))
	}
	m := measure{kind: aggregateMeasure, fn: fn, property: n.Aggregate.Property, threshold: threshold}
	if fn.counted() {
		m = measure{kind: countedMeasure, fn: fn, property: n.Aggregate.Property, counts: threshold.counts()}
		if m.counts.least > m.counts.most {
			return constant(nobody)
		}
	}
	return c.event(eventLeaf{name: n.Name, where: n.Where, measure: m}, asked(n.Window))
}

// eventTime asks when the first or the last event was. The last was in a time if there is one in it and none after it; the
// first, if there is none before it.
func (c normaliser) eventTime(n EventTime) formula {
	happens := func(in func(past, asked interval) interval) formula {
		return c.event(eventLeaf{name: n.Name, where: n.Where, measure: measure{kind: happened}}, func(k clock) interval {
			return in(k.window(Window{}), k.pin(n.Comparison).Operand.span)
		})
	}
	inside := happens(func(past, asked interval) interval {
		return interval{max(asked.from, past.from), min(asked.to, past.to)}
	})
	outside := happens(func(past, asked interval) interval {
		if n.Last {
			return interval{max(asked.to, past.from), past.to}
		}
		return interval{past.from, min(asked.from, past.to)}
	})
	return group(intersection, []formula{inside, not(outside)})
}

// answer asks something of any answer to a question, or of the latest.
func (c normaliser) answer(n Answer, test Comparison) formula {
	where := asking(n)
	tested := Property{answerProperty, test}
	if !n.Latest {
		where = append(where, tested)
		return c.event(eventLeaf{name: experienceEvent, where: AllOf{where}, measure: measure{kind: happened}}, asked(n.Window))
	}
	where = append(where, answered)
	return c.event(eventLeaf{
		name: experienceEvent, where: AllOf{where}, measure: measure{kind: latestMeasure, test: tested},
	}, asked(n.Window))
}
