package ingest

import (
	"testing"
	"time"
)

func TestParseTimestamp(t *testing.T) {
	for _, c := range []struct {
		in   string
		want string // empty for none
	}{
		{"2024-05-01T12:00:00Z", "2024-05-01T12:00:00.000Z"},
		{"2024-05-01T12:00:00.123Z", "2024-05-01T12:00:00.123Z"}, // JavaScript's toISOString
		{"2024-05-01T12:00:00.123456789+02:00", "2024-05-01T10:00:00.123Z"},
		{"2024-05-01T12:00:00.000+0000", "2024-05-01T12:00:00.000Z"}, // Java's
		{"2024-05-01T00:30:00-0130", "2024-05-01T02:00:00.000Z"},
		{"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"},
		{"1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"},
		{"2023-02-29T00:00:00Z", ""},
		{"2024-05-01T12:00:00", ""},
		{"2024-05-01 12:00:00Z", ""},
		{"2024-05-01", ""},
		{"2024-05-01T25:00:00Z", ""},
		{"1714564800", ""},
		{" 2024-05-01T12:00:00Z", ""},
		{"", ""},
	} {
		got, ok := parseTimestamp(c.in)
		if ok != (c.want != "") {
			t.Errorf("%q was read: %v", c.in, ok)
			continue
		}
		if text := time.UnixMilli(got).UTC().Format("2006-01-02T15:04:05.000Z07:00"); ok && text != c.want {
			t.Errorf("%q is %s, not %s", c.in, text, c.want)
		}
	}
}

func TestStampCorrectsTheClientsClock(t *testing.T) {
	ms := func(text string) int64 {
		n, ok := parseTimestamp("2024-05-01T" + text + "Z")
		if !ok {
			t.Fatal(text)
		}
		return n
	}
	received := time.UnixMilli(ms("12:00:00"))
	for _, c := range []struct {
		name              string
		timestamp, sentAt string
		ts, time          int64
	}{
		{"neither is known", "", "", 0, ms("12:00:00")},
		{"only when it was sent", "", "11:00:00", 0, ms("12:00:00")},
		{"only when it happened", "11:59:00", "", ms("11:59:00"), ms("11:59:00")},
		{"an hour late", "10:59:00", "11:00:00", ms("10:59:00"), ms("11:59:00")},
		{"an hour early", "12:59:00", "13:00:00", ms("12:59:00"), ms("11:59:00")},
		{"a minute late", "11:58:00", "11:59:00", ms("11:58:00"), ms("11:59:00")},
		{"long on its way", "11:58:00", "11:59:00.001", ms("11:58:00"), ms("11:58:00")},
		{"a little early", "11:58:00", "12:00:59.999", ms("11:58:00"), ms("11:58:00")},
	} {
		r, m := request{received: received}, Message{}
		if c.sentAt != "" {
			r.sentAt, r.hasSent = ms(c.sentAt), true
		}
		var timestamp int64
		if c.timestamp != "" {
			timestamp = ms(c.timestamp)
		}
		if rejection := r.stamp(&m, timestamp, c.timestamp != ""); rejection != nil {
			t.Fatal(c.name, rejection)
		}
		if m.Timestamp != c.ts || m.Time != c.time {
			t.Errorf("%s: stamped %d and %d, not %d and %d", c.name, m.Timestamp, m.Time, c.ts, c.time)
		}
	}
}

func TestStampJudgesTheCorrectedTime(t *testing.T) {
	day := 24 * time.Hour.Milliseconds()
	now := receipt.UnixMilli()
	for _, c := range []struct {
		name              string
		timestamp, sentAt int64
		accepted          bool
	}{
		{"a clock three days ahead", now + 3*day, now + 3*day, true},
		{"three days ahead by a good clock", now + 3*day, now, false},
		{"a clock in 1970", 60_000, 120_000, false}, // its timestamp is part of the tables' keys
		{"a clock in 2150", now + 126*365*day, now + 126*365*day, false},
	} {
		r := request{received: receipt, sentAt: c.sentAt, hasSent: true}
		if rejection := r.stamp(&Message{}, c.timestamp, true); (rejection == nil) != c.accepted {
			t.Errorf("%s: %v", c.name, rejection)
		}
	}
}

func TestClockNeverRepeats(t *testing.T) {
	var c clock
	now := receipt
	a, b := c.next(now), c.next(now)
	later := c.next(now.Add(-time.Hour))
	if a != now.UnixMicro() || b != a+1 || later != b+1 {
		t.Errorf("gave out %d, %d, %d", a, b, later)
	}
}
