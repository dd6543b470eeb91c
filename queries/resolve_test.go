package queries

import (
	"fmt"
	"strings"
	"testing"
)

// saved looks up definitions by id.
func saved(t *testing.T, all map[string]string) Lookup {
	t.Helper()
	decoded := map[string]Definition{}
	for id, text := range all {
		d, err := Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		decoded[id] = d
	}
	return func(id string) (Definition, bool) {
		d, ok := decoded[id]
		return d, ok
	}
}

func TestReferencesThatCannotBe(t *testing.T) {
	lookup := saved(t, map[string]string{
		"self":  `{"not":{"segment":"self"}}`,
		"a":     `{"all":[{"everyone":true},{"any":[{"segment":"b"}]}]}`,
		"b":     `{"at_least":1,"of":[{"segment":"c"}]}`,
		"c":     `{"not":{"segment":"a"}}`,
		"fine":  `{"all":[{"segment":"plain"},{"segment":"plain"}]}`,
		"plain": `{"everyone":true}`,
		"lost":  `{"all":[{"segment":"plain"},{"segment":"gone"}]}`,
		"deep":  `{"not":{"segment":"lost"}}`,
		"list":  `{"any":[{"import":"known"},{"import":"never"}]}`,
		"far":   `{"not":{"segment":"list"}}`,
	})
	imports := func(id string) bool { return id == "known" }
	for _, c := range []struct{ id, issues string }{
		{"self", "/definition/not/segment:cycle"},
		{"a", "/definition/all/1/any/0/segment:cycle"},
		{"b", "/definition/of/0/segment:cycle"},
		{"lost", "/definition/all/1/segment:unknown_segment"},
		{"deep", "/definition/not/segment:unknown_segment"},
		{"list", "/definition/any/1/import:unknown_import"},
		{"far", "/definition/not/segment:unknown_import"},
	} {
		if got := issuesOf(t, CheckReferences(c.id, lookup, imports)); got != c.issues {
			t.Errorf("%s: %s, not %s", c.id, got, c.issues)
		}
	}
	if err := CheckReferences("fine", lookup, imports); err != nil {
		t.Error(err)
	}
	d, _ := lookup("deep")
	_, err := Compile(Scope{Lookup: lookup, Imports: imports}, []Target{{Definition: d}})
	if got := issuesOf(t, err); got != "/not/segment:unknown_segment" {
		t.Error(got)
	}
}

// Segments that name others twice, and those again, grow without end; that is refused and not computed.
func TestReferencesThatExplode(t *testing.T) {
	all := map[string]string{"s0": `{"everyone":true}`}
	for i := range 64 {
		all[fmt.Sprintf("s%d", i+1)] = fmt.Sprintf(`{"all":[{"segment":"s%d"},{"segment":"s%d"}]}`, i, i)
	}
	for id, issue := range map[string]string{"s30": "too_many_leaves", "s64": "too_deep"} {
		if got := issuesOf(t, CheckReferences(id, saved(t, all), nil)); !strings.Contains(got, issue) {
			t.Errorf("%s is refused with %s, want %s", id, got, issue)
		}
	}
}
