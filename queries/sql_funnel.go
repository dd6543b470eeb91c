package queries

import (
	"fmt"
	"strings"
)

// isFunnel tells whether windowFunnel of ClickHouse finds a sequence: an event can only be one of its steps, and how long it may
// take does not depend on a calendar.
func (l sequenceLeaf) isFunnel() bool {
	_, names := sourceOf(l)
	return len(names) == len(l.steps) && l.complete.months() == 0
}

// longestFunnel is longer than all times, and far from where a sum with one is no UInt64 any more.
const longestFunnel = 1 << 62

// funnel prints that a user did all steps of a sequence that [sequenceLeaf.isFunnel] tells of.
//
// windowFunnel goes through the events by time, and forgets a chain of n steps for one that began later. Events of one time it
// takes in any order, so one step would follow another of its own time, or be followed by none since the chain before it was
// forgotten. So it is given, of n steps, n times the time and the number of steps to come: at one time the later step is first.
// A chain that takes d in time then takes n*d less the n-1 steps to come when it began, and one that takes a millisecond more
// takes at least one more than that.
func (s *sqlPrinter) funnel(l sequenceLeaf, all interval) string {
	n := len(l.steps)
	key := []string{fmt.Sprintf("toUInt64(toUnixTimestamp64Milli(time)) * %d", n)}
	steps := make([]string, n)
	for i, step := range l.steps {
		is := "event = " + s.text(step.Event)
		if toCome := n - 1 - i; toCome > 0 {
			key = append(key, fmt.Sprintf("%d * (%s)", toCome, is))
		}
		steps[i] = is
		if in := s.matching(l.window, all, step.Where); in != "true" {
			steps[i] = joinedConditions([]string{is, in}, "AND")
		}
	}
	longest := uint64(longestFunnel)
	if l.complete != (Duration{}) {
		longest = uint64(l.complete.fixed().Milliseconds()*int64(n) - int64(n-1))
	}
	return fmt.Sprintf("windowFunnel(%s)(%s, %s) = %d", s.count(longest), strings.Join(key, " + "), strings.Join(steps, ", "), n)
}
