package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestSegments is the life of a segment: saved, read, replaced, used by another, deleted.
func TestSegments(t *testing.T) {
	h := newHouse(t)
	type body struct {
		ID, Name, Sentence, Author string
		Revision                   int
		Definition                 map[string]any
	}
	var seg body
	w := h.serve(h.api, "POST", "/api/v1/segments", `{"name":"Pros","definition":{"value":"pro","op":"equals","attribute":"plan"}}`, h.keys.SecretKey)
	if w.Code != http.StatusCreated || w.Header().Get("ETag") != `"1"` {
		t.Fatalf("saved with %d, ETag %s: %s", w.Code, w.Header().Get("ETag"), w.Body)
	}
	var list struct{ Segments []body }
	h.ask("GET", "/segments", "", http.StatusOK, &list)
	if len(list.Segments) != 1 || list.Segments[0].Sentence != "plan is pro" || list.Segments[0].Revision != 1 {
		t.Fatalf("the list is %+v", list)
	}
	id := list.Segments[0].ID
	user := h.save("Seats for pros", `{"all":[{"identified":true},{"segment":"`+id+`"}]}`)
	also := h.save("No pros", `{"not":{"segment":"`+id+`"}}`)

	replace := `{"name":"Pros","definition":{"attribute":"plan","op":"in","value":["pro","team"]}}`
	w = h.serve(h.api, "PUT", "/api/v1/segments/"+id, replace, h.keys.SecretKey, "If-Match", `"1"`)
	if w.Code != http.StatusOK || w.Header().Get("ETag") != `"2"` {
		t.Errorf("replaced with %d, ETag %s: %s", w.Code, w.Header().Get("ETag"), w.Body)
	}
	if w = h.serve(h.api, "PUT", "/api/v1/segments/"+id, replace, h.keys.SecretKey, "If-Match", `"1"`); w.Code != http.StatusPreconditionFailed {
		t.Errorf("replacing a revision that is not current: %d %s", w.Code, w.Body)
	}
	var revisions struct{ Revisions []body }
	h.ask("GET", "/segments/"+id+"/revisions", "", http.StatusOK, &revisions)
	if len(revisions.Revisions) != 2 || revisions.Revisions[1].Sentence != "plan is pro" || revisions.Revisions[0].Revision != 2 {
		t.Errorf("the revisions are %+v", revisions)
	}

	var problem refused
	h.ask("DELETE", "/segments/"+id, "", http.StatusConflict, &problem)
	if problem.Code != "conflict" || len(problem.Errors) != 2 || problem.Hint == "" {
		t.Fatalf("deleting what is in use: %+v", problem)
	}
	for i, by := range []string{user, also} {
		if e := problem.Errors[i]; e.Code != "in_use" || !strings.Contains(e.Detail, by) {
			t.Errorf("who uses it: %+v, want %s", e, by)
		}
	}
	for _, by := range []string{user, also, id} {
		h.ask("DELETE", "/segments/"+by, "", http.StatusNoContent, nil)
	}
	h.ask("GET", "/segments", "", http.StatusOK, &list)
	if len(list.Segments) != 0 {
		t.Errorf("the list is %+v, want none", list)
	}
	h.ask("GET", "/segments/"+id, "", http.StatusNotFound, &problem)
	h.ask("GET", "/segments/"+user, "", http.StatusNotFound, &seg)
}

// TestSegmentsRefused saves what cannot be evaluated: each answer names the place.
func TestSegmentsRefused(t *testing.T) {
	h := newHouse(t)
	first := h.save("First", `{"everyone":true}`)
	ring := []string{first}
	for i := range 4 { // each names the one before
		ring = append(ring, h.save(fmt.Sprint("Ring ", i), `{"any":[{"identified":true},{"not":{"segment":"`+ring[i]+`"}}]}`))
	}
	gone := h.save("Gone", `{"everyone":true}`)
	h.ask("DELETE", "/segments/"+gone, "", http.StatusNoContent, nil)
	save := func(definition string) string { return `{"name":"x","definition":` + definition + `}` }
	deep := strings.Repeat(`{"not":`, 16) + `{"everyone":true}` + strings.Repeat(`}`, 16)
	wide := `{"any":[` + strings.TrimSuffix(strings.Repeat(`{"identified":true},`, 257), ",") + `]}`
	long := `{"attribute":"a","op":"in","value":[` + strings.TrimSuffix(strings.Repeat(`"v",`, 1001), ",") + `]}`
	const invalid = "invalid_definition"
	for _, c := range []struct {
		name, method, path, body, code, issue, pointer string
	}{
		{"itself", "PUT", "/segments/" + first, save(`{"segment":"` + first + `"}`), invalid, "cycle", "/definition/segment"},
		{"itself around one other", "PUT", "/segments/" + first, save(`{"all":[{"identified":true},{"segment":"` + ring[1] + `"}]}`), invalid, "cycle", "/definition/all/1/segment"},
		{"itself around four others", "PUT", "/segments/" + first, save(`{"at_least":1,"of":[{"segment":"` + ring[4] + `"}]}`), invalid, "cycle", "/definition/of/0/segment"},
		{"a segment nobody knows", "POST", "/segments", save(`{"not":{"segment":"nope"}}`), invalid, "unknown_segment", "/definition/not/segment"},
		{"a segment that was deleted", "POST", "/segments", save(`{"segment":"` + gone + `"}`), invalid, "unknown_segment", "/definition/segment"},
		{"an import nobody knows", "POST", "/segments", save(`{"any":[{"import":"nope"}]}`), invalid, "unknown_import", "/definition/any/0/import"},
		{"too deep", "POST", "/segments", save(deep), invalid, "too_deep", "/definition" + strings.Repeat("/not", 16)},
		{"too many leaves", "POST", "/segments", save(wide), invalid, "too_many_leaves", "/definition"},
		{"too many values", "POST", "/segments", save(long), invalid, "too_many_values", "/definition/value"},
		{"an empty group", "POST", "/segments", save(`{"all":[]}`), invalid, "empty_group", "/definition/all"},
		{"a bad expression", "POST", "/segments", save(`{"attribute":"a","op":"matches","value":"("}`), invalid, "invalid_regexp", "/definition/value"},
		{"a reversed range", "POST", "/segments", save(`{"attribute":"a","op":"between","value":[2,1]}`), invalid, "reversed_range", "/definition/value"},
		{"an impossible date", "POST", "/segments", save(`{"attribute":"a","op":"before","value":"2026-02-30"}`), invalid, "invalid_time", "/definition/value"},
		{"an operator that is near one", "POST", "/segments", save(`{"attribute":"a","op":"start_with","value":"x"}`), invalid, "unknown_operator", "/definition/op"},
		{"no name", "POST", "/segments", `{"name":" ","definition":{"everyone":true}}`, "invalid_argument", "required", "/name"},
		{"a bad schedule", "POST", "/segments", `{"name":"x","schedule":"99 * * * *","definition":{"everyone":true}}`, "invalid_argument", "invalid_schedule", "/schedule"},
		{"a schedule in a zone", "POST", "/segments", `{"name":"x","schedule":"TZ=UTC 1 * * * *","definition":{"everyone":true}}`, "invalid_argument", "invalid_schedule", "/schedule"},
		{"no definition", "POST", "/segments", `{"name":"x"}`, "invalid_argument", "invalid", ""},
	} {
		h.refuse(t, []refusal{{name: c.name, method: c.method, path: c.path, body: c.body, status: 400, code: c.code, issue: c.issue, pointer: c.pointer}})
	}
	var list struct{ Segments []struct{ Revision int } }
	h.ask("GET", "/segments", "", http.StatusOK, &list)
	for _, seg := range list.Segments {
		if seg.Revision != 1 {
			t.Error("what was refused was saved")
		}
	}
	if len(list.Segments) != 5 {
		t.Errorf("there are %d segments, want the 5 that were taken", len(list.Segments))
	}
	h.refuse(t, []refusal{
		{name: "If-Match that is no ETag", method: "DELETE", path: "/segments/nope", status: 404, code: "not_found", hint: "lists them"},
	})
}

// A chain of segments, each in a group of another sort than the one before, is as deep as all of them together.
func TestLongChainsOfSegments(t *testing.T) {
	h := newHouse(t)
	h.send(identify("ann", `{"n":1}`), identify("bob", `{"n":2}`))
	link := func(segment string, i int) string {
		return fmt.Sprintf(`{"any":[{"all":[{"segment":%q},{"attribute":"n","op":"lt","value":%d}]},{"attribute":"n","op":"equals","value":%d}]}`,
			segment, 10+i, 100+i)
	}
	first := h.save("0", `{"attribute":"n","op":"equals","value":1}`)
	last := first
	for i := 1; i <= 20; i++ {
		last = h.save(fmt.Sprint(i), link(last, i))
	}
	if got := h.matching(`{"segment":"` + last + `"}`); len(got) != 1 || got[0] != "ann" {
		t.Errorf("the last of the chain holds for %v, want ann", got)
	}
	h.refuse(t, []refusal{
		{
			name: "one more", method: "POST", path: "/segments", body: `{"name":"21","definition":` + link(last, 21) + `}`,
			status: 400, code: "invalid_definition", issue: "too_deep", pointer: "/definition/any/0/all/0/segment",
		},
		{
			name: "a first that is a group", method: "PUT", path: "/segments/" + first,
			body:   `{"name":"0","definition":{"all":[{"attribute":"n","op":"equals","value":1},{"identified":true}]}}`,
			status: 400, code: "invalid_definition", issue: "breaks_segment", pointer: "/definition",
		},
	})
}
