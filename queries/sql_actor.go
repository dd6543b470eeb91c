package queries

import (
	"fmt"
	"strings"
)

// everyone prints leaf 0: the users of the project that were seen by now, as branches and as the columns that are made of them, of
// which l0 is the leaf.
//
// Those first seen later are few or none, so the actors are looked up only where there are any, for another number: a user with several
// actors was seen when the first of them was. Who is not in the dictionary yet is left out: it could not be told whether they are late.
// Of some users all are looked up.
func (s *sqlPrinter) everyone(number, another int) (branches, columns []string) {
	known := fmt.Sprintf("groupBitmapMergeStateIf(bitmap, leaf = %d)", number)
	if !s.scope.KnownAt.IsZero() {
		rows := "SELECT " + uidOf + " AS uid\nFROM events FINAL\nWHERE project = " + s.project + " AND " + sighting + " <= " + s.now +
			s.known("received") + s.among
		return []string{scan([]int{number}, rows, []string{"uid != 0"})}, []string{known + " AS l0"}
	}
	if s.scope.Actors != nil {
		return []string{fmt.Sprintf("SELECT toUInt16(%d) AS leaf, groupBitmapState(uid) AS bitmap\nFROM (\n  SELECT uid\n  FROM (\n", number) +
			"    SELECT uid, true AS indexed, " + s.now + " AS seen FROM actors FINAL\n    WHERE project = " + s.project + " AND rank = 0" + s.among + "\n" +
			"    UNION ALL\n    SELECT " + uidOf + " AS uid, false AS indexed, first_seen AS seen FROM activity\n    WHERE project = " + s.project +
			s.among + "\n  )\n  GROUP BY uid\n  HAVING max(indexed) AND (min(indexed) OR minIf(seen, NOT indexed) <= " + s.now + ")\n)"}, []string{known + " AS l0"}
	}
	indexed := s.apart(Apart{kind: indexedUIDs})
	columns = []string{
		known + " AS known",
		"bitmapBuild(range(toUInt32(" + indexed + " + 1), toUInt32(greatest(" + indexed + ", bitmapMax(known)) + 1))) AS unknown",
	}
	if s.presumes(Apart{kind: lateUsers}) {
		return []string{s.users(number, "rank = 0")}, append(columns, "bitmapAndnot(known, unknown) AS l0")
	}
	late := s.apart(Apart{kind: lateUsers})
	branches = []string{
		s.users(number, "rank = 0"),
		fmt.Sprintf("SELECT toUInt16(%d) AS leaf, groupBitmapState(%s) AS bitmap\nFROM activity\nWHERE bitmapCardinality(%s) > 0 AND project = %s"+
			" AND first_seen <= %s%s AND bitmapContains(%s, %s)", another, uidOf, late, s.project, s.now, s.among, late, uidOf),
	}
	return branches, append(columns,
		fmt.Sprintf("bitmapAndnot(known, bitmapOr(unknown, bitmapAndnot(%s, groupBitmapMergeStateIf(bitmap, leaf = %d)))) AS l0", late, another))
}

// everyoneLeaf prints everyone as one branch.
func (s *sqlPrinter) everyoneLeaf() string {
	branches, columns := s.everyone(0, 1)
	return "SELECT toUInt16(0) AS leaf, l0 AS bitmap\nFROM (\n  SELECT\n    " + strings.Join(columns, ",\n    ") + "\n  FROM (\n" +
		indent(indent(joinBranches(branches))) + "\n  )\n)"
}

// identified prints the branch of the users with a user id.
func (s *sqlPrinter) identified(number int) string { return s.users(number, "kind = 'user'") }

// users prints the branch of the users of whom an actor is as asked, which is one of the conditions that the projection of table
// actors has. The projection has every user that an actor ever was, and those that nobody is any more. Of some users the actors are
// read.
func (s *sqlPrinter) users(number int, condition string) string {
	leaf := fmt.Sprintf("SELECT toUInt16(%d) AS leaf, ", number)
	if s.among != "" {
		return leaf + "groupBitmapState(uid) AS bitmap\nFROM actors FINAL\nWHERE project = " + s.project + " AND " + condition + s.among
	}
	return leaf + "bitmapAndnot(groupBitmapStateIf(uid, " + condition + "), bitmapBuild(groupUniqArrayArray(vacated))) AS bitmap\nFROM actors\nWHERE project = " +
		s.project
}
