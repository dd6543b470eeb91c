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
//	user ann                                      a user that was seen, long ago
//	visitor v1 [of ann]                           an anonymous actor that was seen [and identified as a user]
//	set ann plan "pro" [2026-01-01T00:00:00Z]     an attribute, said at a time
//	did ann purchase 2026-02-01T10:00:00Z {"a":1} an event
//	eval {"attribute":"plan","op":"exists"}       a definition; the next line is who it holds for, "nobody" for none
//	ann bob
type fixture struct {
	db      *clickhouse.DB
	zone    *time.Location
	now     time.Time
	names   map[uint32]string // of users, by uid
	message int
	events  []string
	loaded  bool
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

func runFixture(t *testing.T, file string) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fx := &fixture{db: clickhousetest.DB(t), zone: time.UTC}
	evaluated := 0
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if word != "eval" {
			if err := fx.load(t.Context(), word, rest); err != nil {
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

func (fx *fixture) load(ctx context.Context, word, rest string) error {
	var err error
	fields := strings.Fields(rest)
	switch word {
	case "zone":
		fx.zone, err = time.LoadLocation(rest)
		return err
	case "now":
		fx.now, err = time.Parse(time.RFC3339, rest)
		return err
	case "user":
		for _, name := range fields {
			if err := fx.insertIdentity(ctx, muster.NewActor(project, muster.Identified, name), muster.Identified, name, 0); err != nil {
				return err
			}
		}
		return nil
	case "visitor":
		var of muster.Actor
		if len(fields) == 3 {
			of = muster.NewActor(project, muster.Identified, fields[2])
		}
		return fx.insertIdentity(ctx, actorOf(fields[0]), muster.Anonymous, fields[0], of)
	case "set":
		return fx.set(ctx, rest)
	case "did":
		return fx.did(ctx, fields, rest)
	default:
		return fmt.Errorf("%q is no word of fixtures", word)
	}
}

// actorOf returns the actor of a name: visitors' names begin with v and a digit, users' do not.
func actorOf(name string) muster.Actor {
	if len(name) > 1 && name[0] == 'v' && name[1] >= '0' && name[1] <= '9' {
		return muster.NewActor(project, muster.Anonymous, name)
	}
	return muster.NewActor(project, muster.Identified, name)
}

func (fx *fixture) insertIdentity(ctx context.Context, actor muster.Actor, kind muster.ActorKind, id string, of muster.Actor) error {
	link := 0
	if of != 0 {
		link = 1
	}
	batch, err := fx.db.PrepareBatch(ctx, `INSERT INTO identities (project, actor, kind, link, linked, id, time)`)
	if err != nil {
		return err
	}
	if err := batch.Append(uint32(project), uint64(actor), int8(kind), int8(link), uint64(of), id, longAgo); err != nil {
		return err
	}
	if err := batch.Send(); err != nil {
		return err
	}
	return fx.insertEvent(ctx, actor, "$seen", longAgo, "{}")
}

func (fx *fixture) insertEvent(ctx context.Context, actor muster.Actor, event string, at time.Time, properties string) error {
	fx.message++
	batch, err := fx.db.PrepareBatch(ctx, `INSERT INTO events (project, event, actor, ts, message, time, received, message_id, properties)`)
	if err != nil {
		return err
	}
	if err := batch.Append(uint32(project), event, uint64(actor), at, uint64(fx.message), at, at, fmt.Sprint(fx.message), properties); err != nil {
		return err
	}
	return batch.Send()
}

func (fx *fixture) did(ctx context.Context, fields []string, rest string) error {
	at, err := time.Parse(time.RFC3339, fields[2])
	if err != nil {
		return err
	}
	properties := "{}"
	if i := strings.IndexByte(rest, '{'); i >= 0 {
		properties = rest[i:]
	}
	return fx.insertEvent(ctx, actorOf(fields[0]), fields[1], at, properties)
}

func (fx *fixture) set(ctx context.Context, rest string) error {
	name, rest, _ := strings.Cut(rest, " ")
	attribute, rest, _ := strings.Cut(rest, " ")
	decoder := json.NewDecoder(strings.NewReader(rest))
	var value any
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	at := longAgo
	if when := strings.TrimSpace(rest[decoder.InputOffset():]); when != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, when); err != nil {
			return err
		}
	}
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
	batch, err := fx.db.PrepareBatch(ctx, `INSERT INTO attribute_snapshots
		(project, attribute, actor, ts, message, time, received, source, kind, text, number, instant, list)`)
	if err != nil {
		return err
	}
	if err := batch.Append(uint32(project), attribute, uint64(actorOf(name)), at, uint64(fx.message), at, at, "custom", kind, text,
		number, instant, list); err != nil {
		return err
	}
	return batch.Send()
}

// eval returns the names of the users a definition holds for, from the product's statement.
func (fx *fixture) eval(ctx context.Context, definition string) ([]string, error) {
	if !fx.loaded {
		if err := fx.index(ctx); err != nil {
			return nil, err
		}
		fx.loaded = true
	}
	d, err := queries.Decode([]byte(definition))
	if err != nil {
		return nil, err
	}
	scope := queries.Scope{
		Project: project, Now: fx.now, Zone: fx.zone, Lookup: func(string) (queries.Definition, bool) { return queries.Definition{}, false },
	}
	plan, err := queries.Compile(scope, []queries.Target{{Definition: d}})
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
