package ingest

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"muster/clickhouse/clickhousetest"
	"muster/ingest/spool"
)

func newCappedDoor(t *testing.T, s *spool.Spool, limits NameLimits) *Door {
	t.Helper()
	d, err := NewDoor(DoorConfig{Spool: s, Keys: testKeys, Log: slog.New(slog.DiscardHandler), Names: limits})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestNamesOverACapAreRejected(t *testing.T) {
	db, s := clickhousetest.DB(t), openSpool(t)
	run(t, newTestDrain(t, s, db, nil))
	limits := NameLimits{Events: 2, Attributes: 3, Properties: 2}
	d := newCappedDoor(t, s, limits)
	if err := d.Refresh(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	send := func(d *Door, message string) string {
		w := post(t, d, "/v1/batch", `{"writeKey":"wk","batch":[`+message+`]}`)
		if w.Code != 200 {
			t.Fatal(w.Body)
		}
		_, code, _ := strings.Cut(w.Body.String(), `"code":"`)
		code, _, _ = strings.Cut(code, `"`)
		return code
	}
	const track = `{"type":"track","userId":"u","event":%q,"properties":{%q:1}}`
	const identify = `{"type":"identify","userId":"u","traits":{%q:1,%q:2}}`
	for _, c := range []struct{ message, code string }{
		{fmt.Sprintf(track, "e1", "p1"), ""},
		{fmt.Sprintf(track, "e2", "p2"), ""},
		{fmt.Sprintf(track, "e3", "p1"), "too_many_events"},
		{fmt.Sprintf(track, "e1", "p3"), "too_many_property_names"},
		{fmt.Sprintf(track, "e3", "p1"), "too_many_events"}, // what was rejected is not known now
		{fmt.Sprintf(track, "e2", "p1"), ""},
		{`{"type":"page","userId":"u"}`, ""}, // the service's own events do not count
		{fmt.Sprintf(identify, "a1", "a2"), ""},
		{fmt.Sprintf(identify, "a3", "a4"), "too_many_attributes"}, // one of them would fit; a message is taken whole or not
		{fmt.Sprintf(identify, "a3", "a1"), ""},
		{`{"type":"group","userId":"u","groupId":"g"}`, "too_many_attributes"},
	} {
		if code := send(d, c.message); code != c.code {
			t.Errorf("%s: rejected as %q, not as %q", c.message, code, c.code)
		}
	}
	if w := post(t, d, "/v1/track", fmt.Sprintf(`{"writeKey":"wk",`+track[1:], "e9", "p1")); w.Code != 400 || !strings.Contains(w.Body.String(), `"/event"`) {
		t.Errorf("a message alone was answered %d %s", w.Code, w.Body)
	}

	// Another process learns the names from the table, and counts them.
	if _, err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	flush(t, newTestDrain(t, s, db, nil)) // the one that runs does the work
	again := newCappedDoor(t, s, limits)
	if code := send(again, fmt.Sprintf(track, "e1", "p1")); code != "" {
		t.Errorf("a door that does not know the names yet rejects: %s", code)
	}
	if err := again.Refresh(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	for message, want := range map[string]string{fmt.Sprintf(track, "e4", "p1"): "too_many_events", fmt.Sprintf(track, "e1", "p4"): "too_many_property_names"} {
		if code := send(again, message); code != want {
			t.Errorf("another door: %s: %q, not %q", message, code, want)
		}
	}
	if n := number(t, db, `SELECT count() FROM names FINAL WHERE project = 7`); n != 7 {
		t.Errorf("%d names are kept, not 2 events, 2 properties and 3 attributes", n)
	}
}

// A name whose message did not reach the spool is written with the next one.
func TestANameIsKeptWhenItsMessageIs(t *testing.T) {
	full, err := spool.Open(t.TempDir(), spool.Config{MaxBytes: 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = full.Close() })
	d := newCappedDoor(t, full, NameLimits{})
	const body = `{"writeKey":"wk","userId":"u","event":"e","properties":{"p":1}}`
	if w := post(t, d, "/v1/track", body); w.Code != 503 {
		t.Fatal(w.Code)
	}
	s := openSpool(t)
	d.spool = s
	for range 2 {
		if w := post(t, d, "/v1/track", body); w.Code != 200 {
			t.Fatal(w.Code)
		}
	}
	if got := namesIn(t, s); strings.Join(got, " ") != "1:e 3:p" {
		t.Errorf("the spool has the names %v", got)
	}
}

func namesIn(t *testing.T, s *spool.Spool) (all []string) {
	t.Helper()
	if _, err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	segment, err := s.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for record, err := range segment.Records() {
		if err != nil {
			t.Fatal(err)
		}
		if record[0] == namesVersion {
			names, err := parseNames(record)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range names {
				all = append(all, fmt.Sprintf("%d:%s", n.kind, n.name))
			}
		}
	}
	return all
}

func TestACapHoldsAgainstManySendersAtOnce(t *testing.T) {
	s := openSpool(t)
	d := newCappedDoor(t, s, NameLimits{Events: 10, Attributes: 1, Properties: 1})
	d.vocabulary.complete = true
	var senders sync.WaitGroup
	for sender := range 8 {
		senders.Go(func() {
			for i := range 20 {
				post(t, d, "/v1/track", fmt.Sprintf(`{"writeKey":"wk","userId":"u","event":"e%d"}`, (i+sender)%20))
			}
		})
	}
	senders.Wait()
	events := map[string]bool{}
	for _, m := range stored(t, s) {
		events[m.Event] = true
	}
	if len(events) != 10 {
		t.Errorf("%d names were taken", len(events))
	}
}
