package queries

import (
	"fmt"
	"strconv"
	"strings"
)

// sequenceRows prints the rows of sequences over the same events and their conditions: one row per user who did one of them, or
// may have.
func (s *sqlPrinter) sequenceRows(names []string, leaves []sequenceLeaf) (rows string, conditions []string) {
	windows := make([]interval, len(leaves))
	for i, l := range leaves {
		windows[i] = l.window
	}
	all := hull(windows)
	columns := []string{uidOf + " AS uid"}
	some := make([]string, len(leaves)) // what holds for whoever did a sequence; who did none of them has no row
	conditions = make([]string, len(leaves))
	for i, l := range leaves {
		column := fmt.Sprintf("m%d", i)
		if l.isFunnel() {
			columns = append(columns, s.funnel(l, all)+" AS "+column)
			some[i], conditions[i] = column, column
			continue
		}
		times := s.stepTimes(l, all, column)
		columns = append(columns, times.columns()...)
		some[i] = joinedConditions(append(times.each("notEmpty(%s)"),
			"arrayMin("+times.names[0]+") < arrayMax("+times.names[len(times.names)-1]+")"), "AND")
		conditions[i] = s.completed(l, times.pairs())
		if len(leaves) > 1 { // a row may be there for another
			conditions[i] = some[i] + " AND " + conditions[i]
		}
	}
	return "SELECT\n  " + strings.Join(columns, ",\n  ") + "\n" + s.eventsFrom(names, all) + "\nGROUP BY uid\nHAVING " +
		strings.Join(some, " OR "), conditions
}

// stepTimes are the columns with the times of each step of a sequence, in milliseconds.
type stepTimes struct{ names, expressions []string }

// stepTimes prints when each step of a sequence was done, in columns whose names begin with a prefix.
func (s *sqlPrinter) stepTimes(l sequenceLeaf, all interval, prefix string) stepTimes {
	var t stepTimes
	for i, step := range l.steps {
		match := []string{"event = " + s.text(step.Event)}
		if in := s.matching(l.window, all, step.Where); in != "true" {
			match = append(match, in)
		}
		t.names = append(t.names, prefix+"_"+strconv.Itoa(i+1))
		t.expressions = append(t.expressions, "groupArrayIf(toUnixTimestamp64Milli(time), "+joinedConditions(match, "AND")+")")
	}
	return t
}

func (t stepTimes) columns() []string {
	all := make([]string, len(t.names))
	for i, name := range t.names {
		all[i] = t.expressions[i] + " AS " + name
	}
	return all
}

// each prints something of every column.
func (t stepTimes) each(format string) []string {
	all := make([]string, len(t.names))
	for i, name := range t.names {
		all[i] = fmt.Sprintf(format, name)
	}
	return all
}

// pairs prints the pairs, in their order: a time, and the negative number of the step that was done then.
func (t stepTimes) pairs() string {
	all := make([]string, len(t.names))
	for i, name := range t.names {
		all[i] = fmt.Sprintf("arrayMap(at -> (at, toInt8(-%d)), %s)", i+1, name)
	}
	return "arraySort(arrayConcat(" + strings.Join(all, ", ") + "))"
}

// completed prints that the pairs hold a chain of all steps that is short enough.
//
// Of every matching event and step there is a pair, sorted by time and, at one time, with the later step first: so a step
// follows only from what was strictly earlier. Going through them, start[n] is when the latest chain of n steps so far
// began. Chains that began later replace earlier ones, since they have longer to complete.
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
