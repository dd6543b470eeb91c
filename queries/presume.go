package queries

import (
	"fmt"
	"slices"
)

// Presumption is a statement that counts like that of [Plan.Counts] where nobody is in some sets of users to be told apart. It
// does without what tells those apart, which takes ClickHouse less time to plan. What it counts is right where it finds nobody of them.
type Presumption struct {
	Statement // with one more column: what it found, for [Presumption.Wrong]

	presumed []Apart
}

// Presume returns the statement that counts like that of [Plan.Counts], and presumes that there are no users to be told apart
// but those in the sets that are told apart.
func (p *Plan) Presume(sample int, told func(Apart) bool) Presumption {
	s := newPrinter(p.scope)
	s.told = told
	text := p.printWith(s, nil)
	found := noneFound
	if len(s.presumed) > 0 {
		found = foundColumn
	}
	return Presumption{s.statement(text + s.counts(sample) + ",\n  " + found + "\nFROM results\nORDER BY target"), s.presumed}
}

// Wrong returns the sets that are not empty, given what was found. Where there is one the statement counted in vain.
func (p Presumption) Wrong(found []uint32) []Apart {
	look := apartLook{sets: p.presumed}
	var wrong []Apart
	for _, set := range p.presumed {
		if slices.ContainsFunc(look.abouts(set), func(about int) bool { return slices.Contains(found, uint32(about)) }) {
			wrong = append(wrong, set)
		}
	}
	return wrong
}

const (
	foundColumn = "found"
	noneFound   = "emptyArrayUInt32() AS " + foundColumn
)

// presumes tells whether a set is presumed to be empty. Those of some users are not: what is evaluated of these is read at once.
func (s *sqlPrinter) presumes(set Apart) bool {
	if s.told == nil || s.among != "" || s.told(set) {
		return false
	}
	if !slices.Contains(s.presumed, set) {
		s.presumed = append(s.presumed, set)
	}
	return true
}

// presumption prints the branch that looks for users in the presumed sets, as a leaf, and the column that tells what it found.
func (s *sqlPrinter) presumption(number int) (branch string, found named) {
	look := apartLook{sets: s.presumed}
	return fmt.Sprintf("SELECT toUInt16(%d) AS leaf, groupBitmapState(toUInt32(about)) AS bitmap\nFROM (\n%s\n)", number, indent(joinBranches(s.apartRows(look)))),
		named{foundColumn, fmt.Sprintf("bitmapToArray(groupBitmapMergeStateIf(bitmap, leaf = %d))", number)}
}
