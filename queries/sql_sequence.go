package queries

import (
	"fmt"
	"strconv"
	"strings"
)

// sequenceRows prints the rows of sequences over the same events and their conditions, one row per user.
//
// Of every matching event and step there is a pair, sorted by time and, at one time, with the later step first: so a step
// follows only from what was strictly earlier. Going through them, start[n] is when the latest chain of n steps so far
// began. Chains that began later replace earlier ones, since they have longer to complete.
func (s *sqlPrinter) sequenceRows(names []string, leaves []sequenceLeaf) (rows string, conditions []string) {
	windows := make([]interval, len(leaves))
	for i, l := range leaves {
		windows[i] = l.window
	}
	all := hull(windows)
	columns := make([]string, len(leaves))
	conditions = make([]string, len(leaves))
	for i, l := range leaves {
		columns[i] = fmt.Sprintf("arraySort(groupArrayArray(%s)) AS m%d", s.stepPairs(l, all), i)
		conditions[i] = s.completed(l, fmt.Sprintf("m%d", i))
	}
	return "SELECT\n  " + uidOf + " AS uid,\n  " + strings.Join(columns, ",\n  ") + "\n" + s.eventsFrom(names, all) + "\nGROUP BY uid",
		conditions
}

// stepPairs prints the pairs of one event: its time, and the negative number of each step it matches.
func (s *sqlPrinter) stepPairs(l sequenceLeaf, all interval) string {
	steps := make([]string, len(l.steps))
	for i, step := range l.steps {
		match := []string{"event = " + s.text(step.Event)}
		if in := s.matching(l.window, all, step.Where); in != "true" {
			match = append(match, in)
		}
		steps[i] = "if(" + joinedConditions(match, "AND") + ", " + strconv.Itoa(i+1) + ", 0)"
	}
	return "arrayMap(step -> (toUnixTimestamp64Milli(time), -toInt8(step)), arrayFilter(step -> step > 0, [" + strings.Join(steps, ", ") + "]))"
}

// completed prints that the pairs hold a chain of all steps that is short enough.
func (s *sqlPrinter) completed(l sequenceLeaf, pairs string) string {
	const none = "toInt64(-9223372036854775808)"
	last := len(l.steps)
	begun := "start[-pair.2 - 1] != " + none
	if l.complete != (Duration{}) {
		begun += " AND (-pair.2 < " + strconv.Itoa(last) + " OR pair.1 <= " + s.deadline(l.complete, "start[-pair.2 - 1]") + ")"
	}
	return fmt.Sprintf("arrayFold((start, pair) -> arrayMap((begin, step) -> multiIf(step != -pair.2, begin, step = 1, pair.1, "+
		"%s, start[-pair.2 - 1], begin), start, arrayEnumerate(start)), %s, arrayWithConstant(%d, %s))[%d] != %s",
		begun, pairs, last, none, last, none)
}

// deadline prints when a chain that began at a time must be complete.
func (s *sqlPrinter) deadline(d Duration, begin string) string {
	months := d.months()
	if months == 0 {
		return begin + " + " + s.bind("Int64", strconv.FormatInt(d.fixed().Milliseconds(), 10))
	}
	s.parameters["zone"] = Text(s.scope.Zone.String())
	return "toUnixTimestamp64Milli(addMonths(fromUnixTimestamp64Milli(" + begin + ", {zone:String}), " +
		s.bind("Int64", strconv.Itoa(months)) + "))"
}
