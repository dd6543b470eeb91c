package ingest

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

func TestRecentMessagesAreForgottenInTime(t *testing.T) {
	r := newRecent()
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
	if len(r.young) > maxRecent || len(r.old) > maxRecent {
		t.Errorf("%d and %d are remembered", len(r.young), len(r.old))
	}
	if _, _, repeats := r.distinct(messages(0, 1)); repeats != 0 {
		t.Error("the oldest was not forgotten")
	}
}
