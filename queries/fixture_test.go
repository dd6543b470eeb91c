package queries_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster"
	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
	"muster/identity"
	"muster/queries"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// A fixture is a project in text, and definitions with the users they hold for:
//
//	zone Europe/Paris                             the project's zone; UTC without
//	now 2026-03-01T00:00:00Z                      the pinned now of the evaluations that follow
//	known 2026-02-01T00:00:00Z                    what was received later is ignored from here on; "known all" ends it
//	user ann                                      a user that was seen, long ago
//	visitor v1 [of ann]                           an anonymous actor that was seen [and identified as a user]
//	set ann plan "pro" [2026-01-01T00:00:00Z]     an attribute, said at a time
//	did ann purchase 2026-02-01T10:00:00Z {"a":1} an event
//	… received 2026-02-02T00:00:00Z               ends set and did: when it was received, if not at its time
//	again 2026-02-03T00:00:00Z                    the message before, sent again and received at a time
//	segment s1 {"everyone":true}                  a saved segment
//	imported i1 ann [2026-01-01T00:00:00Z]        an import that a user or visitor was in, since a time
//	eval {"attribute":"plan","op":"exists"}       a definition; the next line is who it holds for, "nobody" for none
//	ann bob
type fixture struct {
	db       *clickhouse.DB
	zone     *time.Location
	now      time.Time
	known    time.Time
	names    map[uint32]string // of users, by uid
	segments map[string]queries.Definition
	imports  map[string]bool
	message  int
	waiting  []row // not inserted yet
	indexed  bool
}

// row is one row of a table.
type row struct {
	table  string
	values []any
}

// tables are the columns that fixtures fill.
var tables = map[string]string{
	"identities":          "project, actor, kind, link, linked, id, time",
	"events":              "project, event, actor, ts, message, time, message_id, properties, received",
	"import_members":      "project, import, actor, time, received",
	"attribute_snapshots": "project, attribute, actor, ts, message, time, source, kind, text, number, instant, list, received",
}

const project = 1

var longAgo = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

func TestFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runFixture(t, file) })
	}
}

func newFixture(t *testing.T) *fixture {
	return &fixture{db: clickhousetest.DB(t), zone: time.UTC, segments: map[string]queries.Definition{}, imports: map[string]bool{}}
}

func runFixture(t *testing.T, file string) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fx := newFixture(t)
	evaluated := 0
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if word != "eval" {
			if err := fx.load(word, rest); err != nil {
				t.Fatalf("%s:%d: %v", file, n, err)
			}
			continue
		}
		from := n
		if !lines.Scan() {
			t.Fatalf("%s:%d: the users it holds for are missing", file, n)
		}
		n++
		want := strings.Fields(lines.Text())
		if len(want) == 1 && want[0] == "nobody" {
			want = nil
		}
		slices.Sort(want)
		got, err := fx.eval(t.Context(), rest)
		if err != nil {
			t.Fatalf("%s:%d: %v", file, from, err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:%d: %s\n got %v\nwant %v", file, from, rest, got, want)
		}
		evaluated++
	}
	if evaluated == 0 {
		t.Errorf("%s evaluates nothing", file)
	}
}

func (fx *fixture) load(word, rest string) (err error) {
	fields := strings.Fields(rest)
	switch word {
	case "zone":
		fx.zone, err = time.LoadLocation(rest)
	case "now":
		fx.now, err = time.Parse(time.RFC3339, rest)
	case "known":
		if fx.known = (time.Time{}); rest != "all" {
			fx.known, err = time.Parse(time.RFC3339, rest)
		}
	case "user":
		for _, name := range fields {
			fx.seen(name, muster.Identified, 0)
		}
	case "visitor":
		var of muster.Actor
		if len(fields) == 3 {
			of = actorOf(fields[2])
		}
		fx.seen(fields[0], muster.Anonymous, of)
	case "set":
		return fx.set(rest)
	case "did":
		return fx.did(rest)
	case "again":
		var received time.Time
		received, err = time.Parse(time.RFC3339, rest)
		fx.repeat(received)
	case "imported":
		var at, received time.Time
		at, received, err = said(fields[2:], longAgo)
		fx.imports[fields[0]] = true
		fx.add("import_members", uint32(project), fields[0], uint64(actorOf(fields[1])), at, received)
	case "segment":
		fx.segments[fields[0]], err = queries.Decode([]byte(strings.TrimPrefix(rest, fields[0])))
	default:
		return fmt.Errorf("%q is no word of fixtures", word)
	}
	return err
}

// actorOf returns the actor of a name: visitors' names begin with v and a digit, users' do not.
func actorOf(name string) muster.Actor {
	if len(name) > 1 && name[0] == 'v' && name[1] >= '0' && name[1] <= '9' {
		return muster.NewActor(project, muster.Anonymous, name)
	}
	return muster.NewActor(project, muster.Identified, name)
}

// seen makes an actor that was seen long ago.
func (fx *fixture) seen(name string, kind muster.ActorKind, of muster.Actor) {
	link := int8(0)
	if of != 0 {
		link = 1
	}
	fx.add("identities", uint32(project), uint64(actorOf(name)), int8(kind), link, uint64(of), name, longAgo)
	fx.happened(actorOf(name), "$seen", longAgo, "{}", longAgo)
}

func (fx *fixture) happened(actor muster.Actor, event string, at time.Time, properties string, received time.Time) {
	fx.message++
	fx.add("events", uint32(project), event, uint64(actor), at, uint64(fx.message), at, fmt.Sprint(fx.message), properties, received)
}

// repeat adds the row before once more, as received at a time.
func (fx *fixture) repeat(received time.Time) {
	last := fx.waiting[len(fx.waiting)-1]
	again := row{last.table, slices.Clone(last.values)}
	again.values[len(again.values)-1] = received
	fx.waiting = append(fx.waiting, again)
}

func (fx *fixture) add(table string, values ...any) {
	fx.waiting = append(fx.waiting, row{table, values})
}

// insert inserts what is waiting, a table at a time.
func (fx *fixture) insert(ctx context.Context) error {
	for table, columns := range tables {
		batch, err := fx.db.PrepareBatch(ctx, "INSERT INTO "+table+" ("+columns+")")
		if err != nil {
			return err
		}
		for _, row := range fx.waiting {
			if row.table != table {
				continue
			}
			if err := batch.Append(row.values...); err != nil {
				return err
			}
		}
		if err := batch.Send(); err != nil {
			return err
		}
	}
	fx.waiting = nil
	return nil
}

// parts splits what follows a word: names, then a JSON value, then times.
func parts(rest string, names int) (fields []string, value string, times []string, err error) {
	for range names {
		var field string
		field, rest, _ = strings.Cut(rest, " ")
		fields = append(fields, field)
	}
	if rest == "" {
		return fields, "", nil, nil
	}
	decoder := json.NewDecoder(strings.NewReader(rest))
	var raw json.RawMessage
	if err := decoder.Decode(&raw); err != nil {
		return nil, "", nil, fmt.Errorf("%q: %w", rest, err)
	}
	return fields, string(raw), strings.Fields(rest[decoder.InputOffset():]), nil
}

// said reads when something was said and received: [time] [received time].
func said(words []string, at time.Time) (said, received time.Time, err error) {
	if len(words) > 0 && words[0] != "received" {
		if at, err = time.Parse(time.RFC3339Nano, words[0]); err != nil {
			return at, at, err
		}
		words = words[1:]
	}
	received = at
	if len(words) == 2 {
		received, err = time.Parse(time.RFC3339Nano, words[1])
	}
	return at, received, err
}

func (fx *fixture) did(rest string) error {
	head, properties, found := strings.Cut(rest, "{")
	if !found {
		properties = "}"
	}
	fields := strings.Fields(head)
	_, properties, words, err := parts("{"+properties, 0)
	if err != nil {
		return err
	}
	if len(fields) > 3 { // received, without properties
		words = fields[3:]
	}
	at, err := time.Parse(time.RFC3339Nano, fields[2])
	if err != nil {
		return err
	}
	_, received, err := said(words, at)
	fx.happened(actorOf(fields[0]), fields[1], at, properties, received)
	return err
}

func (fx *fixture) set(rest string) error {
	fields, raw, words, err := parts(rest, 2)
	if err != nil {
		return err
	}
	at, received, err := said(words, longAgo)
	if err != nil {
		return err
	}
	var value any
	if err := json.Unmarshal([]byte(raw), &value); err != nil {
		return err
	}
	fx.stated(actorOf(fields[0]), fields[1], value, at, received)
	return nil
}

// stated adds a snapshot of an attribute, with the readings of its value.
func (fx *fixture) stated(actor muster.Actor, attribute string, value any, at, received time.Time) {
	var kind, text string
	var number *float64
	var instant *int64
	list := []string{}
	switch v := value.(type) {
	case nil:
		kind = "null"
	case string:
		kind, text = "text", v
		if n, ok := muster.ReadNumber(v); ok {
			number = &n
		}
		if ms, ok := muster.ReadInstant(v); ok {
			instant = &ms
		}
	case float64:
		kind, number = "number", &v
	case bool:
		kind, text = "boolean", fmt.Sprint(v)
	case []any:
		kind = "list"
		for _, item := range v {
			list = append(list, fmt.Sprint(item))
		}
	}
	fx.message++
	fx.add("attribute_snapshots", uint32(project), attribute, uint64(actor), at, uint64(fx.message), at, "custom", kind, text,
		number, instant, list, received)
}

// eval returns the names of the users a definition holds for, from the product's statement.
func (fx *fixture) eval(ctx context.Context, definition string) ([]string, error) {
	if err := fx.insert(ctx); err != nil {
		return nil, err
	}
	if !fx.indexed {
		if err := fx.index(ctx); err != nil {
			return nil, err
		}
		fx.indexed = true
	}
	d, err := queries.Decode([]byte(definition))
	if err != nil {
		return nil, err
	}
	plan, err := queries.Compile(fx.scope(), []queries.Target{{Definition: d}})
	if err != nil {
		return nil, err
	}
	statement := plan.Page(0, 1000)
	var total uint64
	var uids []uint32
	if err := fx.db.QueryRow(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL).Scan(&total, &uids); err != nil {
		return nil, fmt.Errorf("%w\n%s\n%v", err, statement.SQL, statement.Parameters)
	}
	if total != uint64(len(uids)) {
		return nil, fmt.Errorf("the total is %d, the page has %d users", total, len(uids))
	}
	var names []string
	for _, uid := range uids {
		names = append(names, fx.names[uid])
	}
	slices.Sort(names)
	return names, nil
}

func (fx *fixture) scope() queries.Scope {
	return queries.Scope{
		Project: project, Now: fx.now, KnownAt: fx.known, Zone: fx.zone,
		Lookup: func(id string) (queries.Definition, bool) {
			d, ok := fx.segments[id]
			return d, ok
		},
		Imports: func(id string) bool { return fx.imports[id] },
	}
}

func (fx *fixture) index(ctx context.Context) error {
	index := identity.NewIndex(fx.db)
	if err := index.Open(ctx); err != nil {
		return err
	}
	if _, err := index.Run(ctx); err != nil {
		return err
	}
	fx.names = map[uint32]string{}
	rows, err := fx.db.Query(ctx, `SELECT uid, argMin(id, rank) FROM actors FINAL GROUP BY uid`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var uid uint32
		var id string
		if err := rows.Scan(&uid, &id); err != nil {
			return err
		}
		fx.names[uid] = id
	}
	return rows.Err()
}
