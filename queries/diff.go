package queries

import "strconv"

// Diff returns the statement that compares the first target with the second: one row with how many users there are; how
// many are in the first and in the second; and of those who enter with the second, leave with it and stay, how many there
// are and the uids of the first, up to sample.
func (p *Plan) Diff(sample int) Statement {
	s, text := p.print()
	n := s.bind("UInt64", strconv.Itoa(sample))
	return s.statement(text + "SELECT\n  bitmapCardinality(every) AS of,\n  bitmapCardinality(former) AS size_before,\n" +
		"  bitmapCardinality(latter) AS size_after,\n" +
		"  arrayMap(moved -> bitmapCardinality(moved), [entering, leaving, staying]) AS sizes,\n" +
		"  arrayMap(moved -> arraySort(bitmapToArray(bitmapSubsetLimit(moved, 0, " + n + "))), [entering, leaving, staying]) AS samples\nFROM (\n" +
		"  SELECT\n    every,\n    former,\n    latter,\n    bitmapAndnot(latter, former) AS entering,\n" +
		"    bitmapAndnot(former, latter) AS leaving,\n    bitmapAnd(former, latter) AS staying\n  FROM (\n" +
		"    SELECT\n      groupBitmapMergeStateIf(members, target = 0) AS former,\n" +
		"      groupBitmapMergeStateIf(members, target = 1) AS latter,\n      groupBitmapMergeState(everyone) AS every\n    FROM results\n  )\n)")
}
