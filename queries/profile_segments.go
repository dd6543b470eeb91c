package queries

import (
	"strconv"

	"github.com/google/uuid"
)

// SegmentsOf returns the statement for which segments have a user among their members, each at a run of its own.
func SegmentsOf(scope Scope, uid uint32, segments []string, runs []uuid.UUID) Statement {
	s := newPrinter(scope)
	return s.statement("SELECT segment\nFROM segment_members\nWHERE project = " + s.project + " AND segment IN " + s.texts(segments) +
		" AND has(" + s.bind("Array(UUID)", UUIDs(runs)) + ", run) AND " + s.holds("members", uid) + "\nORDER BY segment")
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
	return "bucket = " + s.bind("UInt16", strconv.Itoa(int(uid/bucketSize))) + " AND bitmapContains(" + column + ", " +
		s.bind("UInt32", strconv.FormatUint(uint64(uid), 10)) + ")"
}
