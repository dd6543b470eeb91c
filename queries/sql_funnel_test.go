package queries_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"muster"
	"muster/queries"
)

// Every sequence of two to four of four events, and every length it may have, is found in the events of users who did them within
// seconds, many of them in one millisecond: windowFunnel by itself forgets chains there.
func TestFunnelsFindEveryChain(t *testing.T) {
	const users, seconds = 150, 5
	events := []string{"a", "b", "c", "d"}
	random := rand.New(rand.NewPCG(3, 5))
	start := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	now := start.Add(time.Hour)
	made := generated{asked: []asked{{now: now}}}
	for n := range users {
		name := fmt.Sprintf("user%d", n)
		made.lines = append(made.lines, "user "+name)
		for range 2 + random.IntN(7) {
			at := start.Add(time.Duration(random.IntN(seconds)) * time.Second)
			if random.IntN(4) == 0 { // just before or after, as the ends of a length are
				at = at.Add(time.Duration(random.IntN(3)-1) * time.Millisecond)
			}
			made.lines = append(made.lines, fmt.Sprintf("did %s %s %s", name, events[random.IntN(len(events))], at.Format(time.RFC3339Nano)))
		}
	}
	var extend func(steps []any)
	extend = func(steps []any) {
		for _, event := range events {
			if slices.ContainsFunc(steps, func(step any) bool { return step.(object)["event"] == event }) {
				continue
			}
			more := append(slices.Clip(steps), object{"event": event})
			for length := range seconds {
				definition := object{"sequence": more}
				if length > 0 {
					definition["complete_within"] = fmt.Sprintf("%ds", length)
				}
				if len(more) > 1 {
					made.definitions = append(made.definitions, definition)
				}
			}
			extend(more)
		}
	}
	extend(nil)
	for _, definition := range made.definitions {
		d, err := queries.Decode([]byte(jsonOf(definition)))
		if err != nil {
			t.Fatalf("%s: %v", jsonOf(definition), err)
		}
		made.targets = append(made.targets, queries.Target{Definition: d})
	}
	c, told, err := made.disagreement(t.Context(), newDatabase(t).fixture(muster.ProjectID(1)))
	if err != nil {
		t.Fatal(err)
	}
	if c != nil {
		t.Errorf("the oracle says what stands here, and the product does not:\n\n%s", c.reduce(t.Context(), newDatabase(t)))
	}
	if len(made.definitions) != 300 || told < 200 {
		t.Errorf("%d sequences, of which %d tell users apart", len(made.definitions), told)
	}
}
