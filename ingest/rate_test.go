package ingest

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func tracks(n int) string {
	return `{"batch":[` + strings.TrimSuffix(strings.Repeat(`{"type":"track","userId":"u","event":"e"},`, n), ",") + `]}`
}

func TestDoorBoundsWhatAKeySends(t *testing.T) {
	now := receipt
	s := openSpool(t)
	d, err := NewDoor(DoorConfig{
		Spool: s, Keys: testKeys, Log: slog.New(slog.DiscardHandler), RateLimit: 100, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	send := func(n int) (status int, retry string) {
		w := post(t, d, "/v1/batch", tracks(n), "Authorization", basic("wk"))
		return w.Code, w.Header().Get("Retry-After")
	}
	if status, _ := send(MaxMessages); status != 200 { // a whole batch always passes
		t.Fatalf("a whole batch was answered %d", status)
	}
	for _, c := range []struct {
		wait          time.Duration
		messages      int
		status, after string
	}{
		{0, 1, "429", "1"},
		{500 * time.Millisecond, 50, "200", ""},
		{0, 1000, "429", "1"}, // refused before it is read
		{100 * time.Millisecond, 1000, "429", "10"},
		{5 * time.Second, 600, "429", "1"},
		{time.Second, 600, "200", ""},
	} {
		now = now.Add(c.wait)
		if status, after := send(c.messages); fmt.Sprint(status) != c.status || after != c.after {
			t.Errorf("%d messages after %s: answered %d, come again after %q, not %s and %q", c.messages, c.wait, status, after, c.status, c.after)
		}
	}
	if got := len(stored(t, s)); got != MaxMessages+650 {
		t.Errorf("stored %d messages", got)
	}
	if got := d.Stats().Refused["rate_limited"]; got != 4 {
		t.Errorf("counted %d refused requests", got)
	}
}

func TestDoorBoundsTheKeyInTheBodyToo(t *testing.T) {
	d, err := NewDoor(DoorConfig{
		Spool: openSpool(t), Keys: testKeys, Log: slog.New(slog.DiscardHandler), RateLimit: 1, Now: func() time.Time { return receipt },
	})
	if err != nil {
		t.Fatal(err)
	}
	body := `{"writeKey":"wk",` + tracks(MaxMessages)[1:]
	if w := post(t, d, "/v1/b", body); w.Code != 200 {
		t.Fatal(w.Body)
	}
	for _, header := range [][]string{nil, {"Authorization", "Bearer wk"}} { // the same key, wherever it stands
		if w := post(t, d, "/v1/t", `{"writeKey":"wk","userId":"u","event":"e"}`, header...); w.Code != 429 {
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
	}
}
