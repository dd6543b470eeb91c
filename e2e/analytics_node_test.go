package e2e

import (
	"os/exec"
	"slices"
	"testing"
)

// TestAnalyticsNode drives @segment/analytics-node over a wire that loses answers and says that we are busy: what it sent is
// in the tables once, field by field.
func TestAnalyticsNode(t *testing.T) {
	dir := t.TempDir()
	s := startService(t, dir, freeAddress(t))
	w := newWire(t, s)
	w.fail(unavailable, "", lost, lost)
	client := exec.CommandContext(t.Context(), "node", "clients/node.mjs", w.URL, s.keys.WriteKey)
	if out, err := client.CombinedOutput(); err != nil {
		t.Fatalf("the client failed: %v\n%s", err, out)
	}
	s.flush(t)

	sent, faults := w.sent(), 0
	for _, r := range w.all() {
		if r.Path != "/v1/batch" || r.ContentType != "application/json" {
			t.Errorf("a request to %s has the type %q", r.Path, r.ContentType)
		}
		if r.Fault != "" {
			faults++
		}
	}
	const users, purchases, others = 60, 120, 7
	if len(sent) != users+purchases+others || faults != 3 {
		t.Errorf("%d messages went over the wire, with %d faults", len(sent), faults)
	}
	sameAsSent(t, openTables(t, s, dir), sent)
	if links := linked(t, openTables(t, s, dir)); len(links) != 1 || !slices.Equal(links["visitor-2"], []string{"user-2"}) {
		t.Errorf("the visitors belong to %v", links)
	}
}
