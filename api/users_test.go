package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// pages walks a list to its end, some users at a time, and returns everybody's names.
func (h *house) pages(body string, limit int) []string {
	h.t.Helper()
	var names []string
	for cursor := ""; ; {
		ask := strings.TrimSuffix(body, "}") + fmt.Sprintf(`,"limit":%d`, limit)
		if cursor != "" {
			ask += fmt.Sprintf(`,"cursor":%q`, cursor)
		}
		var page listed
		h.ask("POST", "/users/query", ask+"}", http.StatusOK, &page)
		page.check(h.t)
		names = append(names, namesOf(page.Users)...)
		if page.Next == nil {
			if page.Total != len(names) {
				h.t.Errorf("%s has %d users in all and lists %d", body, page.Total, len(names))
			}
			return names
		}
		if len(page.Users) != limit {
			h.t.Errorf("a page of %s has %d users and is not the last", body, len(page.Users))
		}
		cursor = *page.Next
	}
}

func TestUsersInAnOrder(t *testing.T) {
	h := newHouse(t)
	day := time.Now().Add(-72 * time.Hour).UTC().Truncate(time.Millisecond)
	h.send(
		track("ann", "seen", day, `{}`), track("bob", "seen", day.Add(time.Hour), `{}`), track("cat", "seen", day.Add(2*time.Hour), `{}`),
		track("cat", "seen", day.Add(9*time.Hour), `{}`), // another session
		track("dan", "seen", day.Add(3*time.Hour), `{}`), track("eve", "seen", day.Add(4*time.Hour), `{}`),
		track("fay", "seen", day.Add(5*time.Hour), `{}`), track("gus", "seen", day.Add(6*time.Hour), `{}`),
		track("hal", "seen", day.Add(7*time.Hour), `{}`),
	)
	set := func(user, traits string) string {
		return fmt.Sprintf(`{"type":"identify","userId":%q,"timestamp":%q,"traits":%s}`, user, day.Format(time.RFC3339Nano), traits)
	}
	h.send(
		set("ann", `{"n":10,"mixed":"b"}`), set("bob", `{"n":"9","mixed":2}`), set("cat", `{"n":9,"mixed":"B"}`),
		set("dan", `{"n":-1.5e300,"mixed":true}`), set("eve", `{"n":null,"mixed":["x"]}`), set("fay", `{"n":9,"mixed":"2024-05-01T00:00:00Z"}`),
		set("gus", `{"mixed":"2024-04-30"}`), set("hal", `{"n":1e300,"mixed":"it's \\ \"a\" {n:String}\u0000é?"}`),
	)
	for _, c := range []struct {
		name, body string
		want       []string
	}{
		{"in the order they came", `{"columns":["n"]}`, nil},
		{"numbers, and texts that are some", `{"sort":{"attribute":"n"}}`, []string{"dan", "bob|cat|fay", "bob|cat|fay", "bob|cat|fay", "ann", "hal", "eve|gus", "eve|gus"}},
		{"from the greatest, missing last", `{"sort":{"attribute":"n","order":"desc"}}`, []string{"hal", "ann", "bob|cat|fay", "bob|cat|fay", "bob|cat|fay", "dan", "eve|gus", "eve|gus"}},
		{"numbers, times, booleans, texts, lists", `{"sort":{"attribute":"mixed","order":"asc"}}`, []string{"bob", "gus", "fay", "dan", "cat", "ann", "hal", "eve"}},
		{"and back", `{"sort":{"attribute":"mixed","order":"desc"}}`, []string{"eve", "hal", "ann", "cat", "dan", "fay", "gus", "bob"}},
		{"a native time", `{"sort":{"attribute":"last_seen","order":"desc"}}`, []string{"cat", "hal", "gus", "fay", "eve", "dan", "bob", "ann"}},
		{"an id", `{"sort":{"attribute":"user_id"}}`, []string{"ann", "bob", "cat", "dan", "eve", "fay", "gus", "hal"}},
		{"an attribute nobody has", `{"sort":{"attribute":"nobody has it"}}`, nil},
		{
			"of some", `{"definition":{"attribute":"n","op":"equals","value":9},"sort":{"attribute":"mixed"}}`,
			[]string{"bob", "fay", "cat"},
		},
		{"of nobody", `{"definition":{"not":{"everyone":true}},"sort":{"attribute":"n"}}`, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			whole := h.pages(c.body, 1000)
			if c.want != nil {
				if len(whole) != len(c.want) {
					t.Fatalf("listed %v, want %v", whole, c.want)
				}
				for i, names := range c.want {
					if !slices.Contains(strings.Split(names, "|"), whole[i]) {
						t.Fatalf("listed %v, want %v", whole, c.want)
					}
				}
			}
			for _, limit := range []int{1, 3} {
				if got := h.pages(c.body, limit); !slices.Equal(got, whole) {
					t.Errorf("by %d: %v, at once: %v", limit, got, whole)
				}
			}
		})
	}
	var sessions listed
	h.ask("POST", "/users/query", `{"sort":{"attribute":"sessions","order":"desc"},"limit":1,"columns":["sessions"]}`, http.StatusOK, &sessions)
	if got := sessions.Users[0]; got.name() != "cat" || fmt.Sprint(got.Attributes) != "map[sessions:3]" {
		t.Errorf("the user with the most sessions is %s with %v, want cat with 3 of them and nothing else", got.name(), got.Attributes)
	}
}

// A list is as of the time its first page was asked for, whatever comes in between.
func TestPagesGoOnWhileTrafficComesIn(t *testing.T) {
	h := newHouse(t)
	h.send(identify("ann", `{"n":1}`), identify("bob", `{"n":2}`), identify("cat", `{"n":3}`))
	body := `{"definition":{"attribute":"n","op":"exists"},"sort":{"attribute":"n"},"limit":1`
	var page listed
	h.ask("POST", "/users/query", body+`}`, http.StatusOK, &page)
	h.send(identify("ann", `{"n":9}`), identify("cat", `{"n":0}`), identify("dan", `{"n":2.5}`), identify("bob", `{"n":null}`))
	names := namesOf(page.Users)
	for page.Next != nil {
		h.ask("POST", "/users/query", body+fmt.Sprintf(`,"cursor":%q}`, *page.Next), http.StatusOK, &page)
		names = append(names, namesOf(page.Users)...)
	}
	if want := []string{"ann", "bob", "cat"}; !slices.Equal(names, want) || page.Total != 3 {
		t.Errorf("the pages list %v of %d, want %v", names, page.Total, want)
	}
	if got := h.matching(`{"attribute":"n","op":"exists"}`); !slices.Equal(got, []string{"ann", "cat", "dan"}) {
		t.Errorf("a new list is of %v", got)
	}
}

// What was received later is in no list that is as known before, nor in what it shows of its users.
func TestUsersAsKnownBefore(t *testing.T) {
	h := newHouse(t)
	day := time.Now().Add(-24 * time.Hour)
	h.send(
		track("ann", "bought", day, `{}`), fmt.Sprintf(`{"type":"identify","userId":"ann","timestamp":%q,"traits":{"plan":"free"}}`, day.Format(time.RFC3339Nano)),
	)
	known := time.Now()
	time.Sleep(5 * time.Millisecond)
	h.send( // late: said to have been long before
		track("ann", "bought", day.Add(-time.Hour), `{}`), track("bob", "bought", day.Add(-time.Hour), `{}`),
		fmt.Sprintf(`{"type":"identify","userId":"ann","timestamp":%q,"traits":{"plan":"pro"}}`, day.Add(time.Minute).Format(time.RFC3339Nano)),
	)
	var before, now listed
	h.ask("POST", "/users/query", `{"sort":{"attribute":"plan"}}`, http.StatusOK, &now)
	h.ask("POST", "/users/query", fmt.Sprintf(`{"sort":{"attribute":"plan"},"known_at":%q}`, known.Format(time.RFC3339Nano)), http.StatusOK, &before)
	if got := namesOf(now.Users); !slices.Equal(got, []string{"ann", "bob"}) || now.Users[0].Attributes["plan"] != "pro" {
		t.Errorf("now %v are users and ann is %v", got, now.Users[0].Attributes)
	}
	if got := namesOf(before.Users); !slices.Equal(got, []string{"ann"}) {
		t.Fatalf("%v were known then, want ann", got)
	}
	shown := before.Users[0].Attributes
	if shown["plan"] != "free" || shown["first_seen"] != day.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano) || shown["sessions"] != float64(1) {
		t.Errorf("what was known of ann is %v", shown)
	}
	// With a cursor too.
	var page listed
	body := fmt.Sprintf(`{"known_at":%q,"limit":1`, time.Now().Format(time.RFC3339Nano))
	h.ask("POST", "/users/query", body+"}", http.StatusOK, &page)
	h.send(track("cat", "bought", day.Add(-time.Hour), `{}`))
	rest := listed{}
	h.ask("POST", "/users/query", body+fmt.Sprintf(`,"cursor":%q}`, *page.Next), http.StatusOK, &rest)
	if rest.Total != 2 || rest.Next != nil || len(rest.Users) != 1 {
		t.Errorf("the second page is %+v, want the last of two users", rest)
	}
}

func TestUsersRefused(t *testing.T) {
	h := newHouse(t)
	h.send(identify("ann", `{}`), identify("bob", `{}`))
	var page listed
	h.ask("POST", "/users/query", `{"limit":1,"sort":{"attribute":"a"}}`, http.StatusOK, &page)
	next, err := json.Marshal(page.Next)
	if err != nil || page.Next == nil {
		t.Fatalf("there is no second page: %v", err)
	}
	for _, c := range []struct{ name, body string }{
		{"another order", `{"cursor":` + string(next) + `,"sort":{"attribute":"b"}}`},
		{"the other way", `{"cursor":` + string(next) + `,"sort":{"attribute":"a","order":"desc"}}`},
		{"no order", `{"cursor":` + string(next) + `}`},
		{"another definition", `{"cursor":` + string(next) + `,"sort":{"attribute":"a"},"definition":{"identified":true}}`},
	} {
		h.refuse(t, []refusal{{
			name: "a cursor of a list with " + c.name, method: "POST", path: "/users/query", body: c.body,
			status: 400, code: "invalid_argument", hint: "the same request",
		}})
	}
	h.refuse(t, []refusal{
		{name: "no cursor", method: "POST", path: "/users/query", body: `{"cursor":"x"}`, status: 400, code: "invalid_argument", hint: "next"},
		{name: "an order of nothing", method: "POST", path: "/users/query", body: `{"sort":{"attribute":""}}`, status: 400, code: "invalid_argument", pointer: "/sort/attribute"},
		{name: "neither up nor down", method: "POST", path: "/users/query", body: `{"sort":{"attribute":"a","order":"up"}}`, status: 400, code: "invalid_argument", pointer: "/sort/order"},
		{name: "too many", method: "POST", path: "/users/query", body: `{"limit":1001}`, status: 400, code: "invalid_argument", pointer: "/limit"},
		{name: "a field nobody knows", method: "POST", path: "/users/query", body: `{"order":"a"}`, status: 400, code: "invalid_argument", pointer: "/order"},
		{name: "a key that stands twice", method: "POST", path: "/users/query", body: `{"limit":1,"limit":2}`, status: 400, code: "invalid_json"},
		{name: "a condition that is none", method: "POST", path: "/users/query", body: `{"definition":{"attrib":"a","op":"exists"}}`, status: 400, code: "invalid_definition", issue: "unknown_field", pointer: "/definition/attrib"},
		{name: "a time nobody can count with", method: "POST", path: "/users/query", body: `{"known_at":"1969-01-01T00:00:00Z"}`, status: 400, code: "invalid_argument", issue: "out_of_range", pointer: "/known_at"},
	})
}
