package queries

import (
	"testing"
	"time"
)

func TestDurationsFromATime(t *testing.T) {
	for _, c := range []struct{ zone, from, duration, before, after string }{
		{"UTC", "2026-03-31T12:00:00Z", "90s", "2026-03-31T11:58:30Z", "2026-03-31T12:01:30Z"},
		{"UTC", "2026-03-31T12:00:00Z", "1mo", "2026-02-28T12:00:00Z", "2026-04-30T12:00:00Z"},
		{"UTC", "2024-02-29T12:00:00Z", "1y", "2023-02-28T12:00:00Z", "2025-02-28T12:00:00Z"},
		{"UTC", "2024-02-29T12:00:00Z", "4y", "2020-02-29T12:00:00Z", "2028-02-29T12:00:00Z"},
		{"UTC", "2026-01-31T00:00:00.001Z", "13mo", "2024-12-31T00:00:00.001Z", "2027-02-28T00:00:00.001Z"},
		// A day is 24 hours, and not the calendar's, on which the clocks change.
		{"Europe/Paris", "2026-03-29T12:00:00+02:00", "1d", "2026-03-28T11:00:00+01:00", "2026-03-30T12:00:00+02:00"},
		{"Europe/Paris", "2026-03-30T12:00:00+02:00", "1w", "2026-03-23T11:00:00+01:00", "2026-04-06T12:00:00+02:00"},
		// A month keeps the time on the wall, and the day of the zone: in Paris it is March 31 already.
		{"Europe/Paris", "2026-04-28T12:00:00+02:00", "1mo", "2026-03-28T12:00:00+01:00", "2026-05-28T12:00:00+02:00"},
		{"Europe/Paris", "2026-03-30T22:30:00Z", "1mo", "2026-02-28T00:30:00+01:00", "2026-04-30T00:30:00+02:00"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		parse := func(text string) time.Time {
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				t.Fatal(err)
			}
			return at
		}
		d, err := parseDuration(c.duration)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.before(parse(c.from), zone); !got.Equal(parse(c.before)) {
			t.Errorf("%s before %s is %v, not %s", c.duration, c.from, got, c.before)
		}
		if got := d.after(parse(c.from), zone); !got.Equal(parse(c.after)) {
			t.Errorf("%s after %s is %v, not %s", c.duration, c.from, got, c.after)
		}
	}
}
