package ingest

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"muster/clickhouse/clickhousetest"
)

// A message that is sent again is one message, however much later, with whatever sentAt and in whatever company; and it
// was said when it was said first.
func TestARepeatChangesNothing(t *testing.T) {
	db, s := clickhousetest.DB(t), openSpool(t)
	drain := newTestDrain(t, s, db, nil)
	run(t, drain)
	now := receipt
	d, err := NewDoor(DoorConfig{Spool: s, Keys: testKeys, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	send := func(wait time.Duration, sentAt string, messages string) {
		now = now.Add(wait)
		if w := post(t, d, "/v1/batch", `{"writeKey":"wk","sentAt":"`+sentAt+`","batch":[`+messages+`]}`); w.Code != 200 {
			t.Fatal(w.Body)
		}
	}
	const first = `{"type":"identify","userId":"u","messageId":"m1","timestamp":"2024-05-01T11:59:00Z","traits":{"plan":"free"}}`
	const second = `{"type":"identify","userId":"u","messageId":"m2","timestamp":"2024-05-01T11:59:30Z","traits":{"plan":"pro"}}`
	const untimed = `{"type":"track","anonymousId":"a","event":"e","messageId":"m3"}`
	send(0, "2024-05-01T12:00:00Z", first+","+first+","+untimed+","+untimed)
	flush(t, drain)
	send(time.Second, "2024-05-01T12:00:01Z", second)
	send(5*time.Minute, "2024-05-01T12:00:00Z", first+","+untimed) // the very same bytes: the clock seems five minutes late
	send(time.Minute, "2024-05-01T12:06:01Z", untimed+","+first)   // sent anew
	flush(t, drain)

	if diff := cmp.Diff([]string{"pro"}, lines(t, db, `SELECT text FROM latest_attributes FINAL WHERE attribute = 'plan'`)); diff != "" {
		t.Errorf("the repeat counts as said later (-want +got):\n%s", diff)
	}
	want := []string{"m1 2024-05-01 11:59:00.000", "m2 2024-05-01 11:59:30.000", "m3 2024-05-01 12:00:00.000"}
	for _, from := range []string{"events", "events FINAL"} {
		if diff := cmp.Diff(want, lines(t, db, `SELECT concat(message_id, ' ', time) FROM `+from+` ORDER BY message_id`)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", from, diff)
		}
	}
	if got := drain.Stats(); got.Messages != 3 || got.Repeats != 6 {
		t.Errorf("counted %+v", got)
	}
}

// What a drain does not remember the tables do: a repeat after a restart is no repeat of what was said meanwhile. That is
// so for one whose corrected time is another, for one without a time, and for one of two that were made in one millisecond.
func TestARepeatAfterARestartChangesNothing(t *testing.T) {
	db := clickhousetest.DB(t)
	now := receipt
	send := func(d *Door, wait time.Duration, sentAt string, messages ...string) {
		now = now.Add(wait)
		body := `{"writeKey":"wk","sentAt":"` + sentAt + `","batch":[` + strings.Join(messages, ",") + `]}`
		if w := post(t, d, "/v1/batch", body); w.Code != 200 {
			t.Fatal(w.Body)
		}
	}
	restart := func() (*Door, *Drain) {
		s := openSpool(t)
		drain := newTestDrain(t, s, db, nil)
		run(t, drain)
		d, err := NewDoor(DoorConfig{Spool: s, Keys: testKeys, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		return d, drain
	}
	set := func(id, timestamp, trait string) string {
		return `{"type":"identify","userId":"u","messageId":"` + id + `",` + timestamp + `"traits":` + trait + `}`
	}
	const at = `"timestamp":"2024-05-01T11:59:00Z",`
	skewed, untimed, tied := set("m1", at, `{"a":1}`), set("m3", "", `{"b":1}`), set("m5", at, `{"c":1}`)
	seen := `{"type":"track","anonymousId":"v","event":"e","messageId":"m7"}`
	d, drain := restart()
	send(d, 0, "2024-05-01T12:00:00Z", skewed, untimed, tied, seen, set("m6", at, `{"c":2}`))
	send(d, time.Second, "2024-05-01T12:00:01Z", set("m2", `"timestamp":"2024-05-01T11:59:30Z",`, `{"a":2}`), set("m4", "", `{"b":2}`))
	flush(t, drain)
	before := everything(t, db)

	d, drain = restart()
	send(d, 5*time.Minute, "2024-05-01T12:00:00Z", skewed, untimed, tied, seen) // the clock seems five minutes late
	send(d, time.Minute, "2024-05-01T12:06:01Z", tied, untimed, skewed, seen)
	flush(t, drain)

	if diff := cmp.Diff(before, everything(t, db)); diff != "" {
		t.Errorf("the tables changed (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a 2", "b 2", "c 2"}, lines(t, db, `SELECT concat(attribute, ' ', number) FROM latest_attributes FINAL ORDER BY attribute`)); diff != "" {
		t.Errorf("a repeat counts as said later (-want +got):\n%s", diff)
	}
	if got := drain.Stats(); got.Messages != 0 || got.Repeats != 8 {
		t.Errorf("counted %+v", got)
	}
}

// Where the tables do not answer nothing is left out, and nothing lost: the next attempt asks again.
func TestWhatCannotBeAskedIsAskedAgain(t *testing.T) {
	db, s := clickhousetest.DB(t), openSpool(t)
	drain := newTestDrain(t, s, db, nil)
	if w := post(t, newTestDoor(t, s), "/v1/batch", exampleTraffic); w.Code != 200 {
		t.Fatal(w.Body)
	}
	if _, err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	segment, err := s.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l := drain.newLoad(segment)
	if err := db.Exec(t.Context(), "RENAME TABLE events TO away"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.store(t.Context(), t.TempDir()); err == nil {
			t.Fatal("stored without a table")
		}
	}
	if err := db.Exec(t.Context(), "RENAME TABLE away TO events"); err != nil {
		t.Fatal(err)
	}
	if err := l.store(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if n := number(t, db, "SELECT count() FROM events"); n != 5 || l.repeats != 0 {
		t.Errorf("%d of 5 messages are stored; %d count as repeats", n, l.repeats)
	}
}

// Only what could have been forgotten is asked about: a message made since is none.
func TestWhichMessagesMayBeStored(t *testing.T) {
	since := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	before, after := since.UnixMilli()-1, since.Add(2*time.Minute).UnixMilli()
	v7 := func(ms int64) string {
		id := uuid.UUID{}
		binary.BigEndian.PutUint64(id[:], uint64(ms)<<16|0x7000)
		id[8] = 0x80
		return id.String()
	}
	says := []Attribute{{Name: "a", Source: Custom, Kind: Null}}
	for name, c := range map[string]struct {
		m    Message
		want bool
	}{
		"said before":                    {Message{Type: Identify, Timestamp: before, Time: before, Attributes: says}, true},
		"said since":                     {Message{Type: Identify, Timestamp: after, Time: after, Attributes: says}, false},
		"by a clock a minute ahead":      {Message{Type: Identify, Timestamp: after - 90_000, Time: after - 90_000, Attributes: says}, true},
		"by a clock known to be ahead":   {Message{Type: Identify, Timestamp: after, Time: before, Attributes: says}, true},
		"without a time":                 {Message{Type: Identify, MessageID: "m", Time: after, Attributes: says}, true},
		"named since":                    {Message{Type: Identify, MessageID: v7(after), Time: after, Attributes: says}, false},
		"named before":                   {Message{Type: Identify, MessageID: v7(before), Time: after, Attributes: says}, true},
		"nothing said":                   {Message{Type: Track, Timestamp: before, Time: before}, false},
		"nothing said, by a wrong clock": {Message{Type: Track, Timestamp: before, Time: after}, true},
		"nothing said, without a time":   {Message{Type: Track, MessageID: "m", Time: after}, true},
		"by people":                      {Message{Type: Statement, Timestamp: before, Time: before, Attributes: says}, false},
	} {
		if got := c.m.mayBeStored(since); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestRecentMessagesAreForgottenInTime(t *testing.T) {
	r := newRecent()
	start := r.since
	messages := func(from, n int) []Message {
		var all []Message
		for i := range n {
			all = append(all, Message{Project: 7, UserID: "u", Event: "e", MessageID: fmt.Sprint(from + i)})
		}
		return all
	}
	_, are, _ := r.distinct(messages(0, 10))
	if _, _, repeats := r.distinct(messages(0, 10)); repeats != 0 {
		t.Error("what was not inserted counts as inserted")
	}
	r.remember(are)
	if first, _, repeats := r.distinct(messages(5, 10)); repeats != 5 || first[0].MessageID != "10" {
		t.Errorf("%d repeats, and %+v is new", repeats, first[0])
	}
	for _, other := range []Message{
		{Project: 8, UserID: "u", Event: "e", MessageID: "1"},
		{Project: 7, AnonymousID: "u", Event: "e", MessageID: "1"},
		{Project: 7, UserID: "u", Event: "f", MessageID: "1"},
		{Project: 7, UserID: "u", Event: "e", MessageID: "1", Timestamp: 1},
	} {
		if _, _, repeats := r.distinct([]Message{other}); repeats != 0 {
			t.Errorf("%+v counts as another", other)
		}
	}
	for from := 100; from < 2*maxRecent+200; from += 50_000 {
		_, are, _ := r.distinct(messages(from, 50_000))
		r.remember(are)
	}
	if !r.since.After(start) || !r.began.After(r.since) {
		t.Errorf("everything since %v is remembered, and what is young since %v", r.since, r.began)
	}
	if len(r.young) > maxRecent || len(r.old) > maxRecent {
		t.Errorf("%d and %d are remembered", len(r.young), len(r.old))
	}
	if _, _, repeats := r.distinct(messages(0, 1)); repeats != 0 {
		t.Error("the oldest was not forgotten")
	}
}
