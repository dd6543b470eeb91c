package e2e

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestAnalyticsNextInChromium drives the public browser client, @segment/analytics-next, on a page: single messages to the
// short paths, tried again where they fail, then batches, and what is left when the page ends. The tables must have what it sent.
func TestAnalyticsNextInChromium(t *testing.T) {
	dir := t.TempDir()
	s := startService(t, dir, freeAddress(t))
	w := newWire(t, s)
	bundle := filepath.Join(t.TempDir(), "browser.js")
	build := exec.CommandContext(t.Context(), "node_modules/.bin/esbuild", "browser.mjs", "--bundle", "--format=iife", "--outfile="+bundle)
	build.Dir = "clients"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("bundle the client: %v\n%s", err, out)
	}
	client := must[[]byte](t, "read the client")(os.ReadFile(bundle))
	page := func(strategy string) string {
		return fmt.Sprintf(`<script>window.setup = {writeKey: %q, cdnURL: %q, deliveryStrategy: %s}</script><script>%s</script>`,
			s.keys.WriteKey, w.URL, strategy, client)
	}
	site := serveSite(t, map[string]string{
		"/":      page(`{strategy: "standard", config: {keepalive: true}}`),
		"/batch": page(`{strategy: "batching", config: {size: 4, timeout: 3000}}`),
		"/plain": "nothing on this page",
	})
	browser := startChromium(t)
	expect := map[string]int{}
	arrive := func(said ...string) {
		t.Helper()
		for _, name := range said {
			expect[name]++
		}
		await(t, fmt.Sprintf("%q", said), func() bool { return maps.Equal(w.said(), expect) })
	}

	single := openTab(t, browser, site.URL+"/?utm_source=mail")
	single.run(`
		analytics.page("Docs", "Home");
		analytics.track("seen", {n: 1.5, yes: true, none: null, deep: {text: "Zoë"}, list: ["x", 2]});
		analytics.identify("eva", {email: "eva@example.com", plan: "pro", seats: 3, company: {name: "Söhne"}, gone: null});
		analytics.group("acme", {size: 40});
		analytics.track("bought", {amount: 20})`)
	arrive("page /", "seen", "identify", "group", "bought")
	w.fail(unavailable, lost)
	single.run(`analytics.track("tried again"); analytics.track("tried again")`)
	arrive("tried again", "tried again")
	await(t, "both to be acknowledged", func() bool {
		taken := 0
		for _, r := range w.all() {
			if r.Messages[0].Event == "tried again" && r.Fault == "" {
				taken++
			}
		}
		return taken == 2
	})
	single.run(`analytics.track("leaving"); location.href = "/plain"`)
	arrive("leaving")

	batching := openTab(t, browser, site.URL+"/batch", chromedp.WithNewBrowserContext())
	batching.run(`analytics.page(); for (let i = 0; i < 7; i++) analytics.track("batched", {i})`)
	arrive("page /batch", "batched", "batched", "batched", "batched", "batched", "batched", "batched")
	batching.run(`analytics.identify("fay", {plan: "free"}).then(() => location.href = "/plain")`) // before its batch is due
	arrive("identify")
	checkRequests(t, w.all())

	s.flush(t)
	db := openTables(t, s, dir)
	sent := w.sent()
	sameAsSent(t, db, sent)
	links := linked(t, db)
	for _, m := range sent {
		if m.Type == "identify" && (len(links[m.AnonymousID]) != 1 || links[m.AnonymousID][0] != m.UserID) {
			t.Errorf("the visitor %s identified as %s belongs to %v", m.AnonymousID, m.UserID, links[m.AnonymousID])
		}
	}
}

// checkRequests checks how the messages went: those of the page "/batch" in batches, those of others one by one.
func checkRequests(t *testing.T, all []request) {
	t.Helper()
	var batches []int
	for _, r := range all {
		page, _ := r.Messages[0].Context["page"].(map[string]any)
		switch batched := page["path"] == "/batch"; {
		case r.ContentType != "text/plain":
			t.Errorf("a request to %s has the type %q", r.Path, r.ContentType)
		case batched && r.Path == "/v1/b":
			batches = append(batches, len(r.Messages))
		case batched || len(r.Path) != len("/v1/t") || len(r.Messages) != 1:
			t.Errorf("%d messages of the page %v went to %s", len(r.Messages), page["path"], r.Path)
		}
	}
	if !slices.Equal(batches, []int{4, 4, 1}) {
		t.Errorf("the batches had %d messages, want 4, 4 and 1", batches)
	}
}
