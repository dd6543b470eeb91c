package queries

import "testing"

func TestSentence(t *testing.T) {
	for _, c := range []struct{ definition, want string }{
		{
			`{"all":[{"attribute":"plan","op":"equals","value":"pro"},{"event":"purchase","count":{"op":"gte","value":2},"within":"30d"}]}`,
			"plan is pro and did purchase at least 2 times in the last 30 days",
		},
		{`{"everyone":true}`, "everyone"},
		{`{"not":{"everyone":true}}`, "not (everyone)"},
		{`{"identified":false}`, "is anonymous"},
		{`{"any":[{"all":[{"tag":"vip"},{"tag":"beta user"}]},{"segment":"s1"}]}`, `(is tagged vip and is tagged "beta user") or is in segment s1`},
		{
			`{"at_least":2,"of":[{"tag":"a"},{"any":[{"tag":"b"},{"tag":"c"}]},{"tag":"d"}]}`,
			"at least 2 of (is tagged a; (is tagged b or is tagged c); is tagged d)",
		},
		{`{"attribute":"full name","op":"contains","value":"von","ignore_case":true}`, `"full name" contains von (any case)`},
		{`{"attribute":"city","op":"equals","value":""}`, `city is ""`},
		{`{"attribute":"city","op":"not_in","value":["Paris","New York"]}`, `city is none of Paris, "New York"`},
		{`{"attribute":"seats","op":"between","value":[1,2500000]}`, "seats is between 1 and 2500000"},
		{`{"attribute":"ratio","op":"lt","value":1e-9}`, "ratio is less than 1e-09"},
		{`{"attribute":"trial_end","op":"within_next","value":"1mo"}`, "trial_end is in the next 1 month"},
		{`{"attribute":"trial_end","op":"not_exists"}`, "trial_end is not known"},
		{`{"event":"login","count":{"op":"eq","value":0},"within":"1w"}`, "never did login in the last 1 week"},
		{`{"event":"login","count":{"op":"lt","value":1}}`, "never did login"},
		{`{"event":"login","count":{"op":"lte","value":1}}`, "did login at most once"},
		{
			`{"event":"login","count":{"op":"between","value":[2,5]},"between":{"from":"2026-01-01","to":"2026-02-01"}}`,
			"did login between 2 and 5 times from 2026-01-01 to 2026-02-01",
		},
		{
			`{"event":"buy","where":{"any":[{"property":"amount","op":"gt","value":10},{"not":{"property":"gift","op":"equals","value":true}}]}}`,
			"did buy where (amount is more than 10 or not (gift is true))",
		},
		{
			`{"event":"buy","aggregate":{"fn":"sum","property":"amount"},"op":"gt","value":100,"within":"90d"}`,
			"the sum of amount over buy in the last 90 days is more than 100",
		},
		{`{"event":"buy","aggregate":{"fn":"distinct_days"},"op":"between","value":[2,3]}`, "the number of days over buy is between 2 and 3"},
		{`{"event":"buy","last":{"op":"more_than_ago","value":"7d"}}`, "last did buy longer ago than 7 days"},
		{`{"event":"buy","first":{"op":"on","value":"2026-01-01"}}`, "first did buy on 2026-01-01"},
		{
			`{"sequence":[{"event":"signup"},{"event":"invite","where":{"property":"to","op":"exists"}}],"complete_within":"7d","within":"90d"}`,
			"did signup, then invite where to is known, all within 7 days in the last 90 days",
		},
		{`{"experience":"tour","interaction":"completed"}`, "completed tour"},
		{`{"experience":"tour","count":{"op":"gte","value":2}}`, "interacted with tour at least 2 times"},
		{`{"experience":"nps","question":"q1","answer":{"op":"equals","value":"Yes"},"latest":true}`, "the latest answer to q1 of nps is Yes"},
	} {
		d, err := Decode([]byte(c.definition))
		if err != nil {
			t.Errorf("%s: %v", c.definition, err)
			continue
		}
		if got := Sentence(d); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.definition, got, c.want)
		}
	}
}
