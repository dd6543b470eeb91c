package queries_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"muster"
	"muster/queries"
)

// TestExplanationsAgreeWithTheOracle explains generated definitions for every user, as of now and of other times: each node must
// hold as the oracle says, and as the plan of the whole says.
func TestExplanationsAgreeWithTheOracle(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(7, 0)), time.Date(2026, 3, 31, 10, 0, 0, 0, time.UTC)}
	fx := newFixture(t)
	var err error
	if fx.zone, err = time.LoadLocation("America/New_York"); err != nil {
		t.Fatal(err)
	}
	users := g.populate(fx, 30)
	if err := fx.insert(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := fx.index(t.Context()); err != nil {
		t.Fatal(err)
	}
	segments := map[string]object{"s0": plain(g.definition(0)), "s1": {"not": object{"segment": "s0"}}}
	for segments["s0"]["segment"] != nil {
		segments["s0"] = plain(g.definition(0))
	}
	for id, s := range segments {
		text, _ := json.Marshal(s)
		if fx.segments[id], err = queries.Decode(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	actors := map[string][]muster.Actor{}
	for _, u := range users {
		if actors[u.name], err = fx.actorsOf(t.Context(), u.name); err != nil || len(actors[u.name]) == 0 {
			t.Fatalf("%s has the actors %v, %v", u.name, actors[u.name], err)
		}
	}
	explained := 0
	for round := range 18 {
		fx.now, fx.known = g.now, time.Time{}
		o := &oracle{zone: fx.zone, users: users, segments: segments, known: 1 << 62}
		switch round % 3 {
		case 1:
			fx.now = g.instant()
		case 2:
			fx.known = g.instant()
			o.known = fx.known.UnixMicro()
		}
		o.now = fx.now.UnixMilli()
		definition := plain(g.definition(3))
		text, err := json.Marshal(definition)
		if err != nil {
			t.Fatal(err)
		}
		d, err := queries.Decode(text)
		if err != nil {
			continue // a range the wrong way round
		}
		members := fx.members(t, []queries.Target{{Definition: d}})[0]
		for range 3 {
			u := pick(g, users...)
			x, err := fx.explain(t.Context(), string(text), actors[u.name]...)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if holds := x.holds[x.Root.Target]; holds != slices.Contains(members, u.name) {
				t.Errorf("as of %v, known at %v, %s: explained as %v for %s, who is a member: %v", fx.now, fx.known, text, holds, u.name, !holds)
			}
			explained += x.agree(t, x.Root, o, u)
		}
		if t.Failed() {
			return
		}
	}
	if explained < 150 {
		t.Errorf("only %d conditions were explained", explained)
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
