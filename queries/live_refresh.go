package queries

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"muster"
)

// Part is some leaves that are read together: of all users, or of some. Where several sources are in one part, they are of events.
type Part struct {
	Sources []int // none: everyone, leaf zero
	Leaves  []int
	Some    bool             // only of the users whom the external table affected(part, actor) has for the part, which has its place among the parts
	Named   [][]muster.Actor // of these users, and perhaps of others; by place of the source in Sources, all of which are events. For few.
	Months  []uint32         // only the events of these months, by the client's clock; nil for all
}

// Refresh returns the statement that reads leaves again: the place of their part, their numbers and their users, as the states of
// bitmaps.
func (p *Plan) Refresh(parts []Part) Statement {
	s := newPrinter(p.scope)
	branches := make([]string, len(parts))
	for i, part := range parts {
		s.among = p.among(s, part, i)
		switch len(part.Sources) {
		case 0:
			branches[i] = s.everyoneLeaf()
		case 1:
			branches[i] = s.branch(p.sources[part.Sources[0]-1], part.Leaves, p.numbered(part.Leaves))
		default:
			branches[i] = s.eventsBranch(part.Leaves, leavesOf[eventLeaf](p.numbered(part.Leaves)))
		}
		branches[i] = "SELECT toUInt16(" + strconv.Itoa(i) + ") AS part, leaf, bitmap\nFROM (\n" + indent(branches[i]) + "\n)"
	}
	return s.statement(s.with() + "SELECT part, leaf, toString(bitmap) AS users\nFROM (\n" + indent(joinBranches(branches)) + "\n)\nSETTINGS optimize_move_to_prewhere_if_final = 1")
}

// numbered returns leaves by their numbers.
func (p *Plan) numbered(numbers []int) []leaf {
	all := make([]leaf, len(numbers))
	for i, n := range numbers {
		all[i] = p.leaves[n-1]
	}
	return all
}

// among prints the condition that a row is one that a part reads, with some others: who asks leaves them out of the sets. Pairs of
// an event and an actor would say it shortly, but ClickHouse does not look them up by the primary key; and to check each row
// against all pairs, event by event, takes longer than to read it. So the pairs are a hint.
func (p *Plan) among(s *sqlPrinter, part Part, place int) string {
	text := ""
	if part.Some {
		text += " AND actor IN (SELECT actor FROM affected WHERE part = " + strconv.Itoa(place) + ")"
	}
	if part.Named != nil {
		named := make([]string, len(part.Named))
		var all []muster.Actor
		for i, actors := range part.Named {
			named[i] = "(event = " + s.text(p.sources[part.Sources[i]-1].names[0]) + " AND actor IN " + s.bind("Array(UInt64)", unsigned(actors)) + ")"
			all = append(all, actors...)
		}
		slices.Sort(all)
		text += " AND actor IN " + s.bind("Array(UInt64)", unsigned(slices.Compact(all))) + " AND indexHint(" + joinedConditions(named, "OR") + ")"
	}
	if part.Months != nil {
		text += " AND toYYYYMM(ts) IN " + s.bind("Array(UInt32)", unsigned(part.Months))
	}
	return text
}

// eventsBranch prints the branch of leaves over several events, all of which ask whether something happened.
func (s *sqlPrinter) eventsBranch(numbers []int, leaves []eventLeaf) string {
	names, windows := make([]string, len(leaves)), make([]interval, len(leaves))
	for i, l := range leaves {
		names[i], windows[i] = l.name, l.window
	}
	slices.Sort(names)
	names = slices.Compact(names)
	all := hull(windows)
	columns, conditions := make([]string, len(leaves)), make([]string, len(leaves))
	for i, l := range leaves {
		conditions[i] = fmt.Sprintf("m%d", i)
		columns[i] = joinedConditions([]string{"event = " + s.text(l.name), s.matching(l.window, all, l.where)}, "AND") + " AS " + conditions[i]
	}
	return scan(numbers, "SELECT\n  "+uidOf+" AS uid,\n  "+strings.Join(columns, ",\n  ")+"\n"+s.eventsFrom(names, all), conditions)
}
