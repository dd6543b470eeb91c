package queries_test

import (
	"slices"
	"strconv"
	"testing"
	"unicode/utf8"

	"muster"
	"muster/queries"
)

// FuzzTextsAreFound gives a user an attribute, an event, a property, a tag and an answer with a name and a value from outside, and
// another user their look-alikes. Definitions that ask for exactly these must find the first and not the second.
func FuzzTextsAreFound(f *testing.F) {
	for _, seed := range [][2]string{
		{"plan", "pro"},
		{"it's", "\\"},
		{"\"", "'; DROP TABLE events; --"},
		{"{p1:String}", "{p2:String}"},
		{"?", "\x00"},
		{"\n\t\r", "\\n"},
		{"`a`", "--"},
		{"é", "👩‍👩‍👧"},
		{"a..b", ".a"},
		{"%41", "A"},
		{"a:b^c@d[0]", "[]"},
		{"null", "2026-01-31"},
		{"İ", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	db := newDatabase(f)
	project := muster.ProjectID(0)
	f.Fuzz(func(t *testing.T, name, value string) {
		if name == "" || len(name) > 200 || len(value) > 700 || !utf8.ValidString(name) || !utf8.ValidString(value) || isNative(name) {
			return
		}
		project++
		fx := db.fixture(project)
		fx.now = longAgo.AddDate(1, 0, 0)
		for _, user := range []string{"ann", "bob"} {
			name, value := name, value
			if user == "bob" {
				name, value = name+"_", value+"_"
			}
			fx.appears(user, "")
			fx.stated(user, name, value, longAgo, longAgo)
			fx.stated(user, "tags", []any{value}, longAgo, longAgo)
			fx.happened(user, name, longAgo, "{"+jsonOf(muster.PropertyKey(name))+":"+jsonOf(value)+"}", longAgo)
			fx.happened(user, "$experience", longAgo, jsonOf(object{"experience": name, "interaction": value, "question": name, "answer": value}), longAgo)
		}
		if err := fx.ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		definitions := []object{
			{"attribute": name, "op": "equals", "value": value},
			{"attribute": name, "op": "in", "value": []any{value, "other"}},
			{"attribute": "tags", "op": "has_all", "value": []any{value}},
			{"event": name, "where": object{"property": name, "op": "equals", "value": value}},
			{"event": name, "aggregate": object{"fn": "distinct", "property": name}, "op": "eq", "value": 1},
			{"not": object{"event": name + "_"}},
			{"experience": name, "question": name, "answer": object{"op": "equals", "value": value}},
		}
		if value != "" {
			definitions = append(definitions, object{"tag": value}, object{"experience": name, "interaction": value})
		}
		targets := make([]queries.Target, len(definitions))
		for i, definition := range definitions {
			d, err := queries.Decode([]byte(jsonOf(definition)))
			if err != nil {
				t.Fatalf("%s: %v", jsonOf(definition), err)
			}
			targets[i] = queries.Target{ID: strconv.Itoa(i), Definition: d}
		}
		sets, err := fx.members(t.Context(), targets)
		if err != nil {
			t.Fatalf("%q, %q: %v", name, value, err)
		}
		for i, got := range sets {
			if !slices.Equal(got, []string{"ann"}) {
				t.Errorf("%s finds %v", jsonOf(definitions[i]), got)
			}
		}
	})
}

// isNative tells the attributes that are not what is said of a user, and the names that traffic of its own kind has.
func isNative(name string) bool {
	return slices.Contains([]string{"user_id", "anonymous_id", "first_seen", "last_seen", "sessions", "tags", "$experience"}, name)
}
