package queries_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster"
	"muster/clickhouse"
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
	statement := queries.Identifiers(fx.scope(), fx.actor(name))
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
	if c.Show != queries.ShowValue && c.Show != queries.ShowSince {
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
