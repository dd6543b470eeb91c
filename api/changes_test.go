package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
)

type changed struct {
	cost

	Changes []struct {
		person

		Change, Run string
		At          time.Time
		Revision    int
		UID         int
	}
	Total int
	Next  *string
}

// TestChanges follows a segment through five runs and two revisions.
func TestChanges(t *testing.T) {
	h := newHouse(t)
	h.send(identify("ann", `{"n":1}`), identify("bob", `{"n":1}`), identify("cat", `{"n":0}`))
	seg := h.save("Ones", `{"attribute":"n","op":"equals","value":1}`)
	other := h.save("Others", `{"everyone":true}`)
	var times []time.Time
	materialize := func() {
		t.Helper()
		var run struct {
			AsOf time.Time `json:"as_of"`
		}
		h.ask("POST", "/segments/"+seg+"/materialize", "", http.StatusOK, &run)
		times = append(times, run.AsOf)
	}
	h.ask("POST", "/segments/"+other+"/materialize", "", http.StatusOK, nil)
	materialize()
	h.send(identify("ann", `{"n":0}`), identify("cat", `{"n":1}`))
	materialize()
	materialize() // nothing changed
	h.ask("PUT", "/segments/"+seg, `{"name":"Zeros","definition":{"attribute":"n","op":"equals","value":0}}`, http.StatusOK, nil)
	materialize()
	h.send(identify("bob", `{"n":0}`))
	materialize()

	read := func(query url.Values) (all []string, total int) {
		t.Helper()
		for {
			var page changed
			h.ask("GET", "/segments/"+seg+"/changes?"+query.Encode(), "", http.StatusOK, &page)
			page.check(t)
			for _, c := range page.Changes {
				run := slices.IndexFunc(times, c.At.Equal)
				if c.UID == 0 || c.Run == "" || len(c.User) != 16 {
					t.Errorf("a change says %+v", c)
				}
				all = append(all, fmt.Sprintf("%d/%d %s %s", run+1, c.Revision, c.name(), c.Change))
			}
			if page.Next == nil {
				return all, page.Total
			}
			query.Set("cursor", *page.Next)
		}
	}
	want := [][]string{
		{"1/1 ann entered", "1/1 bob entered"},
		{"2/1 cat entered", "2/1 ann exited"},
		{"4/2 ann entered", "4/2 bob exited", "4/2 cat exited"},
		{"5/2 bob entered"},
	}
	at := func(i int) string { return times[i].Format(time.RFC3339Nano) }
	for _, c := range []struct {
		name  string
		query url.Values
		want  [][]string
	}{
		{"all", url.Values{}, want},
		{"one at a time", url.Values{"limit": {"1"}}, want},
		{"two at a time", url.Values{"limit": {"2"}}, want},
		{"three at a time", url.Values{"limit": {"3"}}, want},
		{"from, in", url.Values{"from": {at(1)}}, want[1:]},
		{"to, out", url.Values{"to": {at(3)}, "limit": {"1"}}, want[:2]},
		{"between", url.Values{"from": {at(1)}, "to": {at(4)}}, want[1:3]},
		{"when nothing changed", url.Values{"from": {at(2)}, "to": {at(3)}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, total := read(c.query)
			wanted := slices.Concat(c.want...)
			slices.Sort(got) // within a run the order is that of uids
			slices.Sort(wanted)
			if !slices.Equal(got, wanted) || total != len(wanted) {
				t.Errorf("%d changes: %v, want %v", total, got, wanted)
			}
		})
	}
	var first changed
	h.ask("GET", "/segments/"+seg+"/changes?limit=2", "", http.StatusOK, &first)
	h.send(identify("cat", `{"n":0}`))
	materialize()
	var rest changed
	h.ask("GET", "/segments/"+seg+"/changes?limit=1000&cursor="+*first.Next, "", http.StatusOK, &rest)
	if len(rest.Changes) != 6 || rest.Total != 8 {
		t.Errorf("after a new run the second page has %d changes of %d, want the 6 of the list that was begun", len(rest.Changes), rest.Total)
	}
	h.ask("DELETE", "/users/"+h.address("bob"), "", http.StatusNoContent, nil)
	got, total := read(url.Values{})
	for _, line := range got {
		if slices.Contains([]string{"1/1 bob entered", "4/2 bob exited", "5/2 bob entered"}, line) {
			t.Errorf("%q is still told of an erased user", line)
		}
	}
	if total != 6 || len(got) != 6 {
		t.Errorf("without bob there are %d changes of %d: %v", len(got), total, got)
	}
	h.refuse(t, []refusal{
		{name: "no segment", method: "GET", path: "/segments/nope/changes", status: 404, code: "not_found", hint: "lists them"},
		{name: "a cursor of another range", method: "GET", path: "/segments/" + seg + "/changes?from=2020-01-01T00:00:00Z&cursor=" + *first.Next, status: 400, code: "invalid_argument", hint: "same request"},
		{name: "a cursor of another segment", method: "GET", path: "/segments/" + other + "/changes?cursor=" + *first.Next, status: 400, code: "invalid_argument", hint: "same request"},
		{name: "no cursor", method: "GET", path: "/segments/" + seg + "/changes?cursor=x", status: 400, code: "invalid_argument", hint: "next"},
		{name: "no time", method: "GET", path: "/segments/" + seg + "/changes?from=yesterday", status: 400, code: "invalid_argument", pointer: "query.from"},
	})
}
