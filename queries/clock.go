package queries

import (
	"fmt"
	"math"
	"time"
)

// interval is a range of milliseconds since the epoch: from, in, to to, out.
type interval struct{ from, to int64 }

// The ends of time.
const (
	beginning = math.MinInt64
	forever   = math.MaxInt64
)

func (i interval) empty() bool { return i.from >= i.to }

// clock is the pinned now and the project's zone: all it takes to turn what is said of time into intervals.
type clock struct {
	now  time.Time
	zone *time.Location
}

// window returns when events count. Events after now never do.
func (c clock) window(w Window) interval {
	end := c.now.UnixMilli() + 1
	switch {
	case w.Within != Duration{}:
		return interval{c.ago(w.Within) + 1, end}
	case w.To != "":
		return interval{c.millis(w.From), min(c.millis(w.To), end)}
	case w.From != "":
		return interval{c.millis(w.From), end}
	default:
		return interval{beginning, end}
	}
}

// pin turns an operator over times into an interval, and leaves the others as they are.
func (c clock) pin(x Comparison) Comparison {
	if !x.Operand.Kind.isTime() {
		return x
	}
	return Comparison{Op: opDuring, Operand: Operand{Kind: intervalOperand, span: spans[x.Op](c, x.Operand)}}
}

// spans are what the operators over times mean.
var spans = map[Op]func(clock, Operand) interval{
	OpBefore: func(c clock, o Operand) interval { return interval{beginning, c.millis(o.From)} },
	OpAfter:  func(c clock, o Operand) interval { return interval{c.millis(o.From) + 1, forever} },
	OpOn: func(c clock, o Operand) interval {
		start, end := o.From.day(c.zone)
		return interval{start.UnixMilli(), end.UnixMilli()}
	},
	OpBetween:     func(c clock, o Operand) interval { return interval{c.millis(o.From), c.millis(o.To)} },
	OpWithinLast:  func(c clock, o Operand) interval { return interval{c.ago(o.Duration) + 1, c.now.UnixMilli() + 1} },
	OpMoreThanAgo: func(c clock, o Operand) interval { return interval{beginning, c.ago(o.Duration) + 1} },
	OpWithinNext:  func(c clock, o Operand) interval { return interval{c.now.UnixMilli() + 1, c.ahead(o.Duration) + 1} },
	OpMoreAhead:   func(c clock, o Operand) interval { return interval{c.ahead(o.Duration) + 1, forever} },
}

// predicate pins the comparisons of a predicate.
func (c clock) predicate(p Predicate) Predicate {
	switch p := p.(type) {
	case nil:
		return nil
	case AllOf:
		return AllOf{c.predicates(p.Of)}
	case AnyOf:
		return AnyOf{c.predicates(p.Of)}
	case NotOf:
		return NotOf{c.predicate(p.Of)}
	case Property:
		return Property{p.Path, c.pin(p.Comparison)}
	default:
		panic(fmt.Sprintf("clock: unknown predicate %T", p))
	}
}

func (c clock) predicates(of []Predicate) []Predicate {
	pinned := make([]Predicate, len(of))
	for i, p := range of {
		pinned[i] = c.predicate(p)
	}
	return pinned
}

func (c clock) millis(m Moment) int64 { return m.in(c.zone).UnixMilli() }

func (c clock) ago(d Duration) int64 { return d.before(c.now, c.zone).UnixMilli() }

func (c clock) ahead(d Duration) int64 { return d.after(c.now, c.zone).UnixMilli() }
