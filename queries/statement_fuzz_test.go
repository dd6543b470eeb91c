package queries

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"muster"
)

// placesOfTexts are definitions of every kind of node, with § at every place where a text from outside may stand.
var placesOfTexts = []string{
	`{"attribute":§,"op":"exists"}`,
	`{"attribute":§,"op":"before","value":"2026-01-01"}`,
	`{"attribute":"plan","op":"equals","value":§}`,
	`{"attribute":"plan","op":"not_equals","value":§,"ignore_case":true}`,
	`{"attribute":"plan","op":"in","value":[§,"other"]}`,
	`{"attribute":"plan","op":"in","value":["other",§],"ignore_case":true}`,
	`{"attribute":"plan","op":"contains","value":§}`,
	`{"attribute":"plan","op":"starts_with","value":§,"ignore_case":true}`,
	`{"attribute":"plan","op":"ends_with","value":§}`,
	`{"attribute":"plan","op":"matches","value":§}`,
	`{"attribute":"plan","op":"matches","value":§,"ignore_case":true}`,
	`{"attribute":"plan","op":"has_any","value":[§]}`,
	`{"attribute":"plan","op":"has_all","value":[§,§]}`,
	`{"event":§}`,
	`{"event":§,"count":{"op":"gte","value":3},"within":"30d"}`,
	`{"event":§,"first":{"op":"within_last","value":"1mo"}}`,
	`{"event":"buy","where":{"property":§,"op":"exists"}}`,
	`{"event":"buy","where":{"property":§,"op":"gt","value":5}}`,
	`{"event":"buy","where":{"property":§,"op":"on","value":"2026-01-01"}}`,
	`{"event":"buy","where":{"property":§,"op":"equals","value":§}}`,
	`{"event":"buy","where":{"any":[{"property":"item","op":"in","value":[§]},{"not":{"property":"item","op":"has_any","value":[§]}}]}}`,
	`{"event":"buy","where":{"property":"item","op":"matches","value":§}}`,
	`{"event":"buy","aggregate":{"fn":"sum","property":§},"op":"gt","value":1}`,
	`{"event":"buy","aggregate":{"fn":"distinct","property":§},"op":"gt","value":1}`,
	`{"sequence":[{"event":§},{"event":"buy","where":{"property":§,"op":"equals","value":§}}],"complete_within":"7d"}`,
	`{"experience":§}`,
	`{"experience":§,"interaction":§}`,
	`{"experience":"tour","question":§,"answer":{"op":"equals","value":§}}`,
	`{"experience":§,"question":§,"answer":{"op":"contains","value":§},"latest":true}`,
	`{"tag":§}`,
	`{"import":§}`,
	`{"segment":§}`,
}

// harmfulTexts are the seeds: what ends a literal, a parameter, a comment or a text, in some layer or other.
var harmfulTexts = []string{
	"x", "'", "\"", "`", "\\", "\\'", "'; DROP TABLE events; --", "{p1:String}", "{", "}", "?", "??", "$1", ":p1", "\x00", "a\x00b", "\\0", "\\N", "NULL",
	"\n", "\t", "\r", "--", "/*", "*/", "#", ";", "é", "漢字", "👩‍👩‍👧", "\u2028", "\ufeff", "\xff\xfe", "a\xc3", "%", "%s", "%41", ".", "..", "a.b", ".a", "a.", "[0]", "a[]",
	"^", "@", ":", "a.:Int64", "properties", "[", "]", "','", "['a','b']", "()", "\u0000'", "\x1b", "\x7f", "true", "1", "2026-01-01", "30d", "İ", "ß", " ", "\\x41", "\\u0041",
}

// FuzzTextsAreNoPartOfSQL puts a text at every place of every kind of node. The statements must be, letter for letter, those of a
// harmless text: what differs is in the parameters.
func FuzzTextsAreNoPartOfSQL(f *testing.F) {
	for _, text := range harmfulTexts {
		f.Add(text)
	}
	known := wordsOf(placesOfTexts)
	harmless := map[string][]Statement{}
	for _, place := range placesOfTexts {
		d, err := Decode([]byte(strings.ReplaceAll(place, "§", `"harmless"`)))
		if err != nil {
			f.Fatal(err)
		}
		harmless[place] = statementsOf(f, d, "harmless")
	}
	f.Fuzz(func(t *testing.T, text string) {
		if slices.Contains(known, text) || nativeAttributes[text] != nil || text == experienceEvent {
			return // a value that stands twice in a statement has one parameter
		}
		for _, place := range placesOfTexts {
			d, err := Decode([]byte(strings.ReplaceAll(place, "§", quotedJSON(text))))
			if !utf8.ValidString(text) && err == nil {
				t.Fatalf("%q, which is no UTF-8, was taken", text)
			}
			if err != nil {
				if muster.CodeOf(err) != muster.InvalidDefinition {
					t.Fatalf("%q: %v", text, err)
				}
				continue // an empty name, a long one, no expression
			}
			for i, got := range statementsOf(t, d, text) {
				want := harmless[place][i]
				if got.SQL != want.SQL {
					t.Errorf("%q in %s changes the statement\n%s\nto\n%s", text, place, want.SQL, got.SQL)
				}
				if len(got.Parameters) != len(want.Parameters) {
					t.Errorf("%q in %s: parameters %q, not like %q", text, place, got.Parameters, want.Parameters)
				}
			}
		}
	})
}

// wordsOf are the texts that stand in definitions, and those that statements add.
func wordsOf(definitions []string) []string {
	words := []string{"tags", "experience", "interaction", "question", "answer", "true", "false", "UTC", "harmless"}
	for _, d := range definitions {
		for _, word := range regexp.MustCompile(`"[^"]*"`).FindAllString(d, -1) {
			words = append(words, strings.Trim(word, `"`))
		}
	}
	return words
}

// quotedJSON prints a text as a JSON string, and one that is not UTF-8 as such a string would be, if there were any.
func quotedJSON(text string) string {
	quoted, err := jsontext.AppendQuote(nil, text)
	if err != nil {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
	}
	return string(quoted)
}

// statementsOf are all statements of a definition, in a segment with an id from outside. The id is no value of the definition, however
// that is normalised: a value that stands twice has one parameter.
func statementsOf(t testing.TB, d Definition, id string) []Statement {
	t.Helper()
	id = "of " + id
	plan, err := Compile(Scope{
		Project: 1, Now: time.Unix(1_800_000_000, 0), KnownAt: time.Unix(1_800_000_000, 0), Zone: time.UTC,
		Lookup:  func(string) (Definition, bool) { return EveryoneDefinition(), true },
		Imports: func(string) bool { return true },
	}, []Target{{ID: id, Definition: d}})
	if err != nil {
		t.Fatal(err)
	}
	return []Statement{
		plan.Counts(10), plan.Presume(10, func(Apart) bool { return false }).Statement, plan.Page(0, 10), plan.Materialize([]Run{{ID: uuid.UUID{1}, Base: uuid.UUID{2}}}),
	}
}

// Every kind of node has a place for a text in the fuzz test, but for those without any.
func TestTextsAreFuzzedInEveryKind(t *testing.T) {
	for _, kind := range kinds {
		if slices.Contains([]string{"all", "any", "at_least", "not", "everyone", "identified"}, kind) {
			continue
		}
		if !slices.ContainsFunc(placesOfTexts, func(place string) bool { return strings.HasPrefix(place, fmt.Sprintf("{%q:", kind)) }) {
			t.Errorf("no place is in a node of kind %q", kind)
		}
	}
}
