package queries

import (
	"fmt"
	"math"
)

// settled tells whether a formula holds for nobody or for everybody whatever is stored. It may overlook one that does, and
// never says it of one that does not.
func settled(f formula, c clock) (formulaOp, bool) {
	switch f.op {
	case nobody, everybody:
		return f.op, true
	case leafSet:
		return nobody, impossible([]formula{f}, c)
	case complement:
		op, is := settled(f.of[0], c)
		return opposite(op), is
	case intersection:
		return settledGroup(f.of, nobody, c)
	case union:
		return settledGroup(f.of, everybody, c)
	case atLeastOf:
		left, rest := f.count, 0
		for _, part := range f.of {
			switch op, is := settled(part, c); {
			case !is:
				rest++
			case op == everybody:
				left--
			}
		}
		if left <= 0 {
			return everybody, true
		}
		return nobody, left > rest
	default:
		panic(fmt.Sprintf("settled: unknown operation %d", f.op))
	}
}

func opposite(op formulaOp) formulaOp {
	if op == nobody {
		return everybody
	}
	return nobody
}

// settledGroup settles an intersection, which one part that holds for nobody settles, or a union, which is that of
// complements.
func settledGroup(of []formula, by formulaOp, c clock) (formulaOp, bool) {
	other := 0
	together := make([]formula, len(of))
	for i, part := range of {
		op, is := settled(part, c)
		if is && op == by {
			return by, true
		}
		if is {
			other++
		}
		together[i] = part
		if by == everybody {
			together[i] = not(part)
		}
	}
	if other == len(of) {
		return opposite(by), true
	}
	return by, impossible(together, c)
}

// impossible tells whether no user can be in all of some sets, by what is asked of one attribute or of one event.
func impossible(of []formula, c clock) bool {
	attributes := map[string]*tests{}
	var done []doing
	aggregates := map[string]*aggregateTests{}
	for _, f := range of {
		positive := f.op == leafSet
		if f.op == complement {
			f = f.of[0]
		}
		if f.op != leafSet {
			continue
		}
		switch l := f.leaf.(type) {
		case attributeLeaf:
			t := attributes[l.name]
			if t == nil {
				t = &tests{}
				attributes[l.name] = t
			}
			t.add(l.test, positive)
		case eventLeaf:
			if positive && failsAlways(l.where) || positive && l.measure.kind == latestMeasure && failsAlways(l.measure.test) {
				return true
			}
			done = append(done, doings(l, positive)...)
			if set, key := l.asked(); key != "" {
				t := aggregates[key]
				if t == nil {
					t = &aggregateTests{numbers: anyNumber}
					aggregates[key] = t
				}
				t.add(set, positive)
			}
		case sequenceLeaf:
			for _, step := range l.steps {
				if positive && failsAlways(step.Where) {
					return true
				}
				if positive {
					done = append(done, doing{step.Event, step.Where, l.window, atLeastOnce, true})
				}
			}
		case identifiedLeaf, importLeaf:
		default:
			panic(fmt.Sprintf("settled: unknown leaf %T", l))
		}
	}
	for name, t := range attributes {
		if t.impossible(nativeRange(name, c)) {
			return true
		}
	}
	for _, t := range aggregates {
		if t.asked && len(t.numbers) == 0 {
			return true
		}
	}
	return contradict(done)
}

// nativeRange is what the numbers and times of an attribute can be: nobody was seen after now, and who was seen at all had a
// session.
func nativeRange(name string, c clock) numberSet {
	switch name {
	case "first_seen", "last_seen":
		return numberSet{{lowest, cut{float64(c.now.UnixMilli()), true}}}
	case sessionsAttribute:
		return numberSet{{cut{1, false}, highest}}
	}
	return anyNumber
}

// aggregateTests are what is asked of one aggregate.
type aggregateTests struct {
	numbers numberSet
	asked   bool // to be something; without, it may be missing
}

func (t *aggregateTests) add(set numberSet, positive bool) {
	if !positive {
		set = set.complement()
	}
	t.numbers, t.asked = t.numbers.and(set), t.asked || positive
}

// asked returns which numbers a leaf asks an aggregate to be, and a key of the aggregate; no key for other leaves.
func (l eventLeaf) asked() (numberSet, string) {
	m := l.measure
	key := fmt.Sprintf("%q %s %q %#v %v", l.name, m.fn, m.property, l.where, l.window)
	switch m.kind {
	case aggregateMeasure:
		return m.threshold.numbers(), key
	case countedMeasure:
		return numberSet{{cut{float64(m.counts.least), false}, cut{float64(m.counts.most), true}}}, key
	case happened, counted, latestMeasure:
	}
	return nil, ""
}

// numbers returns the numbers a threshold holds for.
func (t Threshold) numbers() numberSet {
	at := func(n float64, after bool) cut { return cut{n, after} }
	switch t.Op {
	case OpEq:
		return numberSet{{at(t.N, false), at(t.N, true)}}
	case OpNeq:
		return numberSet{{at(t.N, false), at(t.N, true)}}.complement()
	case OpLess:
		return numberSet{{lowest, at(t.N, false)}}
	case OpAtMost:
		return numberSet{{lowest, at(t.N, true)}}
	case OpMore:
		return numberSet{{at(t.N, true), highest}}
	case OpLeast:
		return numberSet{{at(t.N, false), highest}}
	case OpWithin:
		return numberSet{{at(t.N, false), at(t.M, true)}}
	case opOutside:
		return numberSet{{at(t.N, false), at(t.M, true)}}.complement()
	default:
		panic(fmt.Sprintf("settled: unknown threshold %q", t.Op))
	}
}

// doing is how often something was done, or was not.
type doing struct {
	event    string
	where    Predicate
	window   interval
	counts   counts
	positive bool
}

// doings are what follows of how often something was done from a leaf, or from its complement. Every measure of events
// takes one.
func doings(l eventLeaf, positive bool) []doing {
	d := doing{l.name, l.where, l.window, atLeastOnce, positive}
	switch {
	case l.measure.kind == counted:
		d.counts = l.measure.counts
	case l.measure.kind != happened && !positive:
		return nil
	}
	return []doing{d}
}

// contradict tells whether one doing says that there were more events than another allows among as many or more.
func contradict(all []doing) bool {
	for _, least := range all {
		if !least.positive {
			continue
		}
		for _, most := range all {
			if most.event == least.event && most.covers(least) && least.counts.least > most.bound() {
				return true
			}
			same := most.event == least.event && most.window == least.window && equalPredicates(most.where, least.where)
			if same && !most.positive && most.counts.least <= least.counts.least && least.counts.most <= most.counts.most {
				return true
			}
		}
	}
	return false
}

// bound is the greatest number of events that a doing allows.
func (d doing) bound() uint64 {
	switch {
	case d.positive:
		return d.counts.most
	case d.counts.most == math.MaxUint64 && d.counts.least > 0:
		return d.counts.least - 1
	}
	return math.MaxUint64
}

// covers tells whether every event of another doing is one of this.
func (d doing) covers(o doing) bool {
	return d.window.from <= o.window.from && o.window.to <= d.window.to && (d.where == nil || equalPredicates(d.where, o.where))
}

func equalPredicates(a, b Predicate) bool { return fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b) }
