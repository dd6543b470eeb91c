package queries

import "time"

// Span is when something must be, with its ends as they are said: "the last 7 days" begins after the instant seven days ago
// and ends with now.
type Span struct {
	From, To                 *time.Time // nil for no end
	FromIncluded, ToIncluded bool
}

// windowSpan returns when events count.
func (c clock) windowSpan(w Window) *Span {
	in := c.window(w)
	s := &Span{ToIncluded: true}
	end := c.now.UnixMilli()
	if w.To != "" && in.to <= end {
		end, s.ToIncluded = in.to, false
	}
	s.To = instantOf(end)
	switch {
	case w.Within != Duration{}:
		s.From = instantOf(in.from - 1)
	case in.from != beginning:
		s.From, s.FromIncluded = instantOf(in.from), true
	}
	return s
}

// openFrom and closedTo are the operators whose spans begin after the instant that is said, and end with it.
var (
	openFrom = map[Op]bool{OpAfter: true, OpWithinLast: true, OpWithinNext: true, OpMoreAhead: true}
	closedTo = map[Op]bool{OpWithinLast: true, OpMoreThanAgo: true, OpWithinNext: true}
)

// comparisonSpan returns when a comparison asks a time to be, or nil where it asks for no time.
func (c clock) comparisonSpan(x Comparison) *Span {
	if !x.Operand.Kind.isTime() {
		return nil
	}
	in := c.pin(x).Operand.span
	s := &Span{}
	if in.from != beginning {
		if s.FromIncluded = !openFrom[x.Op]; !s.FromIncluded {
			in.from--
		}
		s.From = instantOf(in.from)
	}
	if in.to != forever {
		if s.ToIncluded = closedTo[x.Op]; s.ToIncluded {
			in.to--
		}
		s.To = instantOf(in.to)
	}
	return s
}

func instantOf(ms int64) *time.Time {
	t := time.UnixMilli(ms).UTC()
	return &t
}
