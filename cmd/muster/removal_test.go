package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestRemovals has a user's custom attributes unset by messages that do not name them, and asks everything that tells of attributes.
// The messages come in another order than they were said in.
func TestRemovals(t *testing.T) {
	s := startTest(t, t.TempDir())
	defer s.close()
	ask(t, s, "POST", "/v1/batch", `{"batch":[
		{"type":"identify","userId":"ann","timestamp":"2026-01-03T10:00:00Z","traits":{"seats":3},"options":{"removeUnspecified":true}},
		{"type":"identify","userId":"ann","timestamp":"2026-01-01T10:00:00Z","traits":{"plan":"pro","seats":1,"email":"a@x","group":{"size":5}}},
		{"type":"group","userId":"ann","groupId":"g","timestamp":"2026-01-01T10:00:00Z"},
		{"type":"identify","userId":"ann","timestamp":"2026-01-02T10:00:00Z","traits":{"plan":"team"}},
		{"type":"identify","anonymousId":"phone","timestamp":"2026-01-02T11:00:00Z","traits":{"city":"Rome"}},
		{"type":"identify","userId":"ann","anonymousId":"phone","timestamp":"2026-01-04T10:00:00Z"},
		{"type":"identify","userId":"bob","timestamp":"2026-01-01T10:00:00Z","traits":{"plan":"pro"}}]}`, 200, nil)
	ask(t, s, "POST", "/api/v1/flush", "", 204, nil)
	ann := address(t, s, "ann")

	attributes := func(query string) []string {
		t.Helper()
		var p struct {
			Attributes map[string]struct{ Value any }
		}
		ask(t, s, "GET", "/api/v1/users/"+ann+query, "", 200, &p)
		var all []string
		for _, name := range slices.Sorted(maps.Keys(p.Attributes)) {
			all = append(all, fmt.Sprint(name, "=", p.Attributes[name].Value))
		}
		return all
	}
	if got, want := attributes(""), []string{"email=a@x", "group.id=g", "group.size=5", "seats=3"}; !slices.Equal(got, want) {
		t.Errorf("the profile has %q, want %q", got, want)
	}
	before := []string{"city=Rome", "email=a@x", "group.id=g", "group.size=5", "plan=team", "seats=1"}
	if got := attributes("?as_of=2026-01-03T09:00:00Z"); !slices.Equal(got, before) {
		t.Errorf("before the removal the profile has %q, want %q", got, before)
	}

	type snapshot struct {
		Value any
		Kind  string
		Time  string
	}
	history := func(name string) []string {
		t.Helper()
		var all []string
		for cursor := ""; ; {
			var page struct {
				Snapshots []snapshot
				Next      *string
			}
			ask(t, s, "GET", "/api/v1/users/"+ann+"/attributes/"+name+"/history?limit=1"+cursor, "", 200, &page)
			for _, v := range page.Snapshots {
				all = append(all, fmt.Sprint(v.Time[:10], " ", v.Value))
			}
			if page.Next == nil {
				return all
			}
			cursor = "&cursor=" + *page.Next
		}
	}
	for name, want := range map[string][]string{
		"plan":       {"2026-01-03 <nil>", "2026-01-02 team", "2026-01-01 pro"},
		"seats":      {"2026-01-03 3", "2026-01-01 1"},
		"city":       {"2026-01-03 <nil>", "2026-01-02 Rome"},
		"group.size": {"2026-01-01 5"},
		"email":      {"2026-01-01 a@x"},
		"never":      nil,
	} {
		if got := history(name); !slices.Equal(got, want) {
			t.Errorf("the history of %s is %q, want %q", name, got, want)
		}
	}

	var x explanation
	ask(t, s, "POST", "/api/v1/segments/explain", `{"definition":{"all":[{"attribute":"plan","op":"exists"},{"attribute":"seats","op":"exists"},
		{"attribute":"group.size","op":"exists"},{"attribute":"never","op":"exists"}]},"user":"`+ann+`"}`, 200, &x)
	var shown []string
	for _, c := range x.Tree.Children {
		said := "-"
		if c.SaidAt != nil {
			said = c.SaidAt.Format("01-02")
		}
		shown = append(shown, fmt.Sprint(c.Matched, " ", c.Value, " ", said))
	}
	if want := []string{"false <nil> 01-03", "true 3 01-03", "true 5 01-01", "false <nil> -"}; !slices.Equal(shown, want) {
		t.Errorf("explained as %q, want %q", shown, want)
	}

	var list struct {
		Users []struct {
			User       string
			Attributes map[string]any
		}
	}
	for _, body := range []string{`{"sort":{"attribute":"plan"}}`, `{"sort":{"attribute":"plan","order":"desc"},"columns":["plan","seats"]}`} {
		ask(t, s, "POST", "/api/v1/users/query", body, 200, &list)
		if u := list.Users; len(u) != 2 || u[1].User != ann || u[1].Attributes["plan"] != nil || u[1].Attributes["seats"] != 3.0 || u[0].Attributes["plan"] != "pro" {
			t.Errorf("%s lists %+v", body, u)
		}
		list.Users = nil
	}

	var preview previewed
	ask(t, s, "POST", "/api/v1/segments/preview", `{"definition":{"attribute":"plan","op":"exists"}}`, 200, &preview)
	if preview.Count != 1 {
		t.Errorf("%d users have a plan, want 1", preview.Count)
	}
	ask(t, s, "POST", "/api/v1/segments/preview", `{"definition":{"attribute":"","op":"exists"}}`, 400, nil)

	var catalog struct {
		Attributes []struct {
			Attribute string
			Values    map[string]int
		}
	}
	ask(t, s, "GET", "/api/v1/attributes", "", 200, &catalog)
	var names []string
	for _, a := range catalog.Attributes {
		names = append(names, fmt.Sprint(a.Attribute, len(a.Values)))
	}
	if got := strings.Join(names, " "); got != "city0 email1 group.id1 group.size1 plan1 seats1" {
		t.Errorf("the catalog has %s", got)
	}
}
