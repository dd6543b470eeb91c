package queries_test

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"time"

	"pgregory.net/rapid"
)

// generator draws projects and definitions whose values, names and times come from small sets, so that they meet: on the
// edges of windows, at the ends of months, where clocks are put forward and back. What stands first in a set is what rapid
// shrinks to.
type generator struct {
	*rapid.T

	world // zone and now are drawn first; times lie around now
}

// below draws a number from 0 to n-1. rapid draws numbers of few bits far more often than others; in the order of their
// reversed bits (van der Corput's) even those are spread evenly, and 0 is still where it shrinks to.
func (g *generator) below(n int) int {
	return int(bits.Reverse16(rapid.Uint16().Draw(g.T, "below"))) * n >> 16
}

// pick draws one of a set.
func pick[T any](g *generator, all ...T) T { return all[g.below(len(all))] }

// chance is true as often as a percentage says; it shrinks to false.
func (g *generator) chance(percent int) bool { return g.below(100) >= 100-percent }

// millisecondForm prints an instant as precisely as instants are kept.
const millisecondForm = "2006-01-02T15:04:05.000Z07:00"

// eras are zones, and times at which something is odd about them.
var eras = []struct{ zone, now string }{
	{"UTC", "2026-03-31T10:00:00Z"},
	{"Europe/Paris", "2026-03-31T10:00:00Z"},        // the end of a month after a short one
	{"Europe/Paris", "2026-03-29T01:30:00Z"},        // the clock has just been put forward
	{"Europe/Paris", "2026-10-25T01:30:00Z"},        // 02:30 for the second time
	{"America/New_York", "2024-02-29T23:30:00Z"},    // a leap day
	{"America/Havana", "2026-03-08T05:00:00Z"},      // a day without a midnight
	{"America/Havana", "2026-11-01T05:00:00Z"},      // a midnight for the second time
	{"America/Sao_Paulo", "2018-11-04T03:00:00Z"},   // a day without a midnight
	{"Africa/Cairo", "2026-10-29T21:00:00.001Z"},    // an hour before midnight for the second time
	{"Australia/Lord_Howe", "2026-04-04T15:00:00Z"}, // half an hour back
	{"Pacific/Auckland", "2026-01-01T00:00:00Z"},    // thirteen hours ahead of UTC
	{"Asia/Kathmandu", "2026-05-31T18:15:00Z"},      // midnight, a quarter past the hour in UTC
}

// pin draws the zone and the time everything lies around.
func (g *generator) pin() {
	era := pick(g, eras...)
	var err error
	if g.zone, err = time.LoadLocation(era.zone); err != nil {
		g.Fatal(err)
	}
	if g.now, err = time.Parse(time.RFC3339, era.now); err != nil {
		g.Fatal(err)
	}
}

// instant is a time around now: most often exactly a duration of the windows away, or a midnight, give or take a millisecond.
func (g *generator) instant() time.Time {
	t := g.now
	o := g.oracle()
	switch g.below(8) {
	case 0, 1, 2:
		t = time.UnixMilli(o.moved(g.duration(), -1))
	case 3:
		t = time.UnixMilli(o.midnight(g.day()))
	case 4:
		t = g.now.Add(-time.Duration(g.below(60)) * 12 * time.Hour)
	case 5:
		t = g.now.Add(-time.Duration(g.below(200)) * time.Minute)
	case 6:
		t = time.UnixMilli(o.moved(g.duration(), 1))
	}
	return t.UTC().Add(time.Duration(pick(g, 0, -1, 1)) * time.Millisecond)
}

// day is a calendar day of the project's zone, not far from now.
func (g *generator) day() time.Time {
	return g.now.In(g.zone).AddDate(0, 0, pick(g, 0, -1, 1, -2, -30, -31, -10))
}

func (g *generator) moment() string {
	if g.chance(50) {
		return g.instant().Format(millisecondForm)
	}
	return g.day().Format(time.DateOnly)
}

// moments are two times, the first the earlier, in one of the forms a range has.
func (g *generator) moments() any {
	from := g.instant()
	to := from.In(g.zone).AddDate(0, 0, 2+g.below(20)).Format(time.DateOnly)
	low := from.Format(millisecondForm)
	if g.chance(30) {
		low = from.In(g.zone).Format(time.DateOnly)
	}
	return g.ends(low, to)
}

func (g *generator) ends(low, high any) any {
	if g.chance(30) {
		return object{"from": low, "to": high}
	}
	return []any{low, high}
}

func (g *generator) duration() string {
	return pick(g, "1d", "1s", "30m", "12h", "24h", "2d", "7d", "1w", "10d", "30d", "1mo", "2mo", "12mo", "1y")
}

// texts have other readings, or nearly; differ in case only, by Unicode's rules; or are what programs trip over.
func (g *generator) text() string {
	switch g.below(4) {
	case 0, 1:
		return pick(g, "pro", "Pro", "PRO", "", "5", "true", "x")
	case 2:
		return pick(g, "5.0", "-1e2", "+5", " 5", "5.", "false", "True", "Straße", "STRASSE", "ﬁ", "FI", "e\u0301", "é", "日本", "😀", "a\nb", "it's", "\\", "a\x00b",
			"{p1:String}", "2026-02-30", "2026-03-29T1:00:00Z", "NaN", "1e999")
	default:
		return g.moment()
	}
}

// value is one that may be stored, as JSON gives it.
func (g *generator) value() any {
	switch g.below(9) {
	case 0, 1, 2, 3:
		return g.text()
	case 4, 5:
		return pick(g, 5.0, 5.5, -100.0, 0.0, 1e6)
	case 6:
		return g.chance(50)
	case 7:
		list := []any{}
		for range g.below(3) {
			list = append(list, pick(g, "pro", "5", "x", ""))
		}
		return list
	default:
		return nil
	}
}

func (g *generator) properties() object {
	p := object{}
	for _, name := range []string{"a", "b", "c.d"} {
		if !g.chance(60) {
			continue
		}
		if name == "c.d" && g.chance(50) {
			p["c"] = object{"d": g.value()}
			continue
		}
		p[name] = g.value()
	}
	return p
}

func (g *generator) comparison() object {
	c := object{}
	texts := func() []any {
		list := []any{g.text()}
		for range g.below(3) {
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
	switch g.below(10) {
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
		c["op"], c["value"] = negate(pick(g, "contains", "starts_with", "ends_with")), pick(g, "p", "O", "ss", "", "5", "\n", "'", "I", "\u0301", "\x00")
	case 4:
		c["op"], c["value"] = negate("matches"), pick(g, "^p", "(?i)PRO", ".", "^[0-9.]+$", "a.b", "ß", "^$", "^.$", "\\pL", "(?s)a.b")
	case 5:
		c["op"], c["value"] = pick(g, "lt", "lte", "gt", "gte"), pick(g, 5.0, 5.5, 0.0, -100.0)
	case 6:
		c["op"], c["value"] = "between", g.ends(pick(g, -100.0, 0.0, 5.0), pick(g, 5.0, 5.5, 1e6))
	case 7:
		c["op"], c["value"] = pick(g, "has_any", "has_all", "has_none"), []any{pick(g, "pro", "5"), pick(g, "pro", "x", "")}
	default:
		return g.timeComparison()
	}
	_, isText := c["value"].(string)
	if list, isList := c["value"].([]any); isList && (c["op"] == "in" || c["op"] == "not_in") {
		_, isText = list[0].(string)
	}
	if isText && g.chance(40) {
		c["ignore_case"] = true
	}
	return c
}

func (g *generator) timeComparison() object {
	switch g.below(3) {
	case 0:
		return object{"op": pick(g, "before", "after", "on"), "value": g.moment()}
	case 1:
		return object{"op": "between", "value": g.moments()}
	default:
		return object{"op": pick(g, "within_last", "more_than_ago", "within_next", "more_than_ahead"), "value": g.duration()}
	}
}

func with(c object, key string, value any) object { c[key] = value; return c }

func (g *generator) predicate(depth int) object {
	if depth > 0 && g.chance(40) {
		switch g.below(3) {
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

func (g *generator) window(leaf object) object {
	switch g.below(5) {
	case 1, 2:
		leaf["within"] = g.duration()
	case 3:
		leaf["since"] = g.moment()
	case 4:
		leaf["between"] = g.moments()
	}
	return leaf
}

func (g *generator) threshold(c object, values ...float64) object {
	c["op"], c["value"] = pick(g, "gte", "eq", "neq", "lt", "lte", "gt"), pick(g, values...)
	if g.chance(20) {
		low := pick(g, values...)
		c["op"], c["value"] = "between", g.ends(low, low+float64(g.below(4)))
	}
	return c
}

func (g *generator) event() object {
	leaf := object{"event": pick(g, "buy", "visit", "never")}
	if g.chance(50) {
		leaf["where"] = g.predicate(2)
	}
	switch g.below(6) {
	case 0, 1:
		return g.window(leaf)
	case 2, 3:
		leaf["count"] = g.threshold(object{}, 1, 0, 2, 3)
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
			g.threshold(leaf, 1, 0, 2, 3)
		} else {
			g.threshold(leaf, 5, 0, 5.5, 10, -100, 10.5)
		}
	}
	return g.window(leaf)
}

func (g *generator) sequence() object {
	steps := []any{}
	for range 2 + g.below(3) {
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
}

func (g *generator) experience() object {
	leaf := object{"experience": pick(g, "tour", "nps")}
	if g.chance(60) {
		leaf["interaction"] = pick(g, "seen", "completed", "answered")
	}
	if g.chance(50) {
		leaf["count"] = g.threshold(object{}, 1, 0, 2)
	}
	return g.window(leaf)
}

// leaf draws a leaf of any kind but one that names a segment.
func (g *generator) leaf() object {
	switch g.below(17) {
	case 16:
		return object{"import": pick(g, "i0", "i1")}
	case 0:
		return object{"everyone": true}
	case 1:
		return object{"identified": g.chance(50)}
	case 2:
		return object{"tag": pick(g, "pro", "5", "x")}
	case 3:
		return with(g.timeComparison(), "attribute", pick(g, "first_seen", "last_seen"))
	case 4:
		return object{"attribute": "sessions", "op": pick(g, "gte", "lt", "equals", "not_equals"), "value": float64(g.below(5))}
	case 5:
		return object{"attribute": pick(g, "user_id", "anonymous_id"), "op": pick(g, "exists", "not_exists")}
	case 6, 7, 8:
		return with(g.comparison(), "attribute", pick(g, "plan", "seats", "plan", "seats", "group.size"))
	case 9:
		return g.sequence()
	case 10:
		return g.experience()
	case 11:
		return g.window(object{"experience": "nps", "question": pick(g, "q1", "q2"), "answer": g.comparison(), "latest": g.chance(50)})
	default:
		return g.event()
	}
}

// definition puts leaves together, and segments that may be named. Groups are nested up to a depth.
func (g *generator) definition(depth int, leaves []object, segments []string) object {
	if depth > 0 && g.chance(60) {
		part := func() any { return g.definition(depth-1, leaves, segments) }
		switch g.below(4) {
		case 0:
			return object{"not": part()}
		case 1:
			return object{"all": []any{part(), part()}}
		case 2:
			return object{"any": []any{part(), part()}}
		default:
			return object{"at_least": float64(1 + g.below(3)), "of": []any{part(), part(), part()}}
		}
	}
	if len(segments) > 0 && g.chance(10) {
		return object{"segment": pick(g, segments...)}
	}
	return pick(g, leaves...)
}

// lines draws a project, as the lines of a fixture.
func (g *generator) lines() []string {
	said := &speech{generator: g, snapshots: map[string]bool{}, repeated: map[string]bool{}}
	said.add("zone %s", g.zone)
	for i := range 1 + g.below(16) {
		said.user(i)
	}
	said.add("newcomer u99")
	said.did("u99", "$seen", object{})
	for _, name := range []string{"i0", "i1"} {
		said.add("imported %s u99", name) // there are imports, whoever is in them
	}
	return said.lines
}

// speech is a project in the making.
type speech struct {
	*generator

	lines     []string
	messages  int
	snapshots map[string]bool // by user, attribute and time: whether one was sent again; removals are of no attribute
	repeated  map[string]bool // by user and time: an attribute was sent again
}

func (s *speech) add(format string, values ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, values...))
}

// user draws a user: of one actor or several, with missing, mistyped, late, future and repeated data, who may not have been seen
// yet. Every message is an event, so there is no user without one.
func (s *speech) user(i int) {
	actors := []string{fmt.Sprintf("u%d", i)}
	if s.chance(30) {
		actors[0] = fmt.Sprintf("v%d", i)
	}
	s.add("newcomer %s", actors[0])
	if !isVisitor(actors[0]) {
		for j := range s.below(3) {
			actors = append(actors, fmt.Sprintf("v%d_%d", i, j))
			s.add("newcomer %s of %s", actors[len(actors)-1], actors[0])
		}
		if s.chance(20) {
			actors = append(actors, fmt.Sprintf("a%d", i))
			s.add("newcomer %s of %s", actors[len(actors)-1], actors[0])
		}
	}
	s.event(actors)
	for _, name := range []string{"i0", "i1"} {
		if s.chance(30) {
			at, received := s.times()
			s.add("imported %s %s %s received %s", name, pick(s.generator, actors...), at.Format(time.RFC3339Nano), received.Format(time.RFC3339Nano))
		}
	}
	for range s.below(12) {
		switch s.below(6) {
		case 0, 1:
			s.event(actors)
		case 2:
			s.experience(actors)
		case 5:
			s.removal(actors)
		default:
			s.attribute(actors)
		}
	}
}

func (s *speech) event(actors []string) {
	s.did(pick(s.generator, actors...), pick(s.generator, "buy", "visit"), s.properties())
}

func (s *speech) experience(actors []string) {
	g := s.generator
	p := object{"experience": pick(g, "tour", "nps"), "interaction": pick(g, "seen", "completed", "answered")}
	if s.chance(60) {
		p["experience"], p["question"], p["answer"] = "nps", pick(g, "q1", "q2"), s.value()
	}
	s.did(pick(g, actors...), "$experience", p)
}

func (s *speech) did(actor, event string, properties object) {
	at, received := s.times()
	s.add("did %s %s %s %s received %s", actor, event, at.Format(time.RFC3339Nano), jsonOf(properties), received.Format(time.RFC3339Nano))
	if s.chance(15) {
		s.add("again %s", received.Add(time.Hour).Format(time.RFC3339Nano))
	}
}

func (s *speech) attribute(actors []string) {
	g := s.generator
	attribute := pick(g, "plan", "seats", "tags", "group.size")
	value := s.value()
	if attribute == "tags" {
		value = []any{pick(g, "pro", "5"), "y"}
	}
	at, received := s.times()
	again := s.chance(15)
	// Of two snapshots of one instant the later received holds. One that is sent again would have two receipts there.
	key := fmt.Sprint(actors[0], attribute, at)
	_, removed := s.snapshots[fmt.Sprint(actors[0], "", at)]
	if was, said := s.snapshots[key]; (said || removed) && again || was {
		return
	}
	s.snapshots[key] = again
	s.repeated[fmt.Sprint(actors[0], at)] = s.repeated[fmt.Sprint(actors[0], at)] || again
	from := ""
	if attribute == "plan" && s.chance(20) {
		from = " from integration"
	}
	s.add("set %s %s %s %s received %s%s", pick(g, actors...), attribute, jsonOf(value), at.Format(time.RFC3339Nano), received.Format(time.RFC3339Nano), from)
	if again {
		s.add("again %s", received.Add(time.Hour).Format(time.RFC3339Nano))
	}
}

// removal draws a message that unsets what it does not name.
func (s *speech) removal(actors []string) {
	g := s.generator
	named := object{}
	for _, attribute := range []string{"plan", "seats"} {
		if s.chance(30) {
			named[attribute] = s.value()
		}
	}
	at, received := s.times()
	if s.repeated[fmt.Sprint(actors[0], at)] {
		return
	}
	s.snapshots[fmt.Sprint(actors[0], "", at)] = false
	for attribute := range named {
		s.snapshots[fmt.Sprint(actors[0], attribute, at)] = false
	}
	s.add("only %s %s %s received %s", pick(g, actors...), jsonOf(named), at.Format(time.RFC3339Nano), received.Format(time.RFC3339Nano))
}

// times draws the time of a message, and when it was received: a moment of its own.
func (s *speech) times() (at, received time.Time) {
	at = s.instant()
	received = at
	if s.chance(30) {
		received = at.Add(time.Duration(s.below(20)) * 24 * time.Hour)
	}
	s.messages++
	return at, received.Add(time.Duration(s.messages%1000) * time.Microsecond)
}

func jsonOf(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// plain returns a definition as JSON gives it, sharing nothing.
func plain(definition object) object {
	var again object
	if err := json.Unmarshal([]byte(jsonOf(definition)), &again); err != nil {
		panic(err)
	}
	return again
}
