package ingest

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"muster"
	"muster/clickhouse/clickhousetest"
)

func TestRejectedMessagesAreKeptAndReplayed(t *testing.T) {
	db, s := clickhousetest.DB(t), openSpool(t)
	drain := newTestDrain(t, s, db, nil)
	run(t, drain)
	demanded, now := true, time.Now().UTC().Truncate(time.Second) // older ones are not kept
	arrived := now
	ago := func(d time.Duration) string { return arrived.Add(-d).Format(time.RFC3339) }
	d, err := NewDoor(DoorConfig{
		Spool: s, Keys: testKeys, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
		Signing: func(muster.ProjectID) (string, bool) { return "secret", demanded },
	})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := NewRejections(db, d)
	if err != nil {
		t.Fatal(err)
	}
	// A client whose clock is an hour late.
	w := post(t, d, "/v1/batch", `{"writeKey":"wk","sentAt":"`+ago(time.Hour)+`","context":{"ip":"1"},"batch":[
		{"type":"identify","userId":"u","messageId":"m1","timestamp":"`+ago(61*time.Minute)+`","traits":{"plan":"pro"}},
		{"type":"track","userId":"u","event":"good"},
		{"type":"identify","userId":"v","traits":{"plan":"free"}},
		{"type":"track","userId":"u","event":"`+"\xff"+`"}]}`)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"accepted":1`) {
		t.Fatal(w.Body)
	}
	now = now.Add(time.Second)
	if w := post(t, d, "/v1/track", `{"writeKey":"wk","event":"e"}`); w.Code != 400 {
		t.Fatal(w.Code)
	}
	flush(t, drain)

	list := func(f RejectionFilter) (codes []string) {
		all, err := kept.List(t.Context(), 7, f, nil, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			codes = append(codes, string(r.Code)+" "+r.Pointer)
		}
		return codes
	}
	want := []string{"missing_id ", "invalid_json /batch/3/event", "invalid_signature /batch/2/signature", "invalid_signature /batch/0/signature"}
	if diff := cmp.Diff(want, list(RejectionFilter{})); diff != "" {
		t.Fatalf("kept otherwise (-want +got):\n%s", diff)
	}
	if got := list(RejectionFilter{Code: RejectMissingID}); len(got) != 1 {
		t.Errorf("of one code there are %v", got)
	}
	// Page by page.
	var paged []string
	for from := (*Place)(nil); ; {
		page, err := kept.List(t.Context(), 7, RejectionFilter{}, from, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		place, err := ParsePlace(Place{page[0].Received, page[0].ID}.String())
		if err != nil {
			t.Fatal(err)
		}
		from = &place
		paged = append(paged, string(page[0].Code)+" "+page[0].Pointer)
	}
	if diff := cmp.Diff(want, paged); diff != "" {
		t.Errorf("page by page it is another list (-want +got):\n%s", diff)
	}
	if other, err := kept.List(t.Context(), 8, RejectionFilter{}, nil, 100); err != nil || len(other) != 0 {
		t.Errorf("another project sees %d, %v", len(other), err)
	}
	counts, err := kept.Counts(t.Context(), 7)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[RejectCode]uint64{RejectSignature: 2, RejectInvalidJSON: 1, RejectMissingID: 1}, counts); diff != "" {
		t.Errorf("counted otherwise:\n%s", diff)
	}

	// Nothing changed yet: nothing is accepted, everything is still listed.
	now = now.Add(48 * time.Hour)
	replay := func(f RejectionFilter) Replay {
		got, err := kept.Replay(t.Context(), 7, f)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if diff := cmp.Diff(Replay{4, 0, map[RejectCode]int{RejectSignature: 2, RejectInvalidJSON: 1, RejectMissingID: 1}}, replay(RejectionFilter{})); diff != "" {
		t.Errorf("replayed otherwise:\n%s", diff)
	}
	demanded = false
	all, err := kept.List(t.Context(), 7, RejectionFilter{Code: RejectSignature}, nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Replay{1, 1, map[RejectCode]int{}}, replay(RejectionFilter{IDs: []uuid.UUID{all[0].ID}})); diff != "" {
		t.Errorf("one was replayed otherwise:\n%s", diff)
	}
	if got := replay(RejectionFilter{Code: RejectSignature}); got.Selected != 1 || got.Accepted != 1 {
		t.Errorf("the rest was replayed otherwise: %+v", got)
	}
	if got := list(RejectionFilter{}); len(got) != 2 {
		t.Errorf("what was accepted is still listed: %v", got)
	}
	if accepted, _, err := d.replay(t.Context(), 7, all); err != nil || len(accepted) != 2 { // as after a crash before they were marked
		t.Errorf("again: %v, %v", accepted, err)
	}
	flush(t, drain)
	got := lines(t, db, `SELECT concat(event, ' ', toString(toUnixTimestamp(time)), ' ', context, ' ', toString(received > time + INTERVAL 1 DAY)) FROM events FINAL
		WHERE event = '$identify' ORDER BY time`)
	if diff := cmp.Diff([]string{
		fmt.Sprintf(`$identify %d {"ip":"1"} 1`, arrived.Add(-time.Minute).Unix()), // corrected as of its receipt, and known since now
		fmt.Sprintf(`$identify %d {"ip":"1"} 1`, arrived.Unix()),
	}, got); diff != "" {
		t.Errorf("the tables have otherwise (-want +got):\n%s", diff)
	}
}

func TestOnlySoMuchIsKeptADay(t *testing.T) {
	s := openSpool(t)
	now := receipt
	d, err := NewDoor(DoorConfig{Spool: s, Keys: testKeys, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	const bytes = 4 << 20
	d.budget = newBudget(bytes)
	bad := `{"writeKey":"wk","batch":[` + strings.Repeat(`{"type":"track","userId":"u","properties":{"x":"`+strings.Repeat("x", 30<<10)+`"}},`, 15) + `0]}`
	sent := uint64(0)
	for ; d.Stats().Unkept == 0; sent += 16 {
		if w := post(t, d, "/v1/batch", bad); w.Code != 200 {
			t.Fatal(w.Body)
		}
		if sent > 10_000 {
			t.Fatal("all of it is kept")
		}
	}
	if least := uint64(bytes / (32 << 10)); sent < least {
		t.Errorf("%d messages were kept, less than %d", sent, least)
	}
	if got := d.Stats().Rejected[RejectMissingField] + d.Stats().Rejected[RejectInvalidType]; got != sent {
		t.Errorf("%d of %d were counted", got, sent)
	}
	before := d.Stats().Unkept
	now = now.Add(24 * time.Hour)
	post(t, d, "/v1/batch", bad)
	if d.Stats().Unkept != before {
		t.Error("the next day nothing is kept")
	}
}

func TestRejectedRecordRoundTrip(t *testing.T) {
	sentAt := int64(-5)
	for _, want := range []Rejected{
		{Project: 7, Received: 1, Code: RejectInvalidJSON, Message: "\xff\x00", Whole: true},
		{ID: uuid.UUID{1, 2, 3}, Project: 4_000_000_000, Received: 1 << 60, Path: Alias, SentAt: &sentAt, Code: "c", Detail: "d", Pointer: "/p", Context: "{}"},
	} {
		record := appendRejected(nil, &want)
		got, err := parseRejected(record)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("changed on its way through a record:\n%s", diff)
		}
		for n := range record {
			if _, err := parseRejected(record[:n]); err == nil {
				t.Errorf("the first %d of %d bytes were read", n, len(record))
			}
		}
	}
}
