package queries_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"muster"
	"muster/clickhouse"
	"muster/queries"
)

// generator makes projects and definitions whose values, names and times come from small sets, so that they meet, on the
// edges of windows too.
type generator struct {
	*rand.Rand
	now time.Time
}

func pick[T any](g generator, all ...T) T { return all[g.IntN(len(all))] }

func (g generator) chance(percent int) bool { return g.IntN(100) < percent }

// instant is a time around now, most often exactly a whole number of units away.
func (g generator) instant() time.Time {
	t := g.now.Add(-time.Duration(g.IntN(60)) * 12 * time.Hour)
	switch g.IntN(8) {
	case 0:
		t = g.now.AddDate(0, -g.IntN(3), 0)
	case 1:
		t = g.now.Add(time.Duration(g.IntN(40)) * 6 * time.Hour)
	case 2:
		t = g.now.Add(-time.Duration(g.IntN(200)) * time.Minute)
	}
	return t.Add(time.Duration(g.IntN(5)/2-1) * time.Millisecond)
}

func (g generator) moment() string {
	t := g.instant()
	if g.chance(50) {
		return t.Format(time.DateOnly)
	}
	return t.Format("2006-01-02T15:04:05.000Z07:00")
}

func (g generator) duration() string {
	return pick(g, "1s", "30m", "12h", "1d", "2d", "7d", "10d", "2w", "30d", "1mo", "2mo", "1y")
}

func (g generator) text() string {
	return pick(g, "pro", "Pro", "PRO", "", "5", "5.0", "-1e2", " 5", "true", "Straße", "STRASSE", "a\nb", "it's", "\\", g.moment(), "2026-02-30")
}

// value is one that may be stored, as JSON gives it.
func (g generator) value() any {
	switch g.IntN(9) {
	case 0, 1, 2, 3:
		return g.text()
	case 4, 5:
		return pick(g, 5.0, 5.5, -100.0, 0.0, 1e6)
	case 6:
		return g.chance(50)
	case 7:
		list := []any{}
		for range g.IntN(3) {
			list = append(list, pick(g, "pro", "5", "x"))
		}
		return list
	default:
		return nil
	}
}

func (g generator) properties() object {
	p := object{}
	for _, name := range []string{"a", "b", "c.d"} {
		if v := g.value(); v != nil && g.chance(70) {
			p[name] = v
		}
	}
	return p
}

func (g generator) comparison() object {
	c := object{}
	texts := func() []any {
		list := []any{g.text()}
		for range g.IntN(3) {
			list = append(list, g.text())
		}
		return list
	}
	negate := func(op string) string {
		if g.chance(30) {
			return "not_" + op
		}
		return op
	}
	switch g.IntN(10) {
	case 0:
		c["op"] = negate("exists")
	case 1:
		c["op"], c["value"] = negate("equals"), pick[any](g, g.text(), 5.0, 5.5, true, false)
	case 2:
		c["op"], c["value"] = negate("in"), texts()
		if g.chance(30) {
			c["value"] = []any{5.0, 0.0}
		}
	case 3:
		c["op"], c["value"] = negate(pick(g, "contains", "starts_with", "ends_with")), pick(g, "p", "O", "ss", "", "5", "\n", "'")
	case 4:
		c["op"], c["value"] = negate("matches"), pick(g, "^p", "(?i)PRO", ".", "^[0-9.]+$", "a.b", "ß", "^$")
	case 5:
		c["op"], c["value"] = pick(g, "lt", "lte", "gt", "gte"), pick(g, 5.0, 5.5, 0.0, -100.0)
	case 6:
		c["op"], c["value"] = "between", []any{pick(g, -100.0, 0.0, 5.0), pick(g, 5.0, 5.5, 1e6)}
	case 7:
		c["op"], c["value"] = pick(g, "has_any", "has_all", "has_none"), []any{pick(g, "pro", "5"), pick(g, "pro", "x")}
	default:
		return g.timeComparison()
	}
	if text, ok := c["value"].(string); (ok && text != "") && g.chance(40) {
		c["ignore_case"] = true
	}
	return c
}

func (g generator) timeComparison() object {
	switch g.IntN(3) {
	case 0:
		return object{"op": pick(g, "before", "after", "on"), "value": g.moment()}
	case 1:
		from := g.instant()
		return object{"op": "between", "value": []any{from.Format("2006-01-02T15:04:05.000Z07:00"), from.AddDate(0, 0, 1+g.IntN(20)).Format(time.DateOnly)}}
	default:
		return object{"op": pick(g, "within_last", "more_than_ago", "within_next", "more_than_ahead"), "value": g.duration()}
	}
}

func with(c object, key string, value any) object { c[key] = value; return c }

func (g generator) predicate(depth int) object {
	if depth > 0 && g.chance(40) {
		switch g.IntN(3) {
		case 0:
			return object{"all": []any{g.predicate(depth - 1), g.predicate(depth - 1)}}
		case 1:
			return object{"any": []any{g.predicate(depth - 1), g.predicate(depth - 1)}}
		default:
			return object{"not": g.predicate(depth - 1)}
		}
	}
	return with(g.comparison(), "property", pick(g, "a", "b", "c.d"))
}

func (g generator) window(leaf object) object {
	switch g.IntN(5) {
	case 0, 1:
		leaf["within"] = g.duration()
	case 2:
		leaf["since"] = g.moment()
	case 3:
		from := g.instant()
		leaf["between"] = object{"from": from.Format("2006-01-02T15:04:05.000Z07:00"), "to": from.AddDate(0, 0, 1+g.IntN(20)).Format(time.DateOnly)}
	}
	return leaf
}

func (g generator) threshold(c object, values ...float64) object {
	c["op"], c["value"] = pick(g, "eq", "neq", "lt", "lte", "gt", "gte"), pick(g, values...)
	if g.chance(20) {
		low := pick(g, values...)
		c["op"], c["value"] = "between", []any{low, low + float64(g.IntN(4))}
	}
	return c
}

func (g generator) event() object {
	leaf := object{"event": pick(g, "buy", "visit", "never")}
	if g.chance(50) {
		leaf["where"] = g.predicate(2)
	}
	switch g.IntN(6) {
	case 0, 1:
		return g.window(leaf)
	case 2, 3:
		leaf["count"] = g.threshold(object{}, 0, 1, 2, 3)
	case 4:
		leaf[pick(g, "first", "last")] = g.timeComparison()
		return leaf
	default:
		fn := pick(g, "sum", "min", "max", "avg", "distinct", "distinct_days")
		leaf["aggregate"] = object{"fn": fn, "property": pick(g, "a", "b", "c.d")}
		if fn == "distinct_days" {
			leaf["aggregate"] = object{"fn": fn}
		}
		if fn == "distinct" || fn == "distinct_days" {
			g.threshold(leaf, 0, 1, 2, 3)
		} else {
			g.threshold(leaf, 0, 5, 5.5, 10, -100, 10.5)
		}
	}
	return g.window(leaf)
}

func (g generator) definition(depth int) object {
	if depth > 0 && g.chance(50) {
		parts := []any{g.definition(depth - 1), g.definition(depth - 1), g.definition(depth - 1)}
		switch g.IntN(4) {
		case 0:
			return object{"all": parts[:1+g.IntN(3)]}
		case 1:
			return object{"any": parts[:1+g.IntN(3)]}
		case 2:
			return object{"at_least": float64(1 + g.IntN(3)), "of": parts}
		default:
			return object{"not": parts[0]}
		}
	}
	switch g.IntN(16) {
	case 0:
		return object{"identified": g.chance(50)}
	case 1:
		return object{"tag": pick(g, "pro", "5", "x")}
	case 2:
		return object{"segment": pick(g, "s0", "s1")}
	case 3:
		c := g.timeComparison()
		return with(c, "attribute", pick(g, "first_seen", "last_seen"))
	case 4:
		return object{"attribute": "sessions", "op": pick(g, "lt", "gte", "equals"), "value": float64(g.IntN(5))}
	case 5:
		return object{"attribute": pick(g, "user_id", "anonymous_id"), "op": pick(g, "exists", "not_exists")}
	case 6, 7, 8:
		return with(g.comparison(), "attribute", pick(g, "plan", "seats"))
	case 9:
		steps := []any{}
		for range 2 + g.IntN(2) {
			step := object{"event": pick(g, "buy", "visit")}
			if g.chance(30) {
				step["where"] = g.predicate(1)
			}
			steps = append(steps, step)
		}
		leaf := object{"sequence": steps}
		if g.chance(60) {
			leaf["complete_within"] = g.duration()
		}
		return g.window(leaf)
	case 10:
		leaf := object{"experience": pick(g, "tour", "nps")}
		if g.chance(60) {
			leaf["interaction"] = pick(g, "seen", "completed", "answered")
		}
		if g.chance(50) {
			leaf["count"] = g.threshold(object{}, 0, 1, 2)
		}
		return g.window(leaf)
	case 12:
		return object{"import": pick(g, "i0", "i1")}
	case 11:
		return g.window(object{"experience": "nps", "question": pick(g, "q1", "q2"), "answer": g.comparison(), "latest": g.chance(50)})
	default:
		return g.event()
	}
}

// populate makes users: with missing, mistyped, late and repeated data, of one or more actors, some not seen yet.
func (g generator) populate(fx *fixture, users int) []*person {
	var all []*person
	for i := range users {
		u := &person{name: fmt.Sprintf("u%d", i), identified: g.chance(70)}
		kind := muster.Identified
		if !u.identified {
			u.name, kind = fmt.Sprintf("v%d", i), muster.Anonymous
		}
		actors := []string{u.name}
		fx.add("identities", uint32(project), uint64(actorOf(u.name)), int8(kind), int8(0), uint64(0), u.name, longAgo)
		u.anonymous = !u.identified
		for j := 0; u.identified && j < g.IntN(3); j++ {
			name := fmt.Sprintf("v%d_%d", i, j)
			fx.add("identities", uint32(project), uint64(actorOf(name)), int8(muster.Anonymous), int8(1), uint64(actorOf(u.name)), name, longAgo)
			actors, u.anonymous = append(actors, name), true
		}
		// Every message is an event, so there is no user without one.
		for range 1 + g.IntN(8) {
			g.happen(fx, u, pick(g, actors...), pick(g, "buy", "visit"), g.properties())
		}
		for range g.IntN(4) {
			p := object{"experience": pick(g, "tour", "nps"), "interaction": pick(g, "seen", "completed", "answered")}
			if v := g.value(); v != nil && g.chance(60) {
				p["question"], p["answer"] = pick(g, "q1", "q2"), v
			}
			g.happen(fx, u, pick(g, actors...), "$experience", p)
		}
		for _, attribute := range []string{"plan", "seats", "tags"} {
			for range g.IntN(4) {
				g.say(fx, u, pick(g, actors...), attribute)
			}
		}
		for _, name := range []string{"i0", "i1"} {
			fx.imports[name] = true
			if g.chance(40) {
				at, received := g.at(fx)
				fx.add("import_members", uint32(project), name, uint64(actorOf(pick(g, actors...))), at, received)
				u.imports = append(u.imports, importing{name, at.UnixMilli(), received.UnixMicro()})
			}
		}
		all = append(all, u)
	}
	return all
}

// at makes the time of a message, its own to the millisecond, and when it was received.
func (g generator) at(fx *fixture) (at, received time.Time) {
	at = g.instant()
	received = at
	if g.chance(30) {
		received = at.Add(time.Duration(g.IntN(20)) * 24 * time.Hour)
	}
	return at, received.Add(time.Duration(fx.message%1000) * time.Microsecond)
}

func (g generator) happen(fx *fixture, u *person, actor, event string, properties object) {
	at, received := g.at(fx)
	text, err := json.Marshal(properties)
	if err != nil {
		panic(err)
	}
	fx.happened(actorOf(actor), event, at, string(text), received)
	u.events = append(u.events, happening{event, at.UnixMilli(), received.UnixMicro(), properties})
	if g.chance(15) {
		fx.repeat(received.Add(time.Hour))
	}
}

func (g generator) say(fx *fixture, u *person, actor, attribute string) {
	at, received := g.at(fx)
	value := g.value()
	if attribute == "tags" {
		value = []any{pick(g, "pro", "5"), "y"}
	}
	// Two snapshots of one instant would be told apart by their receipts alone, which a message sent again confuses.
	if slices.ContainsFunc(u.facts, func(f fact) bool { return f.attribute == attribute && f.time == at.UnixMilli() }) {
		return
	}
	fx.stated(actorOf(actor), attribute, value, at, received)
	u.facts = append(u.facts, fact{attribute, at.UnixMilli(), received.UnixMicro(), value})
	if g.chance(15) {
		fx.repeat(received.Add(time.Hour))
	}
}

// TestEvaluatorAgreesWithTheOracle compares the product's sets of users with those of a naive evaluator, over generated projects
// and definitions, as of now and of other times, and as it was known then.
func TestEvaluatorAgreesWithTheOracle(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { agree(t, seed) })
	}
}

func agree(t *testing.T, seed uint64) {
	zone, err := time.LoadLocation(map[uint64]string{0: "Europe/Paris", 1: "America/New_York", 2: "UTC"}[seed%3])
	if err != nil {
		t.Fatal(err)
	}
	g := generator{rand.New(rand.NewPCG(seed, 0)), time.Date(2026, 3, 31, 10, 0, 0, 0, time.UTC)}
	fx := newFixture(t)
	fx.zone = zone
	users := g.populate(fx, 60)
	if err := fx.insert(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := fx.index(t.Context()); err != nil {
		t.Fatal(err)
	}
	segments := map[string]object{}
	for _, id := range []string{"s0", "s1"} {
		segments[id] = with(g.comparison(), "attribute", "plan")
		text, _ := json.Marshal(segments[id])
		if fx.segments[id], err = queries.Decode(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	compared, nonempty := 0, 0
	for round := range 6 {
		fx.now, fx.known = g.now, time.Time{}
		o := &oracle{zone: zone, users: users, segments: segments, known: 1 << 62}
		if round%3 == 1 {
			fx.now = g.now.AddDate(0, 0, -g.IntN(20))
		}
		if round%3 == 2 {
			fx.known = g.instant()
			o.known = fx.known.UnixMicro()
		}
		o.now = fx.now.UnixMilli()
		var definitions []object
		var targets []queries.Target
		for len(targets) < 120 {
			definition := plain(g.definition(3))
			text, err := json.Marshal(definition)
			if err != nil {
				t.Fatal(err)
			}
			d, err := queries.Decode(text)
			if err != nil {
				if strings.Contains(err.Error(), "is empty; swap its ends") || strings.Contains(err.Error(), "nothing is from") {
					continue
				}
				t.Fatalf("%s: %v", text, err)
			}
			definitions, targets = append(definitions, definition), append(targets, queries.Target{Definition: d})
		}
		for i, got := range fx.members(t, targets) {
			want := o.members(definitions[i])
			if !slices.Equal(got, want) {
				text, _ := json.Marshal(definitions[i])
				t.Errorf("as of %v, known at %v: %s\n got %v\nwant %v", fx.now, fx.known, text, got, want)
			}
			compared++
			if len(want) > 0 && len(want) < len(users) {
				nonempty++
			}
		}
		if t.Failed() {
			return
		}
	}
	if nonempty < compared/2 {
		t.Errorf("only %d of %d definitions told users apart", nonempty, compared)
	}
}

// plain returns the definition as JSON gives it, sharing nothing.
func plain(definition object) object {
	text, err := json.Marshal(definition)
	if err != nil {
		panic(err)
	}
	var again object
	if err := json.Unmarshal(text, &again); err != nil {
		panic(err)
	}
	return again
}

// members evaluates definitions in one statement, and returns their users by name.
func (fx *fixture) members(t *testing.T, targets []queries.Target) [][]string {
	t.Helper()
	plan, err := queries.Compile(fx.scope(), targets)
	if err != nil {
		t.Fatal(err)
	}
	statement := plan.Counts(10_000)
	rows, err := fx.db.Query(clickhouse.WithParameters(t.Context(), statement.Parameters), statement.SQL)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all [][]string
	for rows.Next() {
		var target uint16
		var size, of uint64
		var uids []uint32
		if err := rows.Scan(&target, &size, &of, &uids); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, uid := range uids {
			names = append(names, fx.names[uid])
		}
		slices.Sort(names)
		all = append(all, names)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
