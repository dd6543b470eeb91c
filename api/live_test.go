package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"muster/ingest"
	"muster/segments"
)

// saveLive saves a live segment and returns its id.
func (h *house) saveLive(name, definition string, visible bool) string {
	h.t.Helper()
	var seg struct{ ID string }
	h.ask("POST", "/segments", fmt.Sprintf(`{"name":%q,"live":true,"browser_visible":%t,"definition":%s}`, name, visible, definition),
		http.StatusCreated, &seg)
	return seg.ID
}

func (h *house) tick() segments.Tick {
	h.t.Helper()
	tick, err := h.live.Tick(h.t.Context(), h.project)
	if err != nil {
		h.t.Fatal(err)
	}
	return tick
}

// quiet ticks until nothing is read any more: what came in a moment before a tick is read twice, and not for ever.
func (h *house) quiet() {
	h.t.Helper()
	var tick segments.Tick
	for range 20 {
		if tick = h.tick(); len(tick.Runs) > 0 {
			break
		}
		if tick.Read == 0 && tick.Affected == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	h.t.Errorf("where nothing happens, a tick is %+v", tick)
}

// mine asks for the live segments of a user as a page or a server does, and returns the status and the sorted names.
func (h *house) mine(key string, query url.Values) (int, []string) {
	h.t.Helper()
	w := h.serve(h.me, "GET", "/v1/me/segments?"+query.Encode(), "", key)
	var answer struct {
		Segments []struct{ ID, Name string }
		Code     string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		h.t.Fatalf("%v: %s", err, w.Body)
	}
	names := []string{}
	for _, s := range answer.Segments {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return w.Code, names
}

func ofUser(id string, more ...string) url.Values {
	query := url.Values{"user_id": {id}}
	for i := 0; i+1 < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return query
}

// TestMySegments asks for a user's segments with all kinds of keys, in a project that demands signatures and in one that does not.
func TestMySegments(t *testing.T) {
	h := newHouse(t)
	h.send(identify("ann", `{"plan":"pro"}`), identify("bob", `{"plan":"pro"}`), `{"type":"identify","userId":"ann","anonymousId":"v1"}`)
	write, secret := h.keys.WriteKey, h.keys.SecretKey
	if status, _ := h.mine(write, ofUser("ann")); status != http.StatusServiceUnavailable {
		t.Errorf("before anything is loaded the status is %d", status)
	}
	h.saveLive("Pro", `{"attribute":"plan","op":"equals","value":"pro"}`, true)
	h.saveLive("All", `{"everyone":true}`, false)
	h.tick()
	visitor := url.Values{"anonymous_id": {"v1"}}
	for _, c := range []struct {
		name    string
		signing string // the identify secret, where the project demands signatures
		key     string
		query   url.Values
		status  int
		want    []string
	}{
		{"a page sees what browsers may", "", write, ofUser("ann"), 200, []string{"Pro"}},
		{"by the automatic id", "", write, visitor, 200, []string{"Pro"}},
		{"a server sees all", "", secret, ofUser("ann"), 200, []string{"All", "Pro"}},
		{"nobody", "", write, ofUser("eve"), 200, []string{}},
		{"without an id", "", write, url.Values{}, 400, []string{}},
		{"an unknown key", "", "wk_x", ofUser("ann"), 401, []string{}},
		{"unsigned", "s3cret", write, ofUser("ann"), 401, []string{}},
		{"signed", "s3cret", write, ofUser("ann", "signature", ingest.Sign("s3cret", "ann")), 200, []string{"Pro"}},
		{"signed for somebody else", "s3cret", write, ofUser("ann", "signature", ingest.Sign("s3cret", "bob")), 401, []string{}},
		{"signed with another secret", "s3cret", write, ofUser("ann", "signature", ingest.Sign("S3cret", "ann")), 401, []string{}},
		{"signed in another case", "s3cret", write, ofUser("bob", "signature", "A"+ingest.Sign("s3cret", "bob")[1:]), 401, []string{}},
		{"a server needs no signature", "s3cret", secret, ofUser("ann"), 200, []string{"All", "Pro"}},
		{"nor does a visitor", "s3cret", write, visitor, 200, []string{"Pro"}},
	} {
		h.signing = c.signing
		if status, got := h.mine(c.key, c.query); status != c.status || !slices.Equal(got, c.want) {
			t.Errorf("%s: %d %v, want %d %v", c.name, status, got, c.status, c.want)
		}
	}
}

// TestTheHistoryOfALiveSegment lets ticks and materializations that were asked for take turns, and reads what they left in every way
// there is.
func TestTheHistoryOfALiveSegment(t *testing.T) {
	h := newHouse(t)
	h.send(identify("ann", `{"n":1}`), identify("bob", `{"n":1}`), identify("cat", `{"n":0}`))
	ones := h.saveLive("Ones", `{"attribute":"n","op":"equals","value":1}`, false)
	nested := `{"all":[{"segment":"` + ones + `"},{"not":{"attribute":"user_id","op":"equals","value":"bob"}}]}`
	others := h.saveLive("Ones but bob", nested, false)
	asOf := []time.Time{h.tick().AsOf}
	materialize := func(id string) {
		t.Helper()
		h.ask("POST", "/segments/"+id+"/materialize", "", http.StatusOK, nil)
	}
	h.send(identify("ann", `{"n":0}`), identify("cat", `{"n":1}`))
	asOf = append(asOf, h.tick().AsOf)
	materialize(ones) // nothing changed
	h.send(identify("bob", `{"n":0}`))
	materialize(ones) // before the tick
	asOf = append(asOf, h.tick().AsOf)
	h.quiet()
	h.send(identify("ann", `{"n":1}`), identify("dan", `{"n":1}`), `{"type":"track","anonymousId":"v1","event":"seen"}`)
	h.send(`{"type":"identify","userId":"dan","anonymousId":"v1"}`)
	asOf = append(asOf, h.tick().AsOf)
	h.quiet()
	materialize(others)
	h.send(identify("cat", `{"n":0}`))
	asOf = append(asOf, h.tick().AsOf)

	all := func(id string) (list []string) {
		t.Helper()
		query := url.Values{"limit": {"2"}}
		for {
			var page changed
			h.ask("GET", "/segments/"+id+"/changes?"+query.Encode(), "", http.StatusOK, &page)
			for _, c := range page.Changes {
				list = append(list, c.name()+" "+c.Change)
			}
			if page.Next == nil {
				if page.Total != len(list) {
					t.Errorf("%d changes are listed of %d", len(list), page.Total)
				}
				return list
			}
			query.Set("cursor", *page.Next)
		}
	}
	for id, want := range map[string][]string{
		ones: {
			"ann entered", "bob entered", "cat entered", "ann exited", "bob exited", "ann entered", "dan entered", "cat exited",
		},
		others: {"ann entered", "cat entered", "ann exited", "ann entered", "dan entered", "cat exited"},
	} {
		if got := all(id); !slices.Equal(got, want) {
			t.Errorf("the changes are %v\nwant %v", got, want)
		}
	}
	wants := [][]string{{"ann", "bob"}, {"bob", "cat"}, {"cat"}, {"ann", "cat", "dan"}, {"ann", "dan"}}
	for i, want := range wants {
		at := asOf[i].Format(time.RFC3339Nano)
		var members listed
		h.ask("GET", "/segments/"+ones+"/members?as_of="+at, "", http.StatusOK, &members)
		names := namesOf(members.Users)
		if slices.Sort(names); !slices.Equal(names, want) || members.Total != len(want) {
			t.Errorf("at tick %d the members are %v, %d in all; want %v", i, names, members.Total, want)
		}
		// As a leaf a segment is its definition, evaluated at the time.
		if got := h.matching(`{"segment":"`+ones+`"}`, fmt.Sprintf(`"as_of":%q`, at)); !slices.Equal(got, want) {
			t.Errorf("at tick %d the segment as a leaf has %v; want %v", i, got, want)
		}
		want = slices.DeleteFunc(slices.Clone(want), func(name string) bool { return name == "bob" })
		if got := h.matching(nested, fmt.Sprintf(`"as_of":%q`, at)); !slices.Equal(got, want) {
			t.Errorf("at tick %d the segment within one has %v; want %v", i, got, want)
		}
	}
	for user, want := range map[string][]string{"ann": {"Ones", "Ones but bob"}, "bob": {}, "cat": {}, "dan": {"Ones", "Ones but bob"}} {
		if _, got := h.mine(h.keys.SecretKey, ofUser(user)); !slices.Equal(got, want) {
			t.Errorf("%s is in %v from memory; want %v", user, got, want)
		}
		var profile struct {
			Segments []struct {
				Name  string
				Since time.Time
			}
		}
		h.ask("GET", "/users/"+h.address(user)+"/segments", "", http.StatusOK, &profile)
		got := []string{}
		for _, s := range profile.Segments {
			got = append(got, s.Name)
			if !s.Since.Equal(asOf[3]) {
				t.Errorf("%s is in %s since %v; want %v", user, s.Name, s.Since, asOf[3])
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("the profile of %s has %v; want %v", user, got, want)
		}
	}
	var seg struct {
		LastRun  struct{ Size, Entered, Exited int } `json:"last_run"`
		LiveAsOf time.Time                           `json:"live_as_of"`
	}
	h.ask("GET", "/segments/"+ones, "", http.StatusOK, &seg)
	if seg.LastRun.Size != 2 || seg.LastRun.Entered != 0 || seg.LastRun.Exited != 1 || !seg.LiveAsOf.Equal(asOf[4]) {
		t.Errorf("the segment says %+v", seg)
	}
}

// TestErasingFromLiveSegments erases a user whom ticks have been keeping, while they go on: she is in no live segment, no run and no
// answer, and is a new user when she comes back.
func TestErasingFromLiveSegments(t *testing.T) {
	h := newHouse(t)
	hour := time.Now().Add(-time.Hour)
	h.send(identify("ann", `{"n":1}`), identify("bob", `{"n":1}`), identify("cat", `{"n":1}`), track("bob", "bought", hour, `{}`))
	ones := h.saveLive("Ones", `{"attribute":"n","op":"equals","value":1}`, true)
	buyers := h.saveLive("Buyers", `{"event":"bought"}`, true)
	others := h.saveLive("Others", `{"not":{"event":"bought"}}`, true)
	h.tick()
	h.send(identify("ann", `{"n":2}`), track("ann", "bought", hour, `{}`))
	h.tick()
	h.send(identify("ann", `{"n":1}`))
	h.tick()
	for round := range 3 {
		address, uid := h.address("ann"), h.uid("ann")
		if _, got := h.mine(h.keys.SecretKey, ofUser("ann")); !slices.Contains(got, "Ones") {
			t.Fatalf("ann is in %v", got)
		}
		// Ticks have to do with her to the last, and go on while she is erased. In the last round none does.
		h.acknowledge(identify("ann", fmt.Sprintf(`{"n":%d}`, 1+round%2)), track("ann", "bought", hour, `{}`))
		ctx, cancel := context.WithCancel(t.Context())
		var ticking sync.WaitGroup
		if round < 2 {
			ticking.Go(func() {
				for ctx.Err() == nil {
					if _, err := h.live.Tick(ctx, h.project); err != nil && ctx.Err() == nil {
						t.Error(err)
					}
				}
			})
		}
		h.ask("DELETE", "/users/"+address, "", http.StatusNoContent, nil)
		if _, got := h.mine(h.keys.SecretKey, ofUser("ann")); len(got) > 0 {
			t.Errorf("right after she was erased, ann is in %v", got)
		}
		h.ask("POST", "/users/"+address+"/segments", `{}`, http.StatusNotFound, nil)
		cancel()
		ticking.Wait()
		for range 2 { // what was remembered, and what is known by now
			h.tick()
			if _, got := h.mine(h.keys.SecretKey, ofUser("ann")); len(got) > 0 {
				t.Errorf("ann is in %v", got)
			}
			h.nowhere(uid)
			for id, want := range map[string][]string{ones: {"bob", "cat"}, buyers: {"bob"}, others: {"cat"}} {
				var members listed
				h.ask("GET", "/segments/"+id+"/members", "", http.StatusOK, &members)
				names := namesOf(members.Users)
				if slices.Sort(names); !slices.Equal(names, want) || members.Total != len(want) {
					t.Errorf("the members are %v, %d in all; want %v", names, members.Total, want)
				}
				if held := h.current.Project(h.project.ID).Members(id); held.GetCardinality() != uint64(len(want)) {
					t.Errorf("memory has %v; want %v", held, want)
				}
			}
		}
		h.send(identify("ann", `{"n":1}`))
		h.tick()
		if status, got := h.mine(h.keys.SecretKey, ofUser("ann")); status != 200 || !slices.Equal(got, []string{"Ones", "Others"}) {
			t.Errorf("back again, ann is in %v: she bought nothing in this life", got)
		}
		if again := h.uid("ann"); again <= uid {
			t.Errorf("the new user has uid %d, the erased one had %d", again, uid)
		}
	}
}

// nowhere looks for a uid in everything that is kept of memberships, and at whether all runs count what they have.
func (h *house) nowhere(uid uint32) {
	h.t.Helper()
	for _, sql := range []string{
		`SELECT count() FROM segment_members WHERE bitmapContains(members, %d) OR bitmapContains(entered, %[1]d) OR bitmapContains(exited, %[1]d)`,
		`SELECT count() FROM run_members WHERE bitmapContains(members, %d)`,
		`SELECT count() FROM segment_change_rows WHERE uid = %d`,
		`SELECT count() FROM (
			SELECT r.run, any(r.size) AS size, sum(bitmapCardinality(m.members)) AS has
			FROM segment_runs AS r LEFT JOIN run_members AS m ON m.segment = r.segment AND m.run = r.run
			GROUP BY r.run HAVING size != has) -- %d`,
		`SELECT count() FROM (
			SELECT r.run, any(r.entered) AS entering, any(r.exited) AS exiting, sum(bitmapCardinality(m.entered)) AS entered, sum(bitmapCardinality(m.exited)) AS exited
			FROM segment_runs AS r LEFT JOIN segment_members AS m ON m.segment = r.segment AND m.run = r.run
			GROUP BY r.run HAVING entering != entered OR exiting != exited) -- %d`,
	} {
		var n uint64
		if err := h.db.QueryRow(h.t.Context(), fmt.Sprintf(sql, uid)).Scan(&n); err != nil {
			h.t.Fatal(err)
		}
		if n > 0 {
			h.t.Errorf("%d rows of %s", n, fmt.Sprintf(sql, uid))
		}
	}
}
