package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// address returns the address of a user by its user id.
func address(t *testing.T, s *service, userID string) string {
	t.Helper()
	var list struct {
		Users []struct {
			User   string
			UserID *string `json:"user_id"`
		}
	}
	ask(t, s, "POST", "/api/v1/users/query", `{"limit":1000}`, 200, &list)
	for _, u := range list.Users {
		if u.UserID != nil && *u.UserID == userID {
			return u.User
		}
	}
	t.Fatalf("there is no user %s", userID)
	return ""
}

type node struct {
	Kind, Pointer, Sentence string
	Matched                 bool
	Value                   any
	Threshold               map[string]any
	Window                  *struct {
		From, To     *time.Time
		FromIncluded bool `json:"from_included"`
		ToIncluded   bool `json:"to_included"`
	}
	ValueKind string `json:"value_kind"`
	Source    string
	SaidAt    *time.Time `json:"said_at"`
	Count     *int
	Times     []time.Time
	Steps     []struct {
		Event string
		Time  *time.Time
	}
	Answers []struct {
		Value   any
		Counted bool
	}
	Segment  *struct{ ID, Name string }
	Children []node
}

type explanation struct {
	User     string
	UserID   *string `json:"user_id"`
	Matched  bool
	Reason   string
	Sentence string
	Segment  *struct{ ID string }
	Tree     node
	AsOf     time.Time `json:"as_of"`
	RowsRead int       `json:"rows_read"`
}

// TestExplain asks why a user is in a definition, over HTTP.
func TestExplain(t *testing.T) {
	s := startTest(t, t.TempDir())
	defer s.close()
	ask(t, s, "POST", "/v1/batch", `{"batch":[
		{"type":"identify","userId":"ann","anonymousId":"a1","traits":{"plan":"pro","seats":3}},
		{"type":"track","userId":"ann","event":"buy","properties":{"amount":5,"cart":{"size":2,"a:b":true}},"timestamp":"2026-01-02T10:00:00Z"},
		{"type":"track","anonymousId":"a1","event":"buy","properties":{"amount":7.5},"timestamp":"2026-01-03T10:00:00Z"},
		{"type":"track","userId":"ann","event":"$experience","properties":{"experience":"nps","type":"survey","interaction":"answered","question":"q1","answer":"Yes"},"timestamp":"2026-01-04T10:00:00Z"},
		{"type":"identify","userId":"bob","traits":{"plan":"free"}}]}`, 200, nil)
	ask(t, s, "POST", "/api/v1/flush", "", 204, nil)
	ann, bob := address(t, s, "ann"), address(t, s, "bob")
	var seg struct{ ID string }
	ask(t, s, "POST", "/api/v1/segments", `{"name":"Pro","definition":{"attribute":"plan","op":"equals","value":"pro"}}`, 201, &seg)

	definition := `{"all":[{"segment":"` + seg.ID + `"},
		{"event":"buy","count":{"op":"gte","value":2},"since":"2026-01-02"},
		{"event":"buy","aggregate":{"fn":"sum","property":"amount"},"op":"gt","value":20},
		{"event":"buy","aggregate":{"fn":"max","property":"none"},"op":"gt","value":20},
		{"attribute":"gone","op":"not_equals","value":"x"},
		{"experience":"nps","question":"q1","answer":{"op":"equals","value":"Yes"}},
		{"sequence":[{"event":"buy"},{"event":"$experience"},{"event":"never"}]},
		{"event":"buy","first":{"op":"before","value":"2026-02-01"}}]}`
	var x explanation
	ask(t, s, "POST", "/api/v1/segments/explain", `{"definition":`+definition+`,"user":"`+ann+`"}`, 200, &x)
	if x.Matched || x.Tree.Kind != "all" || x.User != ann || x.UserID == nil || *x.UserID != "ann" || x.RowsRead == 0 || x.AsOf.IsZero() || x.Reason != "" {
		t.Errorf("explained %+v", x)
	}
	var held []string
	for i, c := range x.Tree.Children {
		held = append(held, fmt.Sprintf("%s %v %v", c.Kind, c.Matched, c.Value))
		if want := fmt.Sprintf("/definition/all/%d", i); c.Pointer != want {
			t.Errorf("the pointer of %s is %s, want %s", c.Kind, c.Pointer, want)
		}
	}
	want := []string{
		"segment true <nil>", "event true 2", "aggregate false 12.5", "aggregate false <nil>", "attribute true <nil>", "answer true Yes",
		"sequence false 2", "first true 2026-01-02T10:00:00Z",
	}
	if !slices.Equal(held, want) {
		t.Errorf("the conditions are\n%s\nwant\n%s", strings.Join(held, "\n"), strings.Join(want, "\n"))
	}
	inner := x.Tree.Children[0]
	if inner.Segment == nil || inner.Segment.Name != "Pro" || len(inner.Children) != 1 || inner.Children[0].Value != "pro" ||
		inner.Children[0].Pointer != "/definition" || inner.Children[0].ValueKind != "text" || inner.Children[0].Source != "custom" || inner.Children[0].SaidAt == nil {
		t.Errorf("the segment is %+v", inner)
	}
	bought := x.Tree.Children[1]
	if len(bought.Times) != 2 || bought.Times[0].Format(time.RFC3339) != "2026-01-03T10:00:00Z" || bought.Threshold["value"] != 2.0 ||
		bought.Window == nil || bought.Window.From.Format(time.RFC3339) != "2026-01-02T00:00:00Z" || !bought.Window.FromIncluded ||
		!bought.Window.To.Equal(x.AsOf) || bought.Sentence != "did buy at least 2 times since 2026-01-02" {
		t.Errorf("the event is %+v, %+v", bought, bought.Window)
	}
	steps := x.Tree.Children[6].Steps
	if len(steps) != 3 || steps[1].Time == nil || steps[2].Time != nil || steps[2].Event != "never" {
		t.Errorf("the steps are %+v", steps)
	}

	ask(t, s, "POST", "/api/v1/segments/explain", `{"segment":"`+seg.ID+`","user":"`+bob+`"}`, 200, &x)
	if x.Matched || x.Tree.Kind != "attribute" || x.Tree.Value != "free" || x.Segment == nil || x.Segment.ID != seg.ID {
		t.Errorf("bob in the segment: %+v", x)
	}
	ask(t, s, "POST", "/api/v1/segments/explain", `{"definition":{"not":{"event":"buy"}},"user":"`+bob+`","as_of":"2025-01-01T00:00:00Z"}`, 200, &x)
	if x.Matched || !strings.Contains(x.Reason, "first seen at") {
		t.Errorf("bob before bob was seen: %+v", x)
	}
	var document struct{ Paths map[string]any }
	ask(t, s, "GET", "/openapi.json", "", 200, &document)
	if document.Paths["/api/v1/segments/explain"] == nil || document.Paths["/api/v1/users/{user}/attributes/{name}/history"] == nil {
		t.Errorf("the OpenAPI document has %d paths and not these", len(document.Paths))
	}
	for _, c := range []struct {
		body string
		code int
		what string
	}{
		{`{"definition":{"everyone":true},"user":"00000000000000ff"}`, 404, "not_found"},
		{`{"definition":{"everyone":true},"user":"nobody"}`, 404, "not_found"},
		{`{"segment":"nope","user":"` + bob + `"}`, 404, "not_found"},
		{`{"user":"` + bob + `"}`, 400, "invalid_argument"},
		{`{"definition":{"everyone":true},"segment":"` + seg.ID + `","user":"` + bob + `"}`, 400, "invalid_argument"},
		{`{"definition":{"any":[{"segment":"nope"}]},"user":"` + bob + `"}`, 400, "invalid_definition"},
		{`{"definition":{"everyone":true},"user":"` + bob + `","as_of":"1800-01-01T00:00:00Z"}`, 400, "invalid_argument"},
	} {
		var p struct {
			Code   string
			Errors []struct{ Pointer string }
		}
		ask(t, s, "POST", "/api/v1/segments/explain", c.body, c.code, &p)
		if p.Code != c.what {
			t.Errorf("%s is refused as %s, want %s", c.body, p.Code, c.what)
		}
		if strings.Contains(c.body, "1800") && (len(p.Errors) != 1 || p.Errors[0].Pointer != "/as_of") {
			t.Errorf("a time out of range is at %+v", p.Errors)
		}
	}
}

// TestProfile reads all that is known of a user.
func TestProfile(t *testing.T) {
	s := startTest(t, t.TempDir())
	defer s.close()
	var batch []string
	for i := range 7 {
		batch = append(batch, fmt.Sprintf(`{"type":"track","anonymousId":"a1","event":"visit","messageId":"v%d","timestamp":"2026-01-0%dT10:00:00Z",
			"properties":{"n":%d,"big":9007199254740993,"cart":{"a:b":true},"list":["x","y"]},"context":{"page":{"path":"/p"}}}`, i, i+1, i))
	}
	batch = append(batch, batch[0],
		`{"type":"identify","userId":"ann","anonymousId":"a1","timestamp":"2026-02-01T10:00:00Z","traits":{"plan":"free","a/b":1,"email":"ann@example.com","seats":3}}`,
		`{"type":"identify","userId":"ann","timestamp":"2026-02-02T10:00:00Z","traits":{"plan":"pro","seats":null}}`,
		`{"type":"track","userId":"ann","event":"$experience","timestamp":"2026-02-03T10:00:00Z","properties":{"experience":"tour","type":"tour","interaction":"seen"}}`,
		`{"type":"track","userId":"ann","event":"$experience","timestamp":"2026-02-04T10:00:00Z","properties":{"experience":"tour","type":"tour","interaction":"seen"}}`,
		`{"type":"track","userId":"ann","event":"$experience","timestamp":"2026-02-05T10:00:00Z","properties":{"experience":"nps","type":"survey","interaction":"answered","question":"q1","answer":9}}`,
		`{"type":"identify","userId":"bob","traits":{"plan":"free"}}`)
	ask(t, s, "POST", "/v1/batch", `{"batch":[`+strings.Join(batch, ",")+`]}`, 200, nil)
	ask(t, s, "POST", "/api/v1/flush", "", 204, nil)
	ann := address(t, s, "ann")

	var p struct {
		User        string
		UserID      string `json:"user_id"`
		AnonymousID string `json:"anonymous_id"`
		Attributes  map[string]struct {
			Value        any
			Kind, Source string
			Time         time.Time
		}
		Actors []struct {
			Actor, Kind, ID string
			Rank            int
		}
		Counts    struct{ Events, Sessions int }
		FirstSeen time.Time `json:"first_seen"`
		LastSeen  time.Time `json:"last_seen"`
	}
	ask(t, s, "GET", "/api/v1/users/"+ann, "", 200, &p)
	if p.User != ann || p.UserID != "ann" || p.AnonymousID != "a1" || len(p.Actors) != 2 || p.Actors[0].ID != "ann" || p.Actors[0].Actor != ann || p.Actors[1].Kind != "anonymous" {
		t.Errorf("the profile is %+v", p)
	}
	if p.Counts.Events != 12 || p.Counts.Sessions != 12 || p.FirstSeen.Format(time.RFC3339) != "2026-01-01T10:00:00Z" || p.LastSeen.Format(time.RFC3339) != "2026-02-05T10:00:00Z" {
		t.Errorf("the counts are %+v, from %v to %v", p.Counts, p.FirstSeen, p.LastSeen)
	}
	if a := p.Attributes["plan"]; a.Value != "pro" || a.Kind != "text" || a.Source != "custom" || a.Time.Format(time.RFC3339) != "2026-02-02T10:00:00Z" {
		t.Errorf("the plan is %+v", a)
	}
	if _, ok := p.Attributes["seats"]; ok || p.Attributes["email"].Source != "native" || p.Attributes["a/b"].Value != 1.0 {
		t.Errorf("the attributes are %+v", p.Attributes)
	}
	ask(t, s, "GET", "/api/v1/users/"+p.Actors[1].Actor, "", 200, &p) // every actor leads to the user
	if p.User != ann {
		t.Errorf("an anonymous actor leads to %s, want %s", p.User, ann)
	}
	ask(t, s, "GET", "/api/v1/users/"+ann+"?as_of=2026-01-03T12:00:00Z", "", 200, &p)
	if p.Counts.Events != 3 {
		t.Errorf("as of the third day there are %d events, want 3", p.Counts.Events)
	}
	for _, path := range []string{"", "/events", "/experiences", "/segments", "/attributes/plan/history"} {
		ask(t, s, "GET", "/api/v1/users/00000000000000ff"+path, "", 404, nil)
		ask(t, s, "GET", "/api/v1/users/nobody"+path, "", 404, nil)
	}

	var events struct {
		Events []struct {
			Event, Actor   string
			Time, Received time.Time
			Timestamp      *time.Time
			MessageID      string `json:"message_id"`
			Properties     map[string]any
			Context        map[string]any
		}
		Next *string
	}
	var seen []string
	pages := 0
	for path := "?limit=3&event=visit"; ; pages++ {
		ask(t, s, "GET", "/api/v1/users/"+ann+"/events"+path, "", 200, &events)
		for _, e := range events.Events {
			seen = append(seen, e.MessageID)
			if e.Event != "visit" || e.Properties["cart.a:b"] != true || fmt.Sprint(e.Properties["list"]) != "[x y]" || e.Timestamp == nil || e.Received.IsZero() ||
				e.Context["page"] == nil {
				t.Errorf("an event is %+v", e)
			}
		}
		if events.Next == nil {
			break
		}
		path = "?limit=3&cursor=" + *events.Next
	}
	if want := "v6 v5 v4 v3 v2 v1 v0"; strings.Join(seen, " ") != want || pages != 2 {
		t.Errorf("the events are %v in %d pages more, want %s in 2", seen, pages, want)
	}
	ask(t, s, "GET", "/api/v1/users/"+ann+"/events?limit=1000", "", 200, &events)
	if len(events.Events) != 12 || events.Next != nil || events.Events[0].Event != "$experience" {
		t.Errorf("there are %d events, the first %+v", len(events.Events), events.Events[0])
	}
	ask(t, s, "GET", "/api/v1/users/"+ann+"/events?cursor=nonsense", "", 400, nil)

	var experiences struct {
		Experiences []struct {
			Experience   string
			Types        []string
			Interactions map[string]struct {
				Count int
				Last  time.Time
			}
			Answers []struct {
				Question string
				Value    any
			}
		}
	}
	ask(t, s, "GET", "/api/v1/users/"+ann+"/experiences", "", 200, &experiences)
	if list := experiences.Experiences; len(list) != 2 || list[0].Experience != "nps" || list[0].Answers[0].Value != 9.0 || list[1].Interactions["seen"].Count != 2 ||
		list[1].Interactions["seen"].Last.Format(time.RFC3339) != "2026-02-04T10:00:00Z" || list[1].Types[0] != "tour" {
		t.Errorf("the experiences are %+v", list)
	}

	type historyPage struct {
		Snapshots []struct {
			Value          any
			Kind, Source   string
			Time, Received time.Time
		}
		Next *string
	}
	var history historyPage
	ask(t, s, "GET", "/api/v1/users/"+ann+"/attributes/seats/history", "", 200, &history)
	if h := history.Snapshots; len(h) != 2 || h[0].Value != nil || h[0].Kind != "null" || h[1].Value != 3.0 || h[0].Received.IsZero() || history.Next != nil {
		t.Errorf("the history is %+v", history)
	}
	history = historyPage{}
	ask(t, s, "GET", "/api/v1/users/"+ann+"/attributes/plan/history?limit=1", "", 200, &history)
	if len(history.Snapshots) != 1 || history.Snapshots[0].Value != "pro" || history.Next == nil {
		t.Fatalf("the first page is %+v", history)
	}
	cursor := *history.Next
	history = historyPage{}
	ask(t, s, "GET", "/api/v1/users/"+ann+"/attributes/plan/history?limit=1&cursor="+cursor, "", 200, &history)
	if len(history.Snapshots) != 1 || history.Snapshots[0].Value != "free" || history.Next != nil {
		t.Errorf("the second page is %+v", history)
	}
	history = historyPage{}
	ask(t, s, "GET", "/api/v1/users/"+ann+"/attributes/"+url.PathEscape("a/b")+"/history", "", 200, &history)
	if len(history.Snapshots) != 1 {
		t.Errorf("the history of a name with a slash is %+v", history)
	}

	type inSegments struct {
		Segments []struct {
			ID, Name, Run string
			Since         *time.Time
			AsOf          time.Time `json:"as_of"`
		}
	}
	var first, second struct {
		Run  string
		AsOf time.Time `json:"as_of"`
	}
	var pro, free struct{ ID string }
	ask(t, s, "POST", "/api/v1/segments", `{"name":"Pro","definition":{"attribute":"plan","op":"equals","value":"pro"}}`, 201, &pro)
	ask(t, s, "POST", "/api/v1/segments", `{"name":"Free","definition":{"attribute":"plan","op":"equals","value":"free"}}`, 201, &free)
	var in inSegments
	ask(t, s, "GET", "/api/v1/users/"+ann+"/segments", "", 200, &in)
	if len(in.Segments) != 0 {
		t.Errorf("before any run the segments are %+v", in)
	}
	ask(t, s, "POST", "/api/v1/segments/"+pro.ID+"/materialize", "", 200, &first)
	ask(t, s, "POST", "/api/v1/segments/"+free.ID+"/materialize", "", 200, nil)
	ask(t, s, "POST", "/api/v1/segments/"+pro.ID+"/materialize", "", 200, &second)
	ask(t, s, "GET", "/api/v1/users/"+ann+"/segments", "", 200, &in)
	if len(in.Segments) != 1 || in.Segments[0].ID != pro.ID || in.Segments[0].Run != second.Run || in.Segments[0].Since == nil || !in.Segments[0].Since.Equal(first.AsOf) {
		t.Errorf("the segments are %+v, want Pro since %v", in, first.AsOf)
	}
}

// TestTags changes tags, from several hands at once, and finds all of it in what is queried.
func TestTags(t *testing.T) {
	dir := t.TempDir()
	s := startTest(t, dir)
	closed := false
	defer func() {
		if !closed {
			s.close()
		}
	}()
	ask(t, s, "POST", "/v1/identify", `{"userId":"ann","anonymousId":"a1","traits":{"plan":"pro"}}`, 200, nil)
	ask(t, s, "POST", "/api/v1/flush", "", 204, nil)
	ann := address(t, s, "ann")
	tags := func(body string) []string {
		t.Helper()
		var answer struct{ Tags []string }
		ask(t, s, "POST", "/api/v1/users/"+ann+"/tags", body, 200, &answer)
		return answer.Tags
	}
	if got := tags(`{"add":["vip","it's \\ 'x'","vip"]}`); !slices.Equal(got, []string{"vip", `it's \ 'x'`}) {
		t.Errorf("the tags are %q", got)
	}
	if got := tags(`{"add":["beta"],"remove":["it's \\ 'x'","nothing"]}`); !slices.Equal(got, []string{"vip", "beta"}) {
		t.Errorf("the tags are %q", got)
	}
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() { tags(fmt.Sprintf(`{"add":["t%d"]}`, i)) })
	}
	all.Wait()
	got := tags(`{}`)
	for i := range 12 {
		if !slices.Contains(got, fmt.Sprintf("t%d", i)) {
			t.Errorf("tag t%d is lost: %q", i, got)
		}
	}
	if len(got) != 14 {
		t.Errorf("there are %d tags, want 14: %q", len(got), got)
	}
	counted := func() {
		t.Helper()
		var preview previewed
		ask(t, s, "POST", "/api/v1/segments/preview", `{"definition":{"tag":"t7"}}`, 200, &preview)
		if preview.Count != 1 {
			t.Errorf("%d users have the tag, want 1", preview.Count)
		}
	}
	counted()
	var profile struct {
		Counts     struct{ Events int }
		Attributes map[string]struct{ Source string }
	}
	ask(t, s, "GET", "/api/v1/users/"+ann, "", 200, &profile)
	if profile.Counts.Events != 1 || profile.Attributes["tags"].Source != "native" {
		t.Errorf("tags are no events of the user's: %+v", profile)
	}
	for _, body := range []string{`{"add":[""]}`, `{"add":["` + strings.Repeat("x", 701) + `"]}`, `{"add":["a"],"remove":["a"]}`, `{"tags":["a"]}`} {
		ask(t, s, "POST", "/api/v1/users/"+ann+"/tags", body, 400, nil)
	}
	ask(t, s, "POST", "/api/v1/users/00000000000000ff/tags", `{"add":["a"]}`, 404, nil)
	// A trait cannot stand in for them.
	var rejected struct{ Code string }
	ask(t, s, "POST", "/v1/identify", `{"userId":"ann","traits":{"tags":["owned"]}}`, 400, &rejected)

	s.close()
	closed = true
	s = startTest(t, dir)
	defer s.close()
	counted()
	if got := tags(`{"remove":["t7"]}`); len(got) != 13 {
		t.Errorf("after a restart there are %d tags, want 13", len(got))
	}
}
