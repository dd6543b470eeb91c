package membership_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"

	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
	"muster/membership"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// TestStatesAreThoseOfClickHouse sends bitmaps of all sizes and shapes to ClickHouse and back.
func TestStatesAreThoseOfClickHouse(t *testing.T) {
	db := clickhousetest.DB(t)
	random := rand.New(rand.NewPCG(1, 1))
	for _, size := range []int{0, 1, 31, 32, 33, 1000, 200_000} {
		for _, limit := range []uint32{300_000, 1 << 31} {
			b := roaring.New()
			for n := 0; n < size; {
				if b.CheckedAdd(random.Uint32N(limit)) {
					n++
				}
			}
			state, err := membership.Encode(b)
			if err != nil {
				t.Fatal(err)
			}
			table, err := clickhouse.NewTable("sent", clickhouse.Column{Name: "state", Type: "String"})
			if err != nil {
				t.Fatal(err)
			}
			if err := table.Append(state); err != nil {
				t.Fatal(err)
			}
			var kept, made string
			var count uint64
			if err := db.QueryRow(clickhouse.WithTable(t.Context(), nil, table), `
				WITH CAST(state, 'AggregateFunction(groupBitmap, UInt32)') AS bitmap
				SELECT toString(bitmap), bitmapCardinality(bitmap), toString(bitmapBuild(bitmapToArray(bitmap))) FROM sent`).
				Scan(&kept, &count, &made); err != nil {
				t.Fatal(err)
			}
			if count != uint64(size) {
				t.Errorf("ClickHouse counts %d of %d uids", count, size)
			}
			for _, state := range []string{kept, made} {
				back, err := membership.Decode(state)
				if err != nil || !back.Equals(b) {
					t.Errorf("%d uids below %d come back as %d: %v", size, limit, back.GetCardinality(), err)
				}
			}
		}
	}
}

// TestBrokenStatesAreRefused cuts and changes a state.
func TestBrokenStatesAreRefused(t *testing.T) {
	few, many := "\x00\x01\x07\x00\x00\x00", ""
	b := roaring.New()
	b.AddRange(5, 90_000)
	many, err := membership.Encode(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{few, many} {
		if _, err := membership.Decode(state); err != nil {
			t.Fatal(err)
		}
		for n := range len(state) {
			if _, err := membership.Decode(state[:n]); err == nil {
				t.Errorf("the first %d of %d bytes are taken for a state", n, len(state))
			}
		}
		if _, err := membership.Decode("\x02" + state[1:]); err == nil {
			t.Error("a state of an unknown kind is taken for one: " + strconv.Quote(state))
		}
	}
}
