package demo

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/queries"
)

func TestStartersAreInTheLanguage(t *testing.T) {
	starters := StarterSegments()
	if len(starters) != 5 {
		t.Fatalf("%d starters", len(starters))
	}
	for _, s := range starters {
		d, err := queries.Decode(s.Definition)
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		t.Logf("%s: %s", s.Name, queries.Sentence(d))
		if s.Live == (s.Schedule != "") {
			t.Errorf("%s is neither live nor scheduled, or both", s.Name)
		}
		if n := len(strings.Fields(s.Schedule)); !s.Live && n != 5 {
			t.Errorf("%s: the schedule has %d fields", s.Name, n)
		}
	}
}

func TestStartersAreNeitherEmptyNorEveryone(t *testing.T) {
	for _, seed := range []uint64{1, 2, 3} {
		config := small
		config.Seed = seed
		s := takeCensus(t, config)
		for _, after := range []time.Duration{0, 24 * time.Hour} { // the day after, the demo still shows something
			for _, starter := range StarterSegments() {
				var definition map[string]any
				if err := json.Unmarshal(starter.Definition, &definition); err != nil {
					t.Fatal(err)
				}
				now := config.End.Add(after)
				size := s.share(t, starter.Name, func(*user) bool { return true }, func(u *user) bool { return holds(t, definition, u, now) })
				if size < 3 || size > 60 {
					t.Errorf("seed %d, %s later: %s has %.1f%% of the users", seed, after, starter.Name, size)
				}
			}
		}
	}
}

// TestEvaluator keeps the evaluator of these tests honest.
func TestEvaluator(t *testing.T) {
	now := time.Date(2026, 3, 18, 0, 0, 0, 0, time.UTC)
	u := &user{
		id:         "u",
		attributes: map[string]any{"plan": "pro", "created_at": "2026-03-11T00:00:00.000Z", "ends": "2026-03-18T00:00:00.001Z"},
		events: []happening{
			{Event: "buy", Timestamp: now.Add(-48 * time.Hour), Properties: map[string]any{"rows": 100.0}},
			{Event: "buy", Timestamp: now.Add(-24 * time.Hour), Properties: map[string]any{"rows": 99.0}},
			{Event: "buy", Timestamp: now.Add(time.Hour), Properties: map[string]any{"rows": 500.0}},
		},
	}
	for definition, want := range map[string]bool{
		`{"identified":true}`:                                                                                                   true,
		`{"attribute":"plan","op":"equals","value":"pro"}`:                                                                      true,
		`{"attribute":"plan","op":"equals","value":"Pro"}`:                                                                      false,
		`{"attribute":"plan","op":"in","value":["team","pro"]}`:                                                                 true,
		`{"attribute":"none","op":"equals","value":"pro"}`:                                                                      false,
		`{"attribute":"created_at","op":"within_last","value":"7d"}`:                                                            false, // the edge is out
		`{"attribute":"created_at","op":"within_last","value":"8d"}`:                                                            true,
		`{"attribute":"created_at","op":"more_than_ago","value":"7d"}`:                                                          true, // the edge is in
		`{"attribute":"ends","op":"within_next","value":"1d"}`:                                                                  true,
		`{"attribute":"last_seen","op":"within_last","value":"1d"}`:                                                             false,
		`{"event":"buy","within":"2d"}`:                                                                                         true,
		`{"event":"buy","within":"1d"}`:                                                                                         false,
		`{"event":"buy","count":{"op":"gte","value":2},"within":"3d"}`:                                                          true,
		`{"event":"buy","count":{"op":"gte","value":3},"within":"3d"}`:                                                          false,
		`{"event":"buy","where":{"property":"rows","op":"gte","value":100},"count":{"op":"gte","value":1},"within":"3d"}`:       true,
		`{"event":"buy","where":{"property":"rows","op":"gte","value":100},"count":{"op":"gte","value":2},"within":"3d"}`:       false,
		`{"all":[{"identified":true},{"any":[{"event":"sell","within":"9d"},{"attribute":"plan","op":"equals","value":"x"}]}]}`: false,
	} {
		var d map[string]any
		if err := json.Unmarshal([]byte(definition), &d); err != nil {
			t.Fatal(err)
		}
		if got := holds(t, d, u, now); got != want {
			t.Errorf("%s is %t", definition, got)
		}
	}
}

// holds evaluates what the starters use of the segment language, and fails on anything else.
func holds(t *testing.T, definition map[string]any, u *user, now time.Time) bool {
	t.Helper()
	group := func(field string) []bool {
		var results []bool
		for _, c := range definition[field].([]any) {
			results = append(results, holds(t, c.(map[string]any), u, now))
		}
		return results
	}
	switch {
	case definition["all"] != nil:
		return !slices.Contains(group("all"), false)
	case definition["any"] != nil:
		return slices.Contains(group("any"), true)
	case definition["identified"] != nil:
		return (u.id != "") == definition["identified"]
	case definition["attribute"] != nil:
		value := u.attributes[definition["attribute"].(string)]
		if definition["attribute"] == "last_seen" {
			value = u.lastSeen().Format(time.RFC3339Nano)
		}
		return compares(t, definition, value, now)
	case definition["event"] != nil:
		least, n := 1, 0
		if count, ok := definition["count"].(map[string]any); ok {
			if count["op"] != "gte" {
				t.Fatalf("%v is not evaluated here", count)
			}
			least = int(count["value"].(float64))
		}
		from := now.Add(-duration(t, definition["within"]))
		for _, h := range u.did(definition["event"].(string)) {
			where, has := definition["where"].(map[string]any)
			if h.Timestamp.After(from) && !h.Timestamp.After(now) && (!has || compares(t, where, h.Properties[where["property"].(string)], now)) {
				n++
			}
		}
		return n >= least
	}
	t.Fatalf("%v is not evaluated here", definition)
	return false
}

func compares(t *testing.T, c map[string]any, value any, now time.Time) bool {
	t.Helper()
	if value == nil {
		return false
	}
	instant := func() time.Time {
		at, err := time.Parse(time.RFC3339, fmt.Sprint(value))
		if err != nil {
			t.Fatalf("%v is no time: %v", value, err)
		}
		return at
	}
	switch c["op"] {
	case "equals":
		return value == c["value"]
	case "in":
		return slices.Contains(c["value"].([]any), value)
	case "gte":
		return value.(float64) >= c["value"].(float64)
	case "within_last":
		at := instant()
		return at.After(now.Add(-duration(t, c["value"]))) && !at.After(now)
	case "more_than_ago":
		return !instant().After(now.Add(-duration(t, c["value"])))
	case "within_next":
		at := instant()
		return at.After(now) && !at.After(now.Add(duration(t, c["value"])))
	}
	t.Fatalf("%v is not evaluated here", c)
	return false
}

func duration(t *testing.T, text any) time.Duration {
	t.Helper()
	var days int
	if _, err := fmt.Sscanf(fmt.Sprint(text), "%dd", &days); err != nil {
		t.Fatalf("%v is not in days: %v", text, err)
	}
	return time.Duration(days) * 24 * time.Hour
}
