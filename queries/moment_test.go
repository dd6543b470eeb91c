package queries

import (
	"slices"
	"testing"
	"time"

	"muster/clickhouse/clickhousetest"
)

// TestDatesAreKeptAsDays inserts texts that are dates, or nearly, and has both tables keep the same days as Go.
func TestDatesAreKeptAsDays(t *testing.T) {
	db := clickhousetest.DB(t)
	texts := append(slices.Clone(nasty), loose...)
	batch, err := db.PrepareBatch(t.Context(), `INSERT INTO attribute_snapshots (project, attribute, actor, ts, message, time, received, source, kind, text)`)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, text := range texts {
		if err := batch.Append(uint32(1), "renewal", uint64(2*i), at, uint64(i), at, at, "custom", "text", text); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Append(uint32(1), "renewal", uint64(2*len(texts)), at, uint64(0), at, at, "custom", "boolean", "2026-01-31"); err != nil {
		t.Fatal(err)
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"attribute_snapshots", "latest_attributes"} {
		rows, err := db.Query(t.Context(), `SELECT actor, day FROM `+table+` FINAL ORDER BY actor`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		n := 0
		for ; rows.Next(); n++ {
			var actor uint64
			var day *int32
			if err := rows.Scan(&actor, &day); err != nil {
				t.Fatal(err)
			}
			if int(actor/2) == len(texts) {
				if day != nil {
					t.Errorf("%s has a boolean as day %d", table, *day)
				}
				continue
			}
			text := texts[actor/2]
			start, isDay := dayOf(text, time.UTC)
			switch {
			case isDay != (day != nil):
				t.Errorf("%s has %q as a day: %v, in Go %v", table, text, day != nil, isDay)
			case isDay && int64(*day)*dayMillis != start:
				t.Errorf("%s has %q as day %d, in Go it begins at %d", table, text, *day, start)
			}
		}
		if err := rows.Err(); err != nil || n != len(texts)+1 {
			t.Errorf("%s has %d of %d rows: %v", table, n, len(texts)+1, err)
		}
	}
}

// TestDaysIn has a day in an interval exactly where its beginning is, also where a zone leaves a day out and where ClickHouse's days
// end.
func TestDaysIn(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Paris", "America/Havana", "Pacific/Apia", "Pacific/Kiritimati", "Etc/GMT+12"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, around := range []int64{-719_528, -25_567, -1, 0, 15_338, 20_483, 120_530, 2_932_896} {
			for day := around - 3; day <= around+3; day++ {
				for _, off := range []int64{-1, 0, 1} {
					from := dayStart(day, zone) + off
					for d := around - 6; d <= around+6; d++ {
						in := daysIn(interval{from, from + 2*dayMillis}, zone)
						start := dayStart(d, zone)
						if got, want := d >= in.from && d < in.to, start >= from && start < from+2*dayMillis; got != want {
							t.Fatalf("%s: day %d, which begins at %d, is in the 48 hours from %d: %v, want %v", name, d, start, from, got, want)
						}
					}
				}
			}
		}
	}
	if got := daysIn(interval{beginning, forever}, time.UTC); got != (interval{beginning, forever}) {
		t.Errorf("the days of all time are %v", got)
	}
}
