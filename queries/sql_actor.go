package queries

import "strconv"

// everyone prints leaf 0: the users of the project that were seen by now. Those first seen later are few or none, so the
// actors are looked up only where there are any; a user with several actors was seen when the first of them was. Who is not in the
// dictionary yet is left out: it could not be told whether they are late. Of some users all are looked up.
func (s *sqlPrinter) everyone() string {
	if !s.scope.KnownAt.IsZero() {
		rows := "SELECT " + uidOf + " AS uid\nFROM events FINAL\nWHERE project = " + s.project + " AND " + sighting + " <= " + s.now +
			s.known("received") + s.among
		return scan([]int{0}, rows, []string{"uid != 0"})
	}
	if s.scope.Actors != nil {
		return "SELECT toUInt16(0) AS leaf, groupBitmapState(uid) AS bitmap\nFROM (\n  SELECT uid\n  FROM (\n" +
			"    SELECT uid, true AS indexed, " + s.now + " AS seen FROM actors FINAL\n    WHERE project = " + s.project + " AND rank = 0" + s.among + "\n" +
			"    UNION ALL\n    SELECT " + uidOf + " AS uid, false AS indexed, first_seen AS seen FROM activity\n    WHERE project = " + s.project +
			s.among + "\n  )\n  GROUP BY uid\n  HAVING max(indexed) AND (min(indexed) OR minIf(seen, NOT indexed) <= " + s.now + ")\n)"
	}
	return "SELECT leaf, bitmap\nFROM (\n" + indent("WITH (\n  SELECT (dictGet('actor_uids', 'uid', toUInt64("+s.project+")), groupBitmapState("+uidOf+")) FROM activity\n"+
		"  WHERE project = "+s.project+" AND first_seen > "+s.now+s.among+"\n) AS late\n"+
		"SELECT\n  toUInt16(0) AS leaf,\n  groupBitmapMergeStateIf(users, indexed) AS known,\n"+
		"  bitmapBuild(range(toUInt32(late.1 + 1), toUInt32(greatest(late.1, bitmapMax(known)) + 1))) AS unknown,\n"+
		"  bitmapAndnot(known, bitmapOr(unknown, bitmapAndnot(late.2, groupBitmapMergeStateIf(users, NOT indexed)))) AS bitmap\nFROM (\n"+
		indent(s.users("rank = 0", "true AS indexed"))+"\n  UNION ALL\n"+
		"  SELECT false AS indexed, groupBitmapState(uid) AS users\n  FROM (\n    SELECT "+uidOf+" AS uid FROM activity\n"+
		"    WHERE bitmapCardinality(late.2) > 0 AND project = "+s.project+" AND first_seen <= "+s.now+s.among+
		" AND bitmapContains(late.2, uid)\n  )\n)") + "\n)"
}

// identified prints the branch of the users with a user id.
func (s *sqlPrinter) identified(number int) string {
	return "SELECT leaf, users AS bitmap\nFROM (\n" + indent(s.users("kind = 'user'", "toUInt16("+strconv.Itoa(number)+") AS leaf")) + "\n)"
}

// users prints a row with the users of whom an actor is as asked, which is one of the conditions that the projection of table
// actors has, and with a constant. The projection has every user that an actor ever was, and those that nobody is any more. Of some
// users the actors are read.
func (s *sqlPrinter) users(condition, constant string) string {
	if s.among != "" {
		return "SELECT " + constant + ", groupBitmapState(uid) AS users\nFROM actors FINAL\nWHERE project = " + s.project + " AND " + condition + s.among
	}
	return "SELECT " + constant + ", bitmapAndnot(groupBitmapStateIf(uid, " + condition + "), bitmapBuild(groupUniqArrayArray(vacated))) AS users\n" +
		"FROM actors\nWHERE project = " + s.project
}
