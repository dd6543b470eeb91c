package api_test

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

type diffed struct {
	cost

	Segment                    string
	Revision                   int
	Before, After, Of          int
	Entering, Leaving, Staying struct {
		Count  int
		Sample []person
	}
	Sentence string
	Warnings []struct{ Code, Pointer string }
}

func TestDiff(t *testing.T) {
	h := newHouse(t)
	h.send(
		identify("ann", `{"plan":"pro","seats":3}`), identify("bob", `{"plan":"pro","seats":1}`),
		identify("cat", `{"plan":"free","seats":9}`), identify("dan", `{"plan":"free"}`),
		identify("eve", `{"plan":"pro","seats":5}`),
	)
	seg := h.save("Pro", `{"attribute":"plan","op":"equals","value":"pro"}`)
	user := h.save("Uses it", `{"segment":"`+seg+`"}`)
	var d diffed
	h.ask("POST", "/segments/diff", `{"segment":"`+seg+`","definition":{"attribute":"seats","op":"gte","value":3}}`, http.StatusOK, &d)
	d.check(t)
	if d.Segment != seg || d.Revision != 1 || d.Before != 3 || d.After != 3 || d.Of != 5 || d.Sentence != "seats is at least 3" {
		t.Errorf("the diff is %+v", d)
	}
	for _, c := range []struct {
		what  string
		count int
		users []person
		want  []string
	}{
		{"entering", d.Entering.Count, d.Entering.Sample, []string{"cat"}},
		{"leaving", d.Leaving.Count, d.Leaving.Sample, []string{"bob"}},
		{"staying", d.Staying.Count, d.Staying.Sample, []string{"ann", "eve"}},
	} {
		names := namesOf(c.users)
		slices.Sort(names)
		if c.count != len(c.want) || !slices.Equal(names, c.want) {
			t.Errorf("%s are %d: %v, want %v", c.what, c.count, names, c.want)
		}
	}
	// Nothing was saved, and the same pinned now gives the same.
	again := d
	h.ask("POST", "/segments/diff", `{"segment":"`+seg+`","definition":{"attribute":"seats","op":"gte","value":3},"sample":1,"as_of":"`+
		d.AsOf.Format(time.RFC3339Nano)+`"}`, http.StatusOK, &again)
	if again.Before != 3 || again.Staying.Count != 2 || len(again.Staying.Sample) != 1 || !again.AsOf.Equal(d.AsOf) {
		t.Errorf("as of then the diff is %+v", again)
	}
	h.ask("POST", "/segments/diff", `{"segment":"`+seg+`","definition":{"everyone":true},"as_of":"2001-01-01T00:00:00Z"}`, http.StatusOK, &d)
	if d.Before != 0 || d.After != 0 || d.Of != 0 {
		t.Errorf("before anybody was seen the diff is %+v", d)
	}
	h.ask("POST", "/segments/diff", `{"before":{"segment":"`+seg+`"},"definition":{"attribute":"plan","op":"not_equals","value":"pro"},"sample":0}`,
		http.StatusOK, &d)
	if d.Entering.Count != 2 || d.Leaving.Count != 3 || d.Staying.Count != 0 || len(d.Entering.Sample) != 0 || d.Revision != 0 {
		t.Errorf("the diff of two definitions is %+v", d)
	}
	h.refuse(t, []refusal{
		{
			name: "a segment that is not there", method: "POST", path: "/segments/diff",
			body: `{"segment":"nope","definition":{"everyone":true}}`, status: 404, code: "not_found", hint: "lists them",
		},
		{
			name: "what saving would refuse: itself, around another", method: "POST", path: "/segments/diff",
			body:   `{"segment":"` + seg + `","definition":{"any":[{"identified":true},{"segment":"` + user + `"}]}}`,
			status: 400, code: "invalid_definition", issue: "cycle", pointer: "/definition/any/1/segment",
		},
		{
			name: "an unknown segment in the draft", method: "POST", path: "/segments/diff",
			body:   `{"segment":"` + seg + `","definition":{"not":{"segment":"nope"}}}`,
			status: 400, code: "invalid_definition", issue: "unknown_segment", pointer: "/definition/not/segment",
		},
		{
			name: "an unknown import in what was before", method: "POST", path: "/segments/diff",
			body:   `{"before":{"import":"nope"},"definition":{"everyone":true}}`,
			status: 400, code: "invalid_definition", issue: "unknown_import", pointer: "/before/import",
		},
		{
			name: "nothing to compare with", method: "POST", path: "/segments/diff", body: `{"definition":{"everyone":true}}`,
			status: 400, code: "invalid_argument", issue: "required", pointer: "/segment",
		},
		{
			name: "a draft that is no definition", method: "POST", path: "/segments/diff", body: `{"segment":"` + seg + `","definition":{"all":[]}}`,
			status: 400, code: "invalid_definition", issue: "empty_group", pointer: "/definition/all", hint: "docs/segments.md",
		},
		{
			name: "too large a sample", method: "POST", path: "/segments/diff",
			body:   `{"segment":"` + seg + `","definition":{"everyone":true},"sample":101}`,
			status: 400, code: "invalid_argument", pointer: "/sample",
		},
		{
			name: "a time nobody can count with", method: "POST", path: "/segments/diff",
			body:   `{"segment":"` + seg + `","definition":{"everyone":true},"as_of":"9999-01-01T00:00:00Z"}`,
			status: 400, code: "invalid_argument", issue: "out_of_range", pointer: "/as_of",
		},
	})
}
