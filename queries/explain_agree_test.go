package queries_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster"
	"muster/queries"
)

// TestExplanationsAgreeWithTheOracle explains generated definitions, as of now and of other times: each node must hold as the
// oracle says, and as the plan of the whole says.
func TestExplanationsAgreeWithTheOracle(t *testing.T) {
	db := newDatabase(t)
	explained := 0
	for seed := 1; explained < 150 && !t.Failed(); seed++ {
		if seed > 100 {
			t.Fatalf("only %d conditions were explained", explained)
		}
		made := rapid.Custom(drawProject).Example(seed)
		fx := db.fixture(muster.ProjectID(seed))
		if err := fx.loadAll(made.lines); err != nil {
			t.Fatal(err)
		}
		if err := fx.ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, a := range made.asked {
			if err := fx.loadAll(a.lines()); err != nil {
				t.Fatal(err)
			}
			definition := made.definitions[i%len(made.definitions)]
			members, err := fx.members(t.Context(), []queries.Target{made.targets[i%len(made.targets)]})
			if err != nil {
				t.Fatal(err)
			}
			o := fx.oracle()
			for _, u := range o.users[:min(3, len(o.users))] {
				actors, err := fx.actorsOf(t.Context(), u.name)
				if err != nil || len(actors) == 0 {
					t.Fatalf("%s has the actors %v, %v", u.name, actors, err)
				}
				x, err := fx.explain(t.Context(), jsonOf(definition), actors...)
				if err != nil {
					t.Fatalf("%s: %v", jsonOf(definition), err)
				}
				if holds := x.holds[x.Root.Target]; holds != slices.Contains(members[0], u.name) {
					t.Errorf("as of %v, known at %v, %s: explained as %v for %s, who is a member: %v", a.now, a.known, jsonOf(definition), holds, u.name, !holds)
				}
				explained += x.agree(t, x.Root, o, u)
			}
		}
	}
}

// agree compares every node of an explanation with the oracle, and what was seen of it with whether it holds. It returns how many
// there were.
func (e explained) agree(t *testing.T, c *queries.Condition, o *oracle, u *person) int {
	t.Helper()
	var definition object
	if err := json.Unmarshal(queries.Print(c.Definition), &definition); err != nil {
		t.Fatal(err)
	}
	first, ok := o.seen(u)
	there := ok && first <= o.now
	want := there && o.node(definition, u)
	if got := e.holds[c.Target]; got != want {
		t.Errorf("as of %v, known at %v, for %s: %v holds: %v, want %v", o.now, o.known, u.name, definition, got, want)
	}
	if there {
		if holds, is := e.seen[c.Evidence].decides(t, c, o); is && holds != want {
			t.Errorf("as of %v, known at %v, for %s: %v holds: %v, though %s was seen", o.now, o.known, u.name, definition, want, e.seen[c.Evidence].text(c))
		}
	}
	n := 1
	for _, child := range c.Of {
		n += e.agree(t, child, o, u)
	}
	return n
}

// decides judges a leaf by nothing but what its explanation shows, where that suffices.
func (s seen) decides(t *testing.T, c *queries.Condition, o *oracle) (holds, is bool) {
	t.Helper()
	var asked object
	if c.Asked != nil {
		if err := json.Unmarshal(c.Asked, &asked); err != nil {
			t.Fatal(err)
		}
	}
	switch c.Show {
	case queries.ShowCount:
		return o.count(asked, int(s.count)), true
	case queries.ShowSteps:
		return len(s.times) == len(c.Events), true
	case queries.ShowSince:
		return len(s.times) == 1, true
	case queries.ShowValue:
		if len(s.kinds) == 0 {
			return o.compare(asked, nil), true
		}
		return o.compare(asked, s.value(0)), true
	case queries.ShowMoment:
		return s.amount != nil && o.during(asked, int64(*s.amount)), true
	case queries.ShowAnswers:
		negative := strings.HasPrefix(asked["op"].(string), "not_") || asked["op"] == "has_none"
		return (len(s.counted) > 0 && s.counted[0]) != negative, true
	case queries.ShowAggregate:
		if s.amount == nil {
			return false, true
		}
		if asked["op"] == "between" {
			ends := asked["value"].([]any)
			return ends[0].(float64) <= *s.amount && *s.amount <= ends[1].(float64), true
		}
		return compareNumber(asked["op"].(string), *s.amount, asked["value"].(float64), 0), true
	case queries.ShowNothing, queries.ShowUserID:
	}
	return false, false
}

// value returns a value that was seen as JSON gives it.
func (s seen) value(i int) any {
	switch s.kinds[i] {
	case "text":
		return s.texts[i]
	case "number":
		return *s.numbers[i]
	case "boolean":
		return s.texts[i] == "true"
	case "time":
		return timeOnly{time.UnixMilli(s.times[i]).UTC().Format(time.RFC3339Nano)}
	case "list":
		list := []any{}
		for _, item := range s.lists[i] {
			list = append(list, item)
		}
		return list
	}
	return nil
}
