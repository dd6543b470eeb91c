package queries

import (
	"fmt"
)

// normaliser turns resolved nodes into formulas. Negative operators, and counts that include zero, become complements of
// positive leaves, so that a negation is never written twice.
type normaliser struct{ clock }

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
		return given(n.Is, leafFormula(identifiedLeaf{}))
	case Attribute:
		return c.compared(n.Comparison, func(test Comparison) formula { return leafFormula(attributeLeaf{n.Name, test}) })
	case Event:
		return c.counted(eventLeaf{name: n.Name, where: n.Where, window: c.window(n.Window)}, n.Count)
	case EventAggregate:
		return c.aggregate(n)
	case EventTime:
		return c.eventTime(n)
	case Sequence:
		return leafFormula(c.sequence(n))
	case Experience:
		return c.counted(eventLeaf{name: experienceEvent, where: interactions(n), window: c.window(n.Window)}, n.Count)
	case Answer:
		return c.compared(n.Comparison, func(test Comparison) formula { return c.answer(n, test) })
	case Tag:
		return leafFormula(attributeLeaf{tagsAttribute, hasTag(n)})
	case Import:
		return leafFormula(importLeaf{n.ID})
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
		return of(c.pin(x))
	}
	x.Op = positive
	return not(of(c.pin(x)))
}

// event makes a formula of a leaf over events. None happens in an empty window.
func (c normaliser) event(e eventLeaf) formula {
	if e.window.empty() {
		return constant(nobody)
	}
	e.where = c.predicate(e.where)
	return leafFormula(e)
}

// counted asks for a number of events.
func (c normaliser) counted(e eventLeaf, asked Threshold) formula {
	if asked.holdsForZero() {
		return not(c.counted(e, asked.complement()))
	}
	switch of := asked.counts(); {
	case of.least > of.most:
		return constant(nobody)
	case of == atLeastOnce:
		e.measure = measure{kind: happened}
	default:
		e.measure = measure{kind: counted, counts: of}
	}
	return c.event(e)
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
	return c.event(eventLeaf{name: n.Name, where: n.Where, window: c.window(n.Window), measure: m})
}

// eventTime asks when the first or the last event was. The last was in a time if there is one in it and none after it; the
// first, if there is none before it.
func (c normaliser) eventTime(n EventTime) formula {
	past := c.window(Window{})
	asked := c.pin(n.Comparison).Operand.span
	happens := func(in interval) formula {
		return c.event(eventLeaf{name: n.Name, where: n.Where, window: in, measure: measure{kind: happened}})
	}
	in := happens(interval{max(asked.from, past.from), min(asked.to, past.to)})
	outside := interval{past.from, min(asked.from, past.to)}
	if n.Last {
		outside = interval{max(asked.to, past.from), past.to}
	}
	return group(intersection, []formula{in, not(happens(outside))})
}

// answer asks something of any answer to a question, or of the latest.
func (c normaliser) answer(n Answer, test Comparison) formula {
	where := asking(n)
	tested := Property{answerProperty, test}
	if !n.Latest {
		where = append(where, tested)
		return c.event(eventLeaf{name: experienceEvent, where: AllOf{where}, window: c.window(n.Window), measure: measure{kind: happened}})
	}
	where = append(where, answered)
	return c.event(eventLeaf{
		name: experienceEvent, where: AllOf{where}, window: c.window(n.Window), measure: measure{kind: latestMeasure, test: tested},
	})
}
