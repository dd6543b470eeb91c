package queries

import (
	"strconv"

	"github.com/google/uuid"
)

// SegmentsOf returns the statement for which segments have a user among their members, each at a run of its own: the run's
// base and its step over it. The user is in when it is in the base and moved an even number of times since, or the
// other way round.
func SegmentsOf(scope Scope, uid uint32, segments []string, bases []uuid.UUID, steps []uint32) Statement {
	s := newPrinter(scope)
	of := "project = " + s.project + " AND segment IN " + s.texts(segments)
	base, step := s.bind("Array(UUID)", UUIDs(bases)), s.bind("Array(UInt32)", unsigned(steps))
	return s.statement("SELECT segment\nFROM segment_members\nWHERE " + of + " AND (has(" + base + ", run) OR run IN (\n" +
		"  SELECT run FROM segment_runs\n  WHERE " + of + " AND has(" + base + ", base) AND step <= " + step + "[indexOf(" + base + ", base)]))" +
		" AND if(has(" + base + ", run), " + s.holds("members", uid) + ", " + s.holds("entered", uid) + " OR " + s.holds("exited", uid) + ")\n" +
		"GROUP BY segment\nHAVING count() % 2 = 1\nORDER BY segment")
}

// Entered returns the statement for when a user entered segments for the last time: the segment, and as of when the run was.
func Entered(scope Scope, uid uint32, segments []string) Statement {
	s := newPrinter(scope)
	of := "project = " + s.project + " AND segment IN " + s.texts(segments)
	return s.statement("SELECT segment, max(as_of) AS since\nFROM segment_runs\nWHERE " + of +
		" AND (segment, run) IN (\n  SELECT segment, run FROM segment_members WHERE " + of + " AND " + s.holds("entered", uid) +
		"\n)\nGROUP BY segment")
}

// holds prints that a column of segment_members has a user.
func (s *sqlPrinter) holds(column string, uid uint32) string {
	return "bucket = " + s.bind("UInt16", strconv.Itoa(int(uid/BucketSize))) + " AND bitmapContains(" + column + ", " +
		s.bind("UInt32", strconv.FormatUint(uint64(uid), 10)) + ")"
}
