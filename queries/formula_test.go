package queries

import (
	"testing"
	"time"
)

// Definitions of one row mean the same, and are one set, whose leaves are computed once. Those of two rows do not.
func TestDefinitionsThatMeanTheSame(t *testing.T) {
	n := normaliser{clock: clock{time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), time.UTC}}
	set := func(text string) formula {
		d, err := Decode([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return n.node(d.root)
	}
	seen := map[string]string{}
	const a, b, c = `{"tag":"a"}`, `{"tag":"b"}`, `{"tag":"c"}`
	for _, same := range [][]string{
		{
			`{"all":[` + a + `,` + b + `]}`, `{"all":[` + b + `,` + a + `,` + b + `]}`, `{"all":[{"all":[` + b + `]},` + a + `,{"everyone":true}]}`,
			`{"at_least":2,"of":[` + b + `,` + a + `]}`,
		},
		{
			`{"any":[` + a + `,` + b + `]}`, `{"at_least":1,"of":[` + a + `,` + b + `]}`, `{"any":[` + b + `,{"not":{"not":` + a + `}}]}`,
			`{"at_least":2,"of":[` + a + `,` + b + `,{"everyone":true}]}`,
		},
		{a, `{"not":{"not":` + a + `}}`, `{"all":[` + a + `]}`, `{"attribute":"tags","op":"has_any","value":["a"]}`},
		{`{"not":` + a + `}`, `{"attribute":"tags","op":"has_none","value":["a"]}`},
		{
			`{"everyone":true}`, `{"any":[` + a + `,{"not":` + a + `}]}`, `{"event":"e","count":{"op":"gte","value":0}}`,
			`{"event":"e","count":{"op":"eq","value":0},"since":"2027-01-01"}`,
		},
		{
			`{"not":{"everyone":true}}`, `{"all":[` + a + `,` + c + `,{"not":` + a + `}]}`, `{"event":"e","since":"2027-01-01"}`,
			`{"event":"e","count":{"op":"neq","value":0},"since":"2027-01-01"}`,
			`{"event":"e","count":{"op":"lt","value":0}}`, `{"event":"e","last":{"op":"within_next","value":"1d"}}`,
		},
		{`{"event":"e"}`, `{"event":"e","count":{"op":"gt","value":0}}`, `{"event":"e","count":{"op":"neq","value":0}}`, `{"not":{"event":"e","count":{"op":"lte","value":0}}}`},
		{
			`{"event":"e","within":"1mo"}`, `{"event":"e","within":"31d"}`, `{"event":"e","last":{"op":"within_last","value":"31d"}}`,
			`{"not":{"event":"e","count":{"op":"eq","value":0},"since":"2026-02-28T00:00:00.001Z"}}`,
		},
		{
			`{"event":"e","count":{"op":"lt","value":3}}`, `{"event":"e","count":{"op":"lte","value":2}}`, `{"event":"e","count":{"op":"between","value":[0,2]}}`,
			`{"not":{"event":"e","count":{"op":"gte","value":3}}}`,
		},
		{
			`{"attribute":"t","op":"between","value":["2026-03-30","2026-03-31"]}`, `{"attribute":"t","op":"on","value":"2026-03-30"}`,
			`{"attribute":"t","op":"on","value":"2026-03-30T15:00:00Z"}`,
		},
		{`{"experience":"x","interaction":"seen"}`, `{"event":"$experience","where":{"all":[{"property":"experience","op":"equals","value":"x"},` +
			`{"property":"interaction","op":"equals","value":"seen"}]}}`},
	} {
		first := set(same[0])
		if other, ok := seen[first.key]; ok {
			t.Errorf("%s and %s are one set", same[0], other)
		}
		seen[first.key] = same[0]
		for _, text := range same[1:] {
			if got := set(text); got.key != first.key {
				t.Errorf("%s and %s are two sets:\n%s\n%s", same[0], text, first.key, got.key)
			}
		}
	}
}
