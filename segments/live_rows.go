package segments

import (
	"context"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"

	"muster"
	"muster/clickhouse"
	"muster/membership"
	"muster/queries"
)

// insertSize is about how many bytes of bitmaps one insert carries.
const insertSize = 16 << 20

// memberRows inserts rows into segment_members, some at a time.
type memberRows struct {
	evaluator *Evaluator
	project   muster.ProjectID
	table     *clickhouse.Table
	bytes     int
	users     *roaring.Bitmap // who are in any of the rows
}

// add keeps a run: its changes, and its members where they are kept whole. Buckets without any have no row.
func (r *memberRows) add(ctx context.Context, run Run, members *roaring.Bitmap, c change) error {
	if members == nil {
		members = roaring.New()
	}
	sets := []*roaring.Bitmap{members, c.entered, c.exited}
	for _, set := range sets {
		r.users.Or(set)
	}
	for _, bucket := range bucketsOf(sets) {
		row := []any{run.Segment, run.ID, bucket}
		for _, set := range sets {
			state, err := membership.Encode(inBucket(set, bucket))
			if err != nil {
				return err
			}
			row = append(row, state)
			r.bytes += len(state)
		}
		if r.table == nil {
			var err error
			r.table, err = clickhouse.NewTable("changes", clickhouse.Column{Name: "segment", Type: "String"}, clickhouse.Column{Name: "run", Type: "UUID"},
				clickhouse.Column{Name: "bucket", Type: "UInt16"}, clickhouse.Column{Name: "members", Type: "String"},
				clickhouse.Column{Name: "entered", Type: "String"}, clickhouse.Column{Name: "exited", Type: "String"})
			if err != nil {
				return fmt.Errorf("keep members: %w", err)
			}
		}
		if err := r.table.Append(row...); err != nil {
			return fmt.Errorf("keep members: %w", err)
		}
	}
	if r.bytes >= insertSize {
		return r.send(ctx)
	}
	return nil
}

// bucketsOf returns the buckets of uids in which a set has any.
func bucketsOf(sets []*roaring.Bitmap) []uint16 {
	var buckets []uint16
	for all := roaring.FastOr(sets...); !all.IsEmpty(); {
		bucket := uint16(all.Minimum() / queries.BucketSize)
		buckets = append(buckets, bucket)
		all.RemoveRange(0, (uint64(bucket)+1)*queries.BucketSize)
	}
	return buckets
}

// inBucket returns the part of a set that is in a bucket.
func inBucket(set *roaring.Bitmap, bucket uint16) *roaring.Bitmap {
	part := roaring.New()
	if set.IsEmpty() {
		return part
	}
	part.AddRange(uint64(bucket)*queries.BucketSize, (uint64(bucket)+1)*queries.BucketSize)
	part.And(set)
	return part
}

// send inserts what was added.
func (r *memberRows) send(ctx context.Context) error {
	if r.table == nil {
		return nil
	}
	err := r.evaluator.db.Exec(clickhouse.WithTable(ctx, clickhouse.Parameters{"project": number(r.project)}, r.table), `
		INSERT INTO segment_members (project, segment, run, bucket, members, entered, exited)
		SELECT {project:UInt32}, segment, run, bucket, CAST(members, 'AggregateFunction(groupBitmap, UInt32)'),
			CAST(entered, 'AggregateFunction(groupBitmap, UInt32)'), CAST(exited, 'AggregateFunction(groupBitmap, UInt32)')
		FROM changes`)
	if err != nil {
		return failed(ctx, "keep members", err)
	}
	r.table, r.bytes = nil, 0
	return nil
}
