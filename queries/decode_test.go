package queries

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"muster"
)

func TestDecodeRefuses(t *testing.T) {
	deep := strings.Repeat(`{"not":`, 16) + `{"everyone":true}` + strings.Repeat("}", 16)
	many := `{"any":[` + strings.TrimSuffix(strings.Repeat(`{"everyone":true},`, 257), ",") + `]}`
	long := `{"attribute":"a","op":"in","value":[` + strings.TrimSuffix(strings.Repeat(`"x",`, 1001), ",") + `]}`
	big := `{"attribute":"` + strings.Repeat("a", 64<<10) + `","op":"exists"}`
	for _, c := range []struct{ text, issues string }{
		{``, `:required`},
		{`  `, `:required`},
		{`{`, `:invalid_json`},
		{`[]`, `:wrong_type`},
		{`null`, `:wrong_type`},
		{`{}`, `:empty_condition`},
		{`{"everyone":true}{}`, `:invalid_json`},
		{`{"everyone":true,"everyone":true}`, `/everyone:invalid_json`},
		{`{"all":[{"attribute":"a","op":"exists","op":"exists"}]}`, `/all/0/op:invalid_json`},
		{"{\"attribute\":\"\xff\",\"op\":\"exists\"}", `/attribute:invalid_json`},
		{`{"attribut":"plan","op":"exists"}`, `/attribut:unknown_field→attribute`},
		{`{"EVENT":"x"}`, `/EVENT:unknown_field`},
		{`{"all":[]}`, `/all:empty_group`},
		{`{"any":[]}`, `/any:empty_group`},
		{`{"at_least":1,"of":[]}`, `/of:empty_group`},
		{`{"all":{}}`, `/all:wrong_type`},
		{`{"all":[{"everyone":true}],"of":[]}`, `/of:unknown_field`},
		{`{"all":[{"everyone":true}],"any":[{"everyone":true}]}`, `:ambiguous`},
		{`{"not":[]}`, `/not:wrong_type`},
		{`{"not":null}`, `/not:wrong_type`},
		{`{"at_least":0,"of":[{"everyone":true}]}`, `/at_least:out_of_range`},
		{`{"at_least":2,"of":[{"everyone":true}]}`, `/at_least:out_of_range`},
		{`{"at_least":1.5,"of":[{"everyone":true}]}`, `/at_least:out_of_range`},
		{`{"at_least":"1","of":[{"everyone":true}]}`, `/at_least:wrong_type`},
		{`{"at_least":1}`, `/of:required`},
		{`{"everyone":false}`, `/everyone:invalid_value`},
		{`{"everyone":1}`, `/everyone:wrong_type`},
		{`{"identified":"yes"}`, `/identified:wrong_type`},
		{`{"segment":""}`, `/segment:required`},
		{`{"segment":7}`, `/segment:wrong_type`},
		{`{"tag":"vip","op":"exists"}`, `/op:unknown_field`},
		{deep, strings.Repeat("/not", 16) + `:too_deep`},
		{many, `:too_many_leaves`},
		{long, `/value:too_many_values`},
		{big, `:too_large`},

		{`{"attribute":"plan"}`, `/op:required`},
		{`{"attribute":"","op":"exists"}`, `/attribute:required`},
		{`{"attribute":"plan","op":7}`, `/op:wrong_type`},
		{`{"attribute":"plan","op":"equal","value":"pro"}`, `/op:unknown_operator→equals`},
		{`{"attribute":"plan","op":"Equals","value":"pro"}`, `/op:unknown_operator→equals`},
		{`{"attribute":"plan","op":"exists","value":"pro"}`, `/value:unknown_field`},
		{`{"attribute":"plan","op":"equals"}`, `/value:required`},
		{`{"attribute":"plan","op":"equals","value":null}`, `/value:wrong_type`},
		{`{"attribute":"plan","op":"equals","value":["pro"]}`, `/value:wrong_type`},
		{`{"attribute":"plan","op":"equals","value":{}}`, `/value:wrong_type`},
		{`{"attribute":"plan","op":"equals","values":"pro"}`, `/values:unknown_field→value /value:required`},
		{`{"attribute":"plan","op":"in","value":"pro"}`, `/value:wrong_type`},
		{`{"attribute":"plan","op":"in","value":[]}`, `/value:empty_list`},
		{`{"attribute":"plan","op":"in","value":["a",1,null]}`, `/value/1:wrong_type /value/2:wrong_type`},
		{`{"attribute":"plan","op":"in","value":[1,"a"]}`, `/value/1:wrong_type`},
		{`{"attribute":"plan","op":"contains","value":1}`, `/value:wrong_type`},
		{`{"attribute":"plan","op":"gt","value":"1"}`, `/value:wrong_type`},
		{`{"attribute":"plan","op":"gt","value":1e400}`, `/value:out_of_range`},
		{`{"attribute":"plan","op":"gt","value":NaN}`, `/value:invalid_json`},
		{`{"attribute":"plan","op":"in","value":[1,-1e999]}`, `/value/1:out_of_range`},
		{`{"attribute":"plan","op":"between","value":[2,1]}`, `/value:reversed_range`},
		{`{"attribute":"plan","op":"between","value":[1]}`, `/value:wrong_type`},
		{`{"attribute":"plan","op":"between","value":[1,"2026-01-01"]}`, `/value/1:wrong_type`},
		{`{"attribute":"plan","op":"between","value":["2026-01-02","2026-01-01"]}`, `/value:reversed_range`},
		{`{"attribute":"plan","op":"between","value":["2026-01-01","2026-01-01"]}`, `/value:reversed_range`},
		{`{"attribute":"plan","op":"between","value":{"from":"2026-01-01"}}`, `/value/to:required`},
		{`{"attribute":"plan","op":"matches","value":"("}`, `/value:invalid_regexp`},
		{`{"attribute":"plan","op":"matches","value":"a(?=b)"}`, `/value:invalid_regexp`},
		{`{"attribute":"plan","op":"matches","value":"\\pL{700}"}`, `/value:too_large`},
		{`{"attribute":"plan","op":"equals","value":1,"ignore_case":true}`, `/ignore_case:unknown_field`},
		{`{"attribute":"plan","op":"equals","value":"a","ignore_case":1}`, `/ignore_case:wrong_type`},
		{`{"attribute":"plan","op":"gt","value":1,"ignore_case":false}`, `/ignore_case:unknown_field`},
		{`{"attribute":"at","op":"before","value":"2026-02-30"}`, `/value:invalid_time`},
		{`{"attribute":"at","op":"before","value":"2026-01-01T00:00:00"}`, `/value:invalid_time`},
		{`{"attribute":"at","op":"before","value":"2026-01-01T1:00:00Z"}`, `/value:invalid_time`},
		{`{"attribute":"at","op":"before","value":1767225600000}`, `/value:wrong_type`},
		{`{"attribute":"at","op":"within_last","value":"30 d"}`, `/value:invalid_duration`},
		{`{"attribute":"at","op":"within_last","value":"0d"}`, `/value:invalid_duration`},
		{`{"attribute":"at","op":"within_last","value":"-1d"}`, `/value:invalid_duration`},
		{`{"attribute":"at","op":"within_last","value":"1.5d"}`, `/value:invalid_duration`},
		{`{"attribute":"at","op":"within_last","value":"1D"}`, `/value:invalid_duration`},
		{`{"attribute":"at","op":"within_last","value":"101y"}`, `/value:invalid_duration`},
		{`{"attribute":"at","op":"within_last","value":"99999999999999999999d"}`, `/value:invalid_duration`},

		{`{"event":""}`, `/event:required`},
		{`{"event":"x","":1}`, `/:unknown_field`},
		{`{"event":"x","whithin":"1d"}`, `/whithin:unknown_field→within`},
		{`{"event":"x","within":"1d","since":"2026-01-01"}`, `/since:ambiguous`},
		{`{"event":"x","between":{"from":"2026-01-02","to":"2026-01-01","at":1}}`, `/between/at:unknown_field /between:reversed_range`},
		{`{"event":"x","between":{"from":"2026-01-03T00:00:00Z","to":"2026-01-01"}}`, `/between:reversed_range`},
		{`{"event":"x","count":2}`, `/count:wrong_type`},
		{`{"event":"x","count":{"op":"gte"}}`, `/count/value:required`},
		{`{"event":"x","count":{"op":"ge","value":1}}`, `/count/op:unknown_operator→gt`},
		{`{"event":"x","count":{"op":"gte","value":-1}}`, `/count/value:out_of_range`},
		{`{"event":"x","count":{"op":"gte","value":1.5}}`, `/count/value:out_of_range`},
		{`{"event":"x","count":{"op":"between","value":[3,2]}}`, `/count/value:reversed_range`},
		{`{"event":"x","where":{}}`, `/where:empty_condition`},
		{`{"event":"x","where":{"all":[]}}`, `/where/all:empty_group`},
		{`{"event":"x","where":{"event":"y"}}`, `/where/event:unknown_field`},
		{`{"event":"x","where":{"property":"a","op":"exists","any":[]}}`, `/where:ambiguous`},
		{`{"event":"x","where":{"not":{"property":"a/b~c","op":"is"}}}`, `/where/not/op:unknown_operator→in`},
		{`{"event":"x","count":{"op":"gte","value":1},"first":{"op":"on","value":"2026-01-01"}}`, `/first:ambiguous`},
		{`{"event":"x","first":{"op":"equals","value":1}}`, `/first/op:unknown_operator`},
		{`{"event":"x","last":{"op":"between","value":[1,2]}}`, `/last/value:wrong_type`},
		{`{"event":"x","last":{"op":"on","value":"2026-01-01"},"within":"1d"}`, `/within:unknown_field`},
		{`{"event":"x","aggregate":{"fn":"sum","property":"a"}}`, `/op:required`},
		{`{"event":"x","aggregate":{"fn":"summ","property":"a"},"op":"gt","value":1}`, `/aggregate/fn:unknown_function→sum`},
		{`{"event":"x","aggregate":{"fn":"sum"},"op":"gt","value":1}`, `/aggregate/property:required`},
		{`{"event":"x","aggregate":{"fn":"distinct_days","property":"a"},"op":"gt","value":1}`, `/aggregate/property:unknown_field`},
		{`{"event":"x","aggregate":{"fn":"distinct","property":"a"},"op":"gt","value":1.5}`, `/value:out_of_range`},
		{`{"sequence":[{"event":"a"}]}`, `/sequence:out_of_range`},
		{`{"sequence":[{"event":"a"},{"evnt":"b"}]}`, `/sequence/1/evnt:unknown_field→event /sequence/1/event:required`},
		{`{"sequence":[{"event":"a"},{"event":"b","within":"1d"}]}`, `/sequence/1/within:unknown_field`},
		{`{"sequence":[{"event":"a"},{"event":"b"}],"complete_within":"soon"}`, `/complete_within:invalid_duration`},
		{`{"experience":"x","interaction":""}`, `/interaction:required`},
		{`{"experience":"x","question":"q"}`, `/answer:required`},
		{`{"experience":"x","answer":{"op":"exists"}}`, `/question:required`},
		{`{"experience":"x","question":"q","answer":{"op":"equals"},"latest":1}`, `/answer/value:required /latest:wrong_type`},
		{
			`{"all":[{"attribute":"a","op":"x1"},{"event":"e","count":{"op":"gte","value":-1}},{"all":[]}]}`,
			`/all/0/op:unknown_operator /all/1/count/value:out_of_range /all/2/all:empty_group`,
		},
	} {
		_, err := Decode([]byte(c.text))
		if got := issuesOf(t, err); got != c.issues {
			t.Errorf("%.200s\n got %s\nwant %s", c.text, got, c.issues)
		}
	}
}

// issuesOf prints the places, codes and suggestions of an error.
func issuesOf(t *testing.T, err error) string {
	t.Helper()
	var e *muster.Error
	if !errors.As(err, &e) || e.Code != muster.InvalidDefinition {
		return fmt.Sprintf("no refusal but %v", err)
	}
	all := make([]string, len(e.Issues))
	for i, issue := range e.Issues {
		if issue.Detail == "" {
			t.Errorf("%s at %s has no detail", issue.Code, issue.Pointer)
		}
		all[i] = issue.Pointer + ":" + issue.Code
		if issue.Suggestion != "" {
			all[i] += "→" + issue.Suggestion
		}
	}
	return strings.Join(all, " ")
}

func TestDecodeTakesWhatIsAtTheLimits(t *testing.T) {
	deep := strings.Repeat(`{"not":`, 15) + `{"everyone":true}` + strings.Repeat("}", 15)
	many := `{"any":[` + strings.TrimSuffix(strings.Repeat(`{"everyone":true},`, 256), ",") + `]}`
	long := `{"attribute":"a","op":"in","value":[` + strings.TrimSuffix(strings.Repeat(`"x",`, 1000), ",") + `]}`
	for _, text := range []string{deep, many, long} {
		if _, err := Decode([]byte(text)); err != nil {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

func TestAtMovesPointers(t *testing.T) {
	_, err := Decode([]byte(`{"all":[{"event":""}]}`))
	if got := issuesOf(t, At("/cohorts/1/definition", err)); got != "/cohorts/1/definition/all/0/event:required" {
		t.Error(got)
	}
	if got := issuesOf(t, err); got != "/all/0/event:required" {
		t.Errorf("the error itself was changed: %s", got)
	}
}

// definitions are those of all fixtures: every kind of leaf with every operator.
func definitions(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if definition, ok := strings.CutPrefix(strings.TrimSpace(line), "eval "); ok {
				all = append(all, definition)
			}
		}
	}
	if len(all) < 100 {
		t.Fatalf("only %d definitions", len(all))
	}
	return all
}

func TestPrintIsReadBackAsTheSame(t *testing.T) {
	for _, text := range definitions(t) {
		d, err := Decode([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		printed := Print(d)
		again, err := Decode(printed)
		if err != nil || !reflect.DeepEqual(d, again) {
			t.Errorf("%s\nprints %s\nread back as %#v: %v", text, printed, again, err)
		}
		if string(Print(again)) != string(printed) {
			t.Errorf("%s prints otherwise the second time", text)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range definitions(f) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Decode(text)
		if err != nil {
			if muster.CodeOf(err) != muster.InvalidDefinition {
				t.Fatalf("%v", err)
			}
			return
		}
		printed := Print(d)
		again, err := Decode(printed)
		if err != nil {
			t.Fatalf("%s is printed as %s and refused: %v", text, printed, err)
		}
		if !reflect.DeepEqual(d, again) {
			t.Fatalf("%s is printed as %s, which is another", text, printed)
		}
		if string(Print(again)) != string(printed) || Hash(again) != Hash(d) {
			t.Fatalf("%s is printed as %s, and then as %s", text, printed, Print(again))
		}
		if Sentence(d) == "" {
			t.Fatalf("%s has no sentence", text)
		}
		plan, err := Compile(Scope{
			Lookup:  func(string) (Definition, bool) { return EveryoneDefinition(), true },
			Imports: func(string) bool { return true },
		}, []Target{{Definition: d}})
		if err != nil {
			t.Fatalf("%s does not compile: %v", text, err)
		}
		plan.Counts(0)
	})
}
