package queries_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster"
	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
	"muster/identity"
	"muster/queries"
)

// seen is a row of evidence.
type seen struct {
	count   uint64
	amount  *float64
	times   []int64
	kinds   []string
	texts   []string
	numbers []*float64
	lists   [][]string
	sources []string
	counted []bool
}

// explained is an explanation that was run.
type explained struct {
	*queries.Explanation
	holds map[int]bool
	seen  map[int]seen
}

// explain explains a definition for the user some actors are of.
func (fx *fixture) explain(ctx context.Context, definition string, actors ...muster.Actor) (explained, error) {
	d, err := queries.Decode([]byte(definition))
	if err != nil {
		return explained{}, err
	}
	scope := fx.scope()
	scope.Actors = actors
	x, err := queries.Explain(scope, d)
	if err != nil {
		return explained{}, err
	}
	e := explained{x, map[int]bool{}, map[int]seen{}}
	statement := x.Plan.Counts(0)
	rows, err := fx.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return e, fmt.Errorf("%w\n%s\n%v", err, statement.SQL, statement.Parameters)
	}
	defer rows.Close()
	for rows.Next() {
		var target uint16
		var size, of uint64
		var uids []uint32
		if err := rows.Scan(&target, &size, &of, &uids); err != nil {
			return e, err
		}
		e.holds[int(target)] = size == 1
	}
	if err := rows.Err(); err != nil {
		return e, err
	}
	for _, statement := range x.Seen() {
		if err := fx.readSeen(ctx, statement, e.seen); err != nil {
			return e, fmt.Errorf("%w\n%s\n%v", err, statement.SQL, statement.Parameters)
		}
	}
	return e, nil
}

func (fx *fixture) readSeen(ctx context.Context, statement queries.Statement, into map[int]seen) error {
	rows, err := fx.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var number uint32
		var s seen
		if err := rows.Scan(&number, &s.count, &s.amount, &s.times, &s.kinds, &s.texts, &s.numbers, &s.lists, &s.sources, &s.counted); err != nil {
			return err
		}
		if _, twice := into[int(number)]; twice {
			return fmt.Errorf("there are two rows of evidence %d", number)
		}
		into[int(number)] = s
	}
	return rows.Err()
}

// actorsOf returns the actors of the user that has a name.
func (fx *fixture) actorsOf(ctx context.Context, name string) ([]muster.Actor, error) {
	statement := queries.Identifiers(fx.scope(), actorOf(name))
	rows, err := fx.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []muster.Actor
	for rows.Next() {
		var actor uint64
		var kind, id string
		var uid uint32
		var rank uint16
		if err := rows.Scan(&actor, &kind, &id, &uid, &rank); err != nil {
			return nil, err
		}
		all = append(all, muster.Actor(actor))
	}
	return all, rows.Err()
}

// A fixture of explanations has, besides the words of other fixtures,
//
//	explain ann {"attribute":"plan","op":"exists"}
//
// and the tree that follows up to an empty line. A line of it is a condition: its kind, yes or no, what it asks, (from, to] or
// the like where a time is asked, how many events counted, an aggregate, the times, and the values that were seen, those
// in brackets did not count.
func TestExplanations(t *testing.T) {
	files, err := filepath.Glob("testdata/explain/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runExplanations(t, file) })
	}
}

func runExplanations(t *testing.T, file string) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fx := newFixture(t)
	indexed := false
	explanations := 0
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if word != "explain" {
			if err := fx.load(word, rest); err != nil {
				t.Fatalf("%s:%d: %v", file, n, err)
			}
			continue
		}
		var want []string
		from := n
		for lines.Scan() {
			n++
			if strings.TrimSpace(lines.Text()) == "" {
				break
			}
			want = append(want, lines.Text())
		}
		if !indexed {
			if err := fx.insert(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := fx.index(t.Context()); err != nil {
				t.Fatal(err)
			}
			indexed = true
		}
		name, definition, _ := strings.Cut(rest, " ")
		actors, err := fx.actorsOf(t.Context(), name)
		if err != nil {
			t.Fatalf("%s:%d: %v", file, from, err)
		}
		x, err := fx.explain(t.Context(), definition, actors...)
		if err != nil {
			t.Fatalf("%s:%d: %v", file, from, err)
		}
		if got := strings.Join(x.lines(x.Root, ""), "\n"); got != strings.Join(want, "\n") {
			t.Errorf("%s:%d: %s\ngot\n%s\nwant\n%s", file, from, rest, got, strings.Join(want, "\n"))
		}
		explanations++
	}
	if explanations == 0 {
		t.Errorf("%s explains nothing", file)
	}
}

func (e explained) lines(c *queries.Condition, indent string) []string {
	line := indent + c.Kind + map[bool]string{true: " yes", false: " no"}[e.holds[c.Target]]
	if c.Asked != nil {
		line += " " + string(c.Asked)
	}
	if c.Span != nil {
		line += " " + spanText(*c.Span)
	}
	if s, ok := e.seen[c.Evidence]; ok && c.Show != queries.ShowNothing && c.Show != queries.ShowUserID {
		line += s.text(c)
	}
	all := []string{line}
	for _, child := range c.Of {
		all = append(all, e.lines(child, indent+"  ")...)
	}
	return all
}

func spanText(s queries.Span) string {
	end := func(t *time.Time) string {
		if t == nil {
			return "…"
		}
		return t.Format(time.RFC3339Nano)
	}
	return map[bool]string{true: "[", false: "("}[s.FromIncluded] + end(s.From) + ", " + end(s.To) + map[bool]string{true: "]", false: ")"}[s.ToIncluded]
}

func (s seen) text(c *queries.Condition) string {
	var b strings.Builder
	switch c.Show {
	case queries.ShowValue, queries.ShowSince:
	default:
		fmt.Fprintf(&b, " count %d", s.count)
	}
	switch {
	case s.amount != nil && c.Show == queries.ShowMoment:
		b.WriteString(" was " + time.UnixMilli(int64(*s.amount)).UTC().Format(time.RFC3339Nano))
	case s.amount != nil:
		b.WriteString(" amount " + strconv.FormatFloat(*s.amount, 'f', -1, 64))
	}
	for i, kind := range s.kinds {
		value := " " + kind
		switch kind {
		case "number":
			value += " " + strconv.FormatFloat(*s.numbers[i], 'f', -1, 64)
		case "list":
			value += fmt.Sprintf(" %q", s.lists[i])
		case "text", "boolean":
			value += fmt.Sprintf(" %q", s.texts[i])
		}
		if s.sources[i] != "" {
			value += " " + s.sources[i]
		}
		if !s.counted[i] {
			value = " (" + value[1:] + ")"
		}
		b.WriteString(value)
	}
	for i, ms := range s.times {
		if c.Show == queries.ShowValue && s.count == 0 && s.kinds[i] != "time" {
			continue // it was not said at a time
		}
		b.WriteString(" " + time.UnixMilli(ms).UTC().Format(time.RFC3339Nano))
	}
	return b.String()
}

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

// TestExplanationOfManyLeaves explains more leaves than one statement of evidence reads.
func TestExplanationOfManyLeaves(t *testing.T) {
	fx := newFixture(t)
	for _, line := range []string{"user ann", `set ann a7 "x"`, "did ann e9 2026-02-01T10:00:00Z"} {
		word, rest, _ := strings.Cut(line, " ")
		if err := fx.load(word, rest); err != nil {
			t.Fatal(err)
		}
	}
	fx.now = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if err := fx.insert(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := fx.index(t.Context()); err != nil {
		t.Fatal(err)
	}
	var leaves []string
	for i := range 120 {
		leaves = append(leaves, fmt.Sprintf(`{"attribute":"a%d","op":"exists"}`, i), fmt.Sprintf(`{"event":"e%d"}`, i))
	}
	x, err := fx.explain(t.Context(), `{"any":[`+strings.Join(leaves, ",")+`]}`, actorOf("ann"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range x.Root.Of {
		text := string(queries.Print(c.Definition))
		s, is := x.seen[c.Evidence]
		held := strings.Contains(text, `"a7"`) || strings.Contains(text, `"e9"`)
		if x.holds[c.Target] != held || held != (is && len(s.times) == 1) {
			t.Errorf("%s: holds %v, saw %+v", text, x.holds[c.Target], s)
		}
	}
	if n := len(x.Seen()); n < 2 {
		t.Errorf("the evidence is read in %d statement", n)
	}
}

// TestExplanationReadsLittle explains one of 200,000 users, by every kind of leaf: no statement may scan a table.
func TestExplanationReadsLittle(t *testing.T) {
	db := clickhousetest.DB(t)
	for _, sql := range []string{
		`INSERT INTO actors (project, actor, uid, rank, kind, id, version)
			SELECT 1, cityHash64(number) AS actor, number + 1, 0, 'user', toString(number), 1 FROM numbers(200000)`,
		`INSERT INTO events (project, event, actor, ts, message, time, received, message_id, properties)
			SELECT 1, 'buy', cityHash64(number % 200000), toDateTime64('2025-03-01', 3, 'UTC') + number AS at, number, at, at, '', '{"amount":1}'
			FROM numbers(600000)`,
		`INSERT INTO attribute_snapshots (project, attribute, actor, ts, message, time, received, source, kind, text)
			SELECT 1, 'plan', cityHash64(number), toDateTime64('2025-03-01', 3, 'UTC') AS at, number, at, at, 'custom', 'text', 'pro' FROM numbers(200000)`,
		`INSERT INTO import_members (project, import, actor, time, received)
			SELECT 1, 'list', cityHash64(number), toDateTime64('2025-03-01', 3, 'UTC') AS at, at FROM numbers(200000)`,
	} {
		if err := db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := identity.NewIndex(db).Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	var actor uint64
	if err := db.QueryRow(t.Context(), "SELECT cityHash64(toUInt64(123456))").Scan(&actor); err != nil {
		t.Fatal(err)
	}
	fx := &fixture{db: db, zone: time.UTC, imports: map[string]bool{"list": true}}
	for _, at := range []struct{ now, known time.Time }{
		{now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)},
		{now: time.Date(2025, 3, 4, 0, 0, 0, 0, time.UTC)},
		{now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), known: time.Date(2025, 3, 4, 0, 0, 0, 0, time.UTC)},
	} {
		fx.now, fx.known = at.now, at.known
		for _, leaf := range []string{
			`{"everyone":true}`, `{"identified":true}`, `{"tag":"vip"}`, `{"import":"list"}`, `{"event":"buy","within":"365d"}`,
			`{"attribute":"plan","op":"equals","value":"pro"}`, `{"attribute":"sessions","op":"gte","value":1}`,
			`{"attribute":"user_id","op":"exists"}`, `{"attribute":"first_seen","op":"within_last","value":"1y"}`,
			`{"attribute":"last_seen","op":"within_last","value":"1y"}`, `{"event":"buy","aggregate":{"fn":"sum","property":"amount"},"op":"gt","value":1}`,
			`{"event":"buy","first":{"op":"within_last","value":"1y"}}`, `{"sequence":[{"event":"buy"},{"event":"buy"}]}`,
			`{"experience":"tour"}`, `{"experience":"tour","question":"q","answer":{"op":"exists"}}`,
		} {
			d, err := queries.Decode([]byte(leaf))
			if err != nil {
				t.Fatal(err)
			}
			scope := fx.scope()
			scope.Actors = []muster.Actor{muster.Actor(actor)}
			x, err := queries.Explain(scope, d)
			if err != nil {
				t.Fatal(err)
			}
			for _, statement := range append([]queries.Statement{x.Plan.Counts(0)}, x.Seen()...) {
				var read clickhouse.Statistics
				rows, err := db.Query(clickhouse.WithStatistics(t.Context(), statement.Parameters, &read), statement.SQL)
				if err != nil {
					t.Fatalf("%v\n%s", err, statement.SQL)
				}
				for rows.Next() {
				}
				if err := errors.Join(rows.Err(), rows.Close()); err != nil {
					t.Fatal(err)
				}
				// A granule has 8,192 rows; the events lie in some parts, each with a granule at least.
				if read.Rows > 120_000 {
					t.Errorf("%s, as of %v, known at %v, reads %d rows\n%s", leaf, fx.now, fx.known, read.Rows, statement.SQL)
				}
			}
		}
	}
}
