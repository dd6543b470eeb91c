package queries

import (
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// BucketSize is the number of uids in one row of segment_members.
const BucketSize = 1 << 20

// Counts returns the statement that counts: per target its number, how many members it has, how many users there are, and the
// uids of the first members, up to sample.
func (p *Plan) Counts(sample int) Statement {
	s, text := p.print()
	return s.statement(text + s.counts(sample) + "\nFROM results\nORDER BY target")
}

// counts prints what of the results counts.
func (s *sqlPrinter) counts(sample int) string {
	return "SELECT\n  target,\n  bitmapCardinality(members) AS size,\n  bitmapCardinality(everyone) AS of,\n" +
		"  bitmapToArray(bitmapSubsetLimit(members, 0, " + s.bind("UInt64", strconv.Itoa(sample)) + ")) AS sample"
}

// Page returns the statement for a page of the first target's members: how many there are in all, and the uids of the first
// limit that come after a uid, in their order. ClickHouse keeps a small bitmap unsorted.
func (p *Plan) Page(after uint32, limit int) Statement {
	s, text := p.print()
	from := s.bind("UInt32", strconv.FormatUint(uint64(after)+1, 10))
	n := s.bind("UInt64", strconv.Itoa(limit))
	return s.statement(text + "SELECT\n  bitmapCardinality(members) AS size,\n  arraySort(bitmapToArray(bitmapSubsetLimit(members, " + from +
		", " + n + "))) AS page\nFROM results\nWHERE target = 0")
}

// Run names a materialization of a target, and the run it is compared with: the base that keeps that run's members whole, and
// how many steps after the base it is. They are zero where there is none.
type Run struct {
	ID, Base uuid.UUID
	Step     uint32
}

// Materialize returns the statement that keeps the members of every target, whose ids are those of segments, and who entered
// and exited since the runs before: one row per segment and bucket of uids.
func (p *Plan) Materialize(runs []Run) Statement {
	size := strconv.Itoa(BucketSize)
	// ClickHouse goes through all of a bitmap to take a range of it: everyone is cut once, and the members are met with that.
	s, text := p.print(
		named{"buckets", "range(toUInt32(intDiv(bitmapMax(l0), " + size + ") + 1))"},
		named{"within", "arrayMap(b -> bitmapSubsetInRange(l0, toUInt32(b * " + size + "), toUInt32((b + 1) * " + size + ")), buckets)"},
	)
	var segments, steps []string
	var ids, bases []uuid.UUID
	for i, run := range runs {
		segments = append(segments, p.targets[i].ID)
		ids = append(ids, run.ID)
		bases = append(bases, run.Base)
		steps = append(steps, strconv.FormatUint(uint64(run.Step), 10))
	}
	segment := s.texts(segments)
	fresh, base := s.bind("Array(UUID)", UUIDs(ids)), s.bind("Array(UUID)", UUIDs(bases))
	step := s.bind("Array(UInt32)", "["+strings.Join(steps, ",")+"]")
	return s.statement("INSERT INTO segment_members (project, segment, run, bucket, members, entered, exited)\n" + text +
		"SELECT\n  " + s.project + ",\n  " + segment + "[target + 1],\n  " + fresh + "[target + 1],\n  bucket,\n  now_members,\n" +
		"  bitmapAndnot(now_members, then_members),\n  bitmapAndnot(then_members, now_members)\nFROM (\n" +
		"  SELECT target, bucket, groupBitmapMergeState(fresh) AS now_members, groupBitmapXorState(old) AS then_members\n  FROM (\n" +
		"    SELECT target, toUInt16(number) AS bucket, bitmapAnd(members, part) AS fresh, bitmapBuild(emptyArrayUInt32()) AS old\n" +
		"    FROM results\n    ARRAY JOIN buckets AS number, within AS part\n    UNION ALL\n" +
		"    SELECT\n      toUInt16(indexOf(" + segment + ", segment) - 1) AS target,\n      bucket,\n      bitmapBuild(emptyArrayUInt32()) AS fresh,\n" +
		"      if(has(" + base + ", run), members, bitmapOr(entered, exited)) AS old\n    FROM segment_members\n" +
		"    WHERE project = " + s.project + " AND segment IN " + segment + " AND (has(" + base + ", run) OR run IN (\n" +
		"      SELECT run FROM segment_runs\n      WHERE project = " + s.project + " AND segment IN " + segment + " AND has(" + base + ", base)" +
		" AND step <= " + step + "[indexOf(" + base + ", base)]))\n  )\n  GROUP BY target, bucket\n)\n" +
		"WHERE bitmapCardinality(now_members) > 0 OR bitmapCardinality(then_members) > 0")
}
