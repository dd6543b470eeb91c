package e2e

import (
	"fmt"
	"maps"
	"net"
	"sync/atomic"
	"testing"
	"time"

	analytics "gopkg.in/segmentio/analytics-go.v3"
)

// TestAnalyticsGo drives gopkg.in/segmentio/analytics-go.v3 over a wire that loses answers and says that we are busy: what
// it sent is in the tables once, field by field.
func TestAnalyticsGo(t *testing.T) {
	dir := t.TempDir()
	s := startService(t, dir, freeAddress(t))
	w := newWire(t, s)
	w.fail(lost, unavailable, "", lost, "", unavailable, unavailable)
	var outcome deliveries
	client, err := analytics.NewWithConfig(s.keys.WriteKey, analytics.Config{
		Endpoint: w.URL, BatchSize: 20, Interval: 50 * time.Millisecond, Callback: &outcome, Logger: quiet{t},
		RetryAfter: func(int) time.Duration { return 20 * time.Millisecond },
	})
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	say := func(m analytics.Message) {
		t.Helper()
		if err := client.Enqueue(m); err != nil {
			t.Fatal(err)
		}
		sent++
	}
	for i := range 50 {
		user := fmt.Sprintf("user-%d", i%10)
		say(analytics.Identify{
			UserId: user, AnonymousId: fmt.Sprintf("visitor-%d", i%10),
			Traits: analytics.NewTraits().SetEmail(user+"@example.com").SetName("Zoë").SetAge(20+i).Set("plan", "pro").Set("seats", 2.5).
				Set("trial", i%2 == 0).Set("roles", []string{"owner", "admin"}).Set("phone", nil).
				Set("company", map[string]any{"name": "Acme & Söhne", "size": i}),
			Context: &analytics.Context{IP: net.ParseIP("10.0.0.1"), Locale: "de-DE", Extra: map[string]any{"feature": map[string]any{"on": true}}},
		})
		say(analytics.Track{
			UserId: user, Event: "Purchase", Timestamp: time.Now().Add(-time.Duration(i) * time.Hour),
			Properties: analytics.NewProperties().SetRevenue(49.9).SetCurrency("EUR").Set("items", []any{"book", 2, true}).
				Set("cart", map[string]any{"id": "c-9", "total": 1e20}).Set("coupon", nil),
		})
		say(analytics.Page{AnonymousId: fmt.Sprintf("visitor-%d", i%10), Name: "Home", Properties: analytics.NewProperties().SetPath("/").SetTitle("Home")})
		say(analytics.Screen{UserId: user, Name: "Settings"})
		say(analytics.Group{UserId: user, GroupId: "acme", Traits: analytics.NewTraits().Set("employees", 12).Set("plan", "team")})
	}
	say(analytics.Alias{PreviousId: "user-0", UserId: "user-new"})
	for outcome.ok.Load()+outcome.failed.Load() < int64(sent) { // Close gives up what is being retried
		time.Sleep(10 * time.Millisecond)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if n := outcome.failed.Load(); n > 0 {
		t.Fatalf("%d of %d messages were not delivered", n, sent)
	}
	s.flush(t)

	all := w.sent()
	if len(all) != sent {
		t.Errorf("%d messages went over the wire, want %d", len(all), sent)
	}
	for id, m := range all { // the batch says the library once, for all its messages
		shared := map[string]any{"library": map[string]any{"name": "analytics-go", "version": analytics.Version}}
		maps.Copy(shared, m.Context)
		m.Context = shared
		all[id] = m
	}
	sameAsSent(t, openTables(t, s, dir), all)

	// The alias joined two users; everybody has one visitor.
	var preview struct{ Count, Of int }
	s.call(t, "POST", "/api/v1/segments/preview", map[string]any{"definition": map[string]any{"event": "Purchase"}}, 200, &preview)
	if preview.Count != 10 || preview.Of != 10 {
		t.Errorf("%d of %d users bought, want 10 of 10", preview.Count, preview.Of)
	}
}

// deliveries count what became of messages.
type deliveries struct{ ok, failed atomic.Int64 }

// Success counts a message that was acknowledged.
func (d *deliveries) Success(analytics.Message) { d.ok.Add(1) }

// Failure counts a message that the client gave up.
func (d *deliveries) Failure(analytics.Message, error) { d.failed.Add(1) }

// quiet keeps the client's complaints about the wire in the test's log.
type quiet struct{ t *testing.T }

// Logf writes a line.
func (q quiet) Logf(format string, args ...any) { q.t.Logf(format, args...) }

// Errorf writes a line; a retry is no failure of the test.
func (q quiet) Errorf(format string, args ...any) { q.t.Logf(format, args...) }
