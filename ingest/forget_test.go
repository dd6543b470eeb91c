package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"muster"
	"muster/clickhouse/clickhousetest"
)

// TestForgetErasesRejectedMessagesOfAUser keeps messages of several people, and erases those of one.
func TestForgetErasesRejectedMessagesOfAUser(t *testing.T) {
	db, s := clickhousetest.DB(t), openSpool(t)
	drain := newTestDrain(t, s, db, nil)
	run(t, drain)
	keys := map[string]muster.ProjectID{"wk": 7, "other": 8}
	d, err := NewDoor(DoorConfig{Spool: s, Log: slog.New(slog.DiscardHandler), Keys: func(_ context.Context, key string) (muster.ProjectID, bool) {
		return keys[key], keys[key] != 0
	}})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := NewRejections(db, d)
	if err != nil {
		t.Fatal(err)
	}
	user := []muster.Identifier{{Kind: muster.Identified, ID: `o'ann"\ é`}, {Kind: muster.Identified, ID: "42"}, {Kind: muster.Anonymous, ID: "v1"}}
	long := `"properties":{"a":"` + strings.Repeat("x", MaxMessage) + `"}`
	theirs := []string{
		`{"marker":1,"type":"track","userId":"o'ann\"\\ é"}`,                         // without an event
		`{"marker":2,"type":"track","userId":"o'ann\"\\ \u00e9"}`,                    // spelled otherwise
		`{"marker":3,"type":"track","userId":42,"event":"e"}`,                        // a number
		`{"marker":4,"type":"track","anonymousId":"v1"}`,                             // her browser
		`{"marker":5,"type":"track","user_id":"42","event":"e"}`,                     // another name of the field
		`{"marker":6,"type":"alias","userId":"bob","previousId":"v1","context":7}`,   // two people
		`{"marker":7,"type":"track","userId":"bob","userId":"42","event":"e"}`,       // twice
		`{"marker":8,"type":"track","userId":"42","event":"e",` + long + `}`,         // cut after the id
		`{"marker":9,"type":"track",` + long + `,"event":"e","userId":"42"}`,         // cut before it
		`{"marker":10,"type":"track","userId":"42","event":"` + "\xff" + `"}`,        // no text
		`{"marker":11,"type":"track","event":{},"properties":{},"AnonymousId":"v1"}`, // after what is wrong
	}
	others := []string{
		`{"marker":12,"type":"track","userId":"bob"}`,
		`{"marker":13,"type":"track","userId":"v1"}`,                                          // of another kind
		`{"marker":14,"type":"track","anonymousId":"42"}`,                                     // the same
		`{"marker":15,"type":"track","userId":"421","event":"","properties":{"userId":"42"}}`, // what was done with her
		`{"marker":16,"type":"track","userId":"bob","event":"e",` + long + `}`,
		`{"marker":17,"type":"track"}`,
		`18`,
	}
	for key := range keys {
		for _, m := range append(slices.Clone(theirs), others...) {
			if w := post(t, d, "/v1/batch", `{"writeKey":"`+key+`","batch":[`+m+`]}`); w.Code != 200 || !strings.Contains(w.Body.String(), `"accepted":0`) {
				t.Fatal(m[:20], w.Body)
			}
		}
	}
	flush(t, drain)
	// One was marked as replayed before, and the row with its text is still on the disk.
	all, err := kept.List(t.Context(), 7, RejectionFilter{}, nil, 100)
	if err != nil || len(all) != len(theirs)+len(others) {
		t.Fatal(len(all), err)
	}
	first := slices.IndexFunc(all, func(r Rejected) bool { return strings.HasPrefix(r.Message, `{"marker":1,`) })
	if err := kept.markReplayed(t.Context(), 7, []uuid.UUID{all[first].ID}); err != nil {
		t.Fatal(err)
	}

	if err := kept.Forget(t.Context(), 7, user); err != nil {
		t.Fatal(err)
	}

	for project, want := range map[muster.ProjectID][]string{7: others, 8: append(slices.Clone(theirs), others...)} {
		rows, err := db.Query(t.Context(), fmt.Sprintf(`SELECT message FROM rejections WHERE project = %d`, project))
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var got []string
		for rows.Next() {
			var m string
			if err := rows.Scan(&m); err != nil {
				t.Fatal(err)
			}
			got = append(got, marker(m))
		}
		var markers []string
		for _, m := range want {
			markers = append(markers, marker(m))
		}
		slices.Sort(got)
		slices.Sort(markers)
		if !slices.Equal(got, markers) {
			t.Errorf("of project %d are left\n%v, want\n%v", project, got, markers)
		}
	}
	if err := kept.Forget(t.Context(), 7, user); err != nil {
		t.Error("again:", err)
	}
}

// marker is the beginning of a message, which tells which of them it is.
func marker(m string) string {
	beginning, _, _ := strings.Cut(m, ",")
	return beginning
}

// TestForgetWaitsForAReplay is about a replay under way: what it took must be in the spool when the erasure goes on.
func TestForgetWaitsForAReplay(t *testing.T) {
	db, s := clickhousetest.DB(t), openSpool(t)
	d, err := NewDoor(DoorConfig{Spool: s, Keys: testKeys, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := NewRejections(db, d)
	if err != nil {
		t.Fatal(err)
	}
	kept.moving.Lock() // as a replay does
	done := make(chan error, 1)
	go func() { done <- kept.Forget(t.Context(), 7, []muster.Identifier{{Kind: muster.Identified, ID: "ann"}}) }()
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	kept.moving.Unlock()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
