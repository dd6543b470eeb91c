package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestSnippetInChromium walks through a site with the snippet on it as visitors do - pages and routes, identified before and
// after the load, two tabs, no network, an unwilling service, leaving - and compares the tables with what was sent.
func TestSnippetInChromium(t *testing.T) {
	dir := t.TempDir()
	s := startService(t, dir, freeAddress(t))
	w := newWire(t, s)
	script := fmt.Sprintf(`<script async src="%s/snippet.js" data-write-key="%s"></script>`, w.URL, s.keys.WriteKey)
	site := serveSite(t, map[string]string{
		"/": `<script>window.muster = window.muster || []; muster.push(["do", "track", ["queued", {
			n: 1.5, yes: true, none: null, when: "2026-01-02", deep: {text: "Zoë"}, list: ["x", 2]}]])</script>` + script,
		"/early": `<script>window.muster = [["do", "track", ["before identify"]], ["do", "identify", ["bob", function (id) {
			muster.push(["do", "track", ["inside identify", {id: id}]]) }, "5e1f"]],
			["set", "user:attributes", [{plan: "free", seats: 3}]]]</script>` + script,
		"/manual": `<script>window.muster = [["do", "track", ["held"]]]</script>` +
			`<script async src="` + w.URL + `/snippet.js" data-write-key="` + s.keys.WriteKey + `" data-manual data-identified-only></script>`,
		"/plain": "nothing on this page",
	})
	browser := startChromium(t)
	expect := map[string]int{}
	// arrive waits until what was expected before and this has been sent.
	arrive := func(said ...string) {
		t.Helper()
		for _, name := range said {
			expect[name]++
		}
		await(t, fmt.Sprintf("%q", said), func() bool {
			got := w.said()
			for name, n := range expect {
				if got[name] < n {
					return false
				}
			}
			return true
		})
	}
	loaded := func(b *tab) {
		t.Helper()
		await(t, "the snippet", func() bool { return value[bool](b, `!Array.isArray(window.muster)`) })
	}

	// A visitor, the routes of one page, and identification after the load.
	ann := openTab(t, browser, site.URL+"/?utm_source=mail")
	loaded(ann)
	ann.run(`history.pushState(null, "", "/a"); history.replaceState({}, "")`)
	value[bool](ann, `new Promise((done) => setTimeout(done, 50, true))`) // a redirect within one turn is one page
	ann.run(`history.pushState(null, "", "/b?x=1"); history.pushState(null, "", "/b?x=1#place")`)
	arrive("page /", "queued", "page /a", "page /b")
	ann.run(`history.go(-2)`) // to /a
	arrive("page /a")
	w.fail(unavailable, lost)
	ann.run(`muster.push(["do", "identify", ["ann"]], ["set", "user:email", ["ann@example.com"]], ["set", "user:name", ["Ann"]],
		["set", "core:language", ["fr"]], ["set", "user:attributes", [{plan: "pro", seats: 5, tags_: ["a", "b"], beta: true}]],
		["set", "user:attributes", [{plan: "team", company: {name: "Zoë & Söhne"}}, {removeUnspecified: true}]],
		["do", "experience", [{id: "nps", type: "survey", interaction: "answered", question: "q1", answer: 9}]])`)
	arrive("identify", "identify", "identify", "identify", "identify", "identify", "$experience")
	await(t, "an acknowledgement", func() bool { return value[bool](ann, `!Object.keys(localStorage).some((k) => k.includes(".m."))`) })
	if all := w.all(); all[len(all)-1].Fault != "" || all[len(all)-2].Fault != lost || all[len(all)-3].Fault != unavailable {
		t.Errorf("the last three requests had the faults %q, %q and %q", all[len(all)-3].Fault, all[len(all)-2].Fault, all[len(all)-1].Fault)
	}

	// Two tabs of one visitor, at once.
	second := openTab(t, browser, site.URL+"/second")
	loaded(second)
	for _, b := range []*tab{ann, second} {
		b.run(`for (let i = 0; i < 30; i++) muster.push(["do", "track", ["in both", {i}]])`)
	}
	for range 60 {
		expect["in both"]++
	}
	arrive("page /second", "queued")

	// Without a network, on two pages; the second ends before there is one again.
	failures := func() int {
		return value[int](ann, `performance.getEntriesByType("resource").filter((e) => e.name.endsWith("/v1/b") && e.responseStatus === 0).length`)
	}
	before := failures()
	w.cut(true) // the emulation of a tab ends before the tab does
	ann.offline(true)
	second.offline(true)
	ann.run(`muster.push(["do", "track", ["offline"]])`)
	second.run(`muster.push(["do", "track", ["offline, then closed"]])`)
	await(t, "a request that fails", func() bool { return failures() > before })
	second.close()
	if got := w.said(); got["offline"] != 0 || got["offline, then closed"] != 0 {
		t.Errorf("%v was sent without a network", got)
	}
	w.cut(false)
	ann.offline(false)
	arrive("offline", "offline, then closed")

	// Leaving the page at once for one that has no snippet.
	ann.run(`muster.push(["do", "track", ["leaving"]]); location.href = "/plain"`)
	arrive("leaving")

	// Another visitor, identified before the load; then nobody again.
	bob := openTab(t, browser, site.URL+"/early", chromedp.WithNewBrowserContext())
	loaded(bob)
	arrive("page /early", "before identify", "identify", "inside identify", "identify")
	if got := value[string](bob, `new Promise((done) => muster.push(["get", "user:id", done]))`); got != "bob" {
		t.Errorf("user:id is %q, want bob", got)
	}
	if got := value[map[string]any](bob, `new Promise((done) => muster.push(["get", "user:attributes", done]))`); !reflect.DeepEqual(got, map[string]any{"plan": "free", "seats": 3.0}) {
		t.Errorf("user:attributes are %v", got)
	}
	bob.run(`muster.push(["do", "reset"], ["do", "track", ["after reset"]])`)
	arrive("after reset")

	// A third, of whom nothing is known before the consent and the name.
	carl := openTab(t, browser, site.URL+"/manual", chromedp.WithNewBrowserContext())
	loaded(carl)
	carl.run(`muster.push(["do", "start"]); history.pushState(null, "", "/manual/2")`)
	if kept := value[int](carl, `localStorage.length`); kept != 0 {
		t.Errorf("%d things of somebody unknown are stored", kept)
	}
	carl.run(`muster.push(["do", "identify", ["carl"]])`)
	arrive("page /manual", "held", "page /manual/2", "identify")

	if got := w.said(); !maps.Equal(got, expect) {
		t.Errorf("sent\n%v, want\n%v", got, expect)
	}
	for _, r := range w.all() {
		if r.Path != "/v1/b" || r.ContentType != "text/plain" {
			t.Errorf("a request to %s has the type %q", r.Path, r.ContentType)
		}
	}
	s.flush(t)
	db := openTables(t, s, dir)
	sent := w.sent()
	sameAsSent(t, db, sent)
	checkVisitors(t, sent, linked(t, db))

	var page struct {
		Users []struct {
			UserID     *string `json:"user_id"`
			Attributes map[string]any
		}
		Total int
	}
	s.call(t, http.MethodPost, "/api/v1/users/query", map[string]any{"columns": []string{"plan", "seats", "email", "company.name"}}, http.StatusOK, &page)
	want := map[string]map[string]any{
		"ann":  {"plan": "team", "email": "ann@example.com", "company.name": "Zoë & Söhne"},
		"bob":  {"plan": "free", "seats": 3.0},
		"carl": {},
		"":     {},
	}
	for _, u := range page.Users {
		id := ""
		if u.UserID != nil {
			id = *u.UserID
		}
		if !reflect.DeepEqual(u.Attributes, want[id]) {
			t.Errorf("the attributes of %q are %v, want %v", id, u.Attributes, want[id])
		}
	}
	if page.Total != len(want) {
		t.Errorf("there are %d users, want ann, bob, carl and the visitor bob was after the reset", page.Total)
	}
}

// checkVisitors checks whose the messages are: each visitor has one anonymous id, and the tables know whose it is.
func checkVisitors(t *testing.T, sent map[string]message, links map[string][]string) {
	t.Helper()
	visitors := map[string]map[string]bool{} // the anonymous ids of each user, "" for nobody
	for _, m := range sent {
		if visitors[m.UserID] == nil {
			visitors[m.UserID] = map[string]bool{}
		}
		visitors[m.UserID][m.AnonymousID] = true
	}
	for user, want := range map[string]int{"ann": 1, "bob": 1, "carl": 1, "": 3} {
		if len(visitors[user]) != want {
			t.Errorf("messages of %q have %d anonymous ids, want %d", user, len(visitors[user]), want)
		}
		for id := range visitors[user] {
			if user != "" && !reflect.DeepEqual(links[id], []string{user}) {
				t.Errorf("the anonymous id of %s belongs to %v", user, links[id])
			}
		}
	}
	if len(links) != 3 {
		t.Errorf("%d anonymous ids belong to somebody, want 3", len(links))
	}
}
