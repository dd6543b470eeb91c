package queries_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
	"muster/identity"
	"muster/queries"
)

// A fixture is a project in text, and definitions with the users they hold for:
//
//	zone Europe/Paris                             the project's zone; UTC without
//	now 2026-03-01T00:00:00Z                      the pinned now of the evaluations that follow
//	known 2026-02-01T00:00:00Z                    what was received later is ignored from here on; "known all" ends it
//	user ann                                      a user that was seen, long ago
//	visitor v1 [of ann]                           an anonymous actor that was seen [and identified as a user]
//	newcomer eve [of ann]                         an actor that is seen when its messages say so; a user "of" another is an alias
//	set ann plan "pro" [2026-01-01T00:00:00Z]     an attribute, said at a time
//	set ann plan "pro" … from integration         the same, from another source than what people say
//	only ann {"plan":"pro"} [2026-01-01T00:00:00Z] custom attributes in one message, and a removal of the others
//	did ann purchase 2026-02-01T10:00:00Z {"a":1} an event
//	… received 2026-02-02T00:00:00Z               ends set, only and did: when it was received, if not at its time
//	again 2026-02-03T00:00:00Z                    the message before, sent again and received at a time
//	segment s1 {"everyone":true}                  a saved segment
//	imported i1 ann [2026-01-01T00:00:00Z]        an import that a user or visitor was in, since a time
//	eval {"attribute":"plan","op":"exists"}       a definition; the next line is who it holds for, "nobody" for none
//	ann bob
//	refuse {"any":[]}                             a definition that is refused; the next line is the places and why
//	/any:empty_group
//
// A user is known by the name of the actor the others belong to.
type fixture struct {
	world // what was said, for the oracle

	db       database
	project  muster.ProjectID
	names    map[uint32]string // of users, by uid
	segments map[string]queries.Definition
	every    int // evaluate only one in so many users; zero is all
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
	"import_members":      "project, import, actor, time, received",
	"events":              "project, event, actor, ts, message, time, message_id, properties, received",
	"attribute_snapshots": "project, attribute, actor, ts, message, time, source, kind, text, number, instant, list, received",
}

const project = 1

var longAgo = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// The fixtures are projects of one database, and see nothing of each other.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	db := newDatabase(t)
	for i, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			runFixture(t, db.fixture(muster.ProjectID(i+1)), file, string(text))
		})
	}
}

// database is one with an index of actors, for the projects of several fixtures.
type database struct {
	*clickhouse.DB

	actors *identity.Index
}

func newDatabase(t testing.TB) database {
	t.Helper()
	d := database{DB: clickhousetest.DB(t)}
	d.actors = identity.NewIndex(d.DB)
	if err := d.actors.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	return newDatabase(t).fixture(project)
}

// fixture makes a project. Those of one database see nothing of each other.
func (d database) fixture(project muster.ProjectID) *fixture {
	return &fixture{db: d, project: project, world: newWorld(), segments: map[string]queries.Definition{}}
}

// runFixture reads a fixture. What it says of who a definition holds for must be what the product says, and what the oracle says.
func runFixture(t *testing.T, fx *fixture, file, text string) {
	t.Helper()
	evaluated := 0
	var waiting []evaluation // of the same project at the same time
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line, at := strings.TrimSpace(lines[i]), fmt.Sprintf("%s:%d", file, i+1)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if word == "eval" {
			if i++; i == len(lines) {
				t.Fatalf("%s: the users it holds for are missing", at)
			}
			waiting = append(waiting, evaluation{at, rest, lines[i]})
			evaluated++
			continue
		}
		fx.evaluate(t, waiting)
		waiting = nil
		if word == "refuse" {
			if i++; i == len(lines) {
				t.Fatalf("%s: what is wrong with it is missing", at)
			}
			if got, want := fx.refused(rest), strings.TrimSpace(lines[i]); got != want {
				t.Errorf("%s: %s\nis refused for %q\n       and not %q", at, rest, got, want)
			}
			evaluated++
			continue
		}
		if err := fx.load(word, rest); err != nil {
			t.Fatalf("%s: %v", at, err)
		}
	}
	fx.evaluate(t, waiting)
	if evaluated == 0 {
		t.Errorf("%s evaluates nothing", file)
	}
}

// refused returns why a definition is: the places and codes of all that is wrong.
func (fx *fixture) refused(definition string) string {
	d, err := queries.Decode([]byte(definition))
	if err == nil {
		_, err = queries.Compile(fx.scope(), []queries.Target{{Definition: d}})
	}
	refusal, ok := errors.AsType[*muster.Error](err)
	if !ok || refusal.Code != muster.InvalidDefinition {
		return fmt.Sprint(err)
	}
	var all []string
	for _, issue := range refusal.Issues {
		all = append(all, issue.Pointer+":"+issue.Code)
	}
	return strings.Join(all, " ")
}

// evaluation is a line with a definition, and the line below.
type evaluation struct{ at, definition, users string }

// evaluate evaluates definitions, many in one statement.
func (fx *fixture) evaluate(t *testing.T, all []evaluation) {
	t.Helper()
	for some := range slices.Chunk(all, 40) {
		targets := make([]queries.Target, len(some))
		for i, e := range some {
			d, err := queries.Decode([]byte(e.definition))
			if err != nil {
				t.Fatalf("%s: %v", e.at, err)
			}
			targets[i].Definition = d
		}
		if err := fx.ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		sets, err := fx.members(t.Context(), targets)
		if err != nil {
			t.Fatalf("%s: %v", some[0].at, err)
		}
		o := fx.oracle()
		for i, e := range some {
			want := strings.Fields(e.users)
			if e.users == "nobody" {
				want = nil
			}
			slices.Sort(want)
			if !slices.Equal(sets[i], want) {
				t.Errorf("%s: %s\n got %v\nwant %v", e.at, e.definition, sets[i], want)
			}
			var definition object
			if err := json.Unmarshal([]byte(e.definition), &definition); err != nil {
				t.Fatalf("%s: %v", e.at, err)
			}
			if got := o.members(definition); !slices.Equal(got, want) {
				t.Errorf("%s: %s\nthe oracle says %v\n          want %v", e.at, e.definition, got, want)
			}
		}
	}
}

func (fx *fixture) loadAll(lines []string) error {
	for _, line := range lines {
		word, rest, _ := strings.Cut(line, " ")
		if err := fx.load(word, rest); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	return nil
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
			fx.appears(name, "")
			fx.happened(name, "$seen", longAgo, "{}", longAgo)
		}
	case "visitor", "newcomer":
		of := ""
		if len(fields) == 3 {
			of = fields[2]
		}
		if of != "" && !fx.knows(of) {
			return fmt.Errorf("nobody is named %q", of)
		}
		fx.appears(fields[0], of)
		if word == "visitor" {
			fx.happened(fields[0], "$seen", longAgo, "{}", longAgo)
		}
	case "set":
		return fx.set(rest)
	case "only":
		return fx.only(rest)
	case "did":
		return fx.did(rest)
	case "again":
		var received time.Time
		if received, err = time.Parse(time.RFC3339, rest); err == nil {
			err = fx.repeat(received)
		}
	case "imported":
		if !fx.knows(fields[1]) {
			return fmt.Errorf("nobody is named %q", fields[1])
		}
		var at, received time.Time
		at, received, err = said(fields[2:], longAgo)
		fx.imported(fields[0], fields[1], at, received)
		fx.add("import_members", uint32(fx.project), fields[0], uint64(fx.actor(fields[1])), at, received)
	case "segment":
		definition := []byte(strings.TrimPrefix(rest, fields[0]))
		if fx.segments[fields[0]], err = queries.Decode(definition); err == nil {
			err = fx.segment(fields[0], definition)
		}
	default:
		return fmt.Errorf("%q is no word of fixtures", word)
	}
	return err
}

// isVisitor tells whether a name is an anonymous actor's: those begin with v and a digit.
func isVisitor(name string) bool {
	return len(name) > 1 && name[0] == 'v' && name[1] >= '0' && name[1] <= '9'
}

func (fx *fixture) actor(name string) muster.Actor {
	if isVisitor(name) {
		return muster.NewActor(fx.project, muster.Anonymous, name)
	}
	return muster.NewActor(fx.project, muster.Identified, name)
}

// appears makes an actor, of its own or of another.
func (fx *fixture) appears(name, of string) {
	kind, link := muster.Identified, int8(2)
	if isVisitor(name) {
		kind, link = muster.Anonymous, 1
	}
	var linked muster.Actor
	if of == "" {
		link = 0
	} else {
		linked = fx.actor(of)
	}
	fx.world.appears(name, of)
	fx.indexed = false
	fx.add("identities", uint32(fx.project), uint64(fx.actor(name)), int8(kind), link, uint64(linked), name, longAgo)
}

func (fx *fixture) happened(name, event string, at time.Time, properties string, received time.Time) {
	fx.message++
	fx.world.happened(name, event, at, properties, received)
	fx.add("events", uint32(fx.project), event, uint64(fx.actor(name)), at, uint64(fx.message), at, fmt.Sprint(fx.message), properties, received)
}

// repeat adds the row before once more, as received at a time.
func (fx *fixture) repeat(received time.Time) error {
	if len(fx.waiting) == 0 || fx.waiting[len(fx.waiting)-1].table == "identities" {
		return errors.New("there is no message before this line")
	}
	last := fx.waiting[len(fx.waiting)-1]
	again := row{last.table, slices.Clone(last.values)}
	again.values[len(again.values)-1] = received
	fx.waiting = append(fx.waiting, again)
	fx.again(received)
	return nil
}

func (fx *fixture) add(table string, values ...any) {
	fx.waiting = append(fx.waiting, row{table, values})
}

// insert inserts what is waiting, a table at a time.
func (fx *fixture) insert(ctx context.Context) error {
	for table, columns := range tables {
		if !slices.ContainsFunc(fx.waiting, func(r row) bool { return r.table == table }) {
			continue
		}
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
	if !fx.knows(fields[0]) {
		return fmt.Errorf("nobody is named %q", fields[0])
	}
	fx.happened(fields[0], fields[1], at, properties, received)
	return err
}

func (fx *fixture) set(rest string) error {
	rest, integrated := strings.CutSuffix(rest, " from integration")
	fields, raw, words, err := parts(rest, 2)
	if err != nil {
		return err
	}
	if !fx.knows(fields[0]) {
		return fmt.Errorf("nobody is named %q", fields[0])
	}
	at, received, err := said(words, longAgo)
	if err != nil {
		return err
	}
	var value any
	if err := json.Unmarshal([]byte(raw), &value); err != nil {
		return err
	}
	source := "custom"
	switch {
	case integrated:
		source = "integration"
	case fields[1] == "tags":
		source = "native"
	}
	fx.message++
	fx.says(fields[0], fields[1], source, value, at, received)
	return nil
}

// only reads attributes of one message, and that it removes the others.

func (fx *fixture) only(rest string) error {
	fields, raw, words, err := parts(rest, 1)
	if err != nil {
		return err
	}
	if !fx.knows(fields[0]) {
		return fmt.Errorf("nobody is named %q", fields[0])
	}
	at, received, err := said(words, longAgo)
	if err != nil {
		return err
	}
	var values map[string]any
	if err := json.Unmarshal([]byte(raw), &values); err != nil {
		return err
	}
	fx.message++
	for _, attribute := range slices.Sorted(maps.Keys(values)) {
		fx.says(fields[0], attribute, "custom", values[attribute], at, received)
	}
	fx.removed(fields[0], at, received)
	fx.snapshot(fields[0], "", "custom", "null", "", nil, nil, nil, at, received)
	return nil
}

// stated adds a message with a custom attribute.
func (fx *fixture) stated(name, attribute string, value any, at, received time.Time) {
	fx.message++
	fx.says(name, attribute, "custom", value, at, received)
}

// says adds a snapshot of an attribute to the message, with the readings of its value.
func (fx *fixture) says(name, attribute, source string, value any, at, received time.Time) {
	fx.world.stated(name, attribute, value, source == "custom" && !strings.HasPrefix(attribute, "group."), at, received)
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
	fx.snapshot(name, attribute, source, kind, text, number, instant, list, at, received)
}

// snapshot adds one of the message's rows.
func (fx *fixture) snapshot(name, attribute, source, kind, text string, number *float64, instant *int64, list []string, at, received time.Time) {
	fx.add("attribute_snapshots", uint32(fx.project), attribute, uint64(fx.actor(name)), at, uint64(fx.message), at, source, kind, text,
		number, instant, list, received)
}

// eval returns the names of the users a definition holds for, from the product's statement.
func (fx *fixture) eval(ctx context.Context, definition string) ([]string, error) {
	if err := fx.ready(ctx); err != nil {
		return nil, err
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
	return fx.named(uids), nil
}

// members evaluates definitions in one statement, and returns their users by name.
func (fx *fixture) members(ctx context.Context, targets []queries.Target) ([][]string, error) {
	plan, err := queries.Compile(fx.scope(), targets)
	if err != nil {
		return nil, err
	}
	statement := plan.Counts(10_000)
	rows, err := fx.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := make([][]string, len(targets))
	for rows.Next() {
		var target uint16
		var size, of uint64
		var uids []uint32
		if err := rows.Scan(&target, &size, &of, &uids); err != nil {
			return nil, err
		}
		if size != uint64(len(uids)) || size > of {
			return nil, fmt.Errorf("%d of %d members, but %d are listed", size, of, len(uids))
		}
		all[target] = fx.named(uids)
	}
	return all, rows.Err()
}

// kept materializes definitions, and returns the members that were kept, by name.
func (fx *fixture) kept(ctx context.Context, targets []queries.Target) ([][]string, error) {
	targets = slices.Clone(targets)
	runs := make([]queries.Run, len(targets))
	for i := range targets {
		targets[i].ID, runs[i].ID = strconv.Itoa(i), uuid.New()
	}
	plan, err := queries.Compile(fx.scope(), targets)
	if err != nil {
		return nil, err
	}
	statement := plan.Materialize(runs)
	if err := fx.db.Exec(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL); err != nil {
		return nil, err
	}
	rows, err := fx.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": strconv.Itoa(int(fx.project))}),
		`SELECT segment, run, bitmapToArray(members) FROM segment_members WHERE project = {project:UInt32}`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := make([][]string, len(targets))
	for rows.Next() {
		var segment string
		var run uuid.UUID
		var uids []uint32
		if err := rows.Scan(&segment, &run, &uids); err != nil {
			return nil, err
		}
		target, err := strconv.Atoi(segment)
		if err != nil {
			return nil, err
		}
		if target < len(runs) && runs[target].ID == run {
			all[target] = fx.named(uids)
		}
	}
	return all, rows.Err()
}

// named returns users by the names they are known by, sorted.
func (fx *fixture) named(uids []uint32) []string {
	var names []string
	for _, uid := range uids {
		names = append(names, fx.names[uid])
	}
	slices.Sort(names)
	return names
}

// evaluated tells whether a user is one of those who are evaluated.
func (fx *fixture) evaluated(user string) bool {
	return fx.every == 0 || int(fx.actor(user)>>1)%fx.every == 0
}

// evaluatedActors are all actors of the users who are evaluated; nil for everybody's.
func (fx *fixture) evaluatedActors() []muster.Actor {
	if fx.every == 0 {
		return nil
	}
	actors := []muster.Actor{}
	for _, v := range fx.actors {
		if fx.evaluated(fx.root(v).name) {
			actors = append(actors, fx.actor(v.name))
		}
	}
	return actors
}

func (fx *fixture) scope() queries.Scope {
	return queries.Scope{
		Project: fx.project, Now: fx.now, KnownAt: fx.known, Zone: fx.zone, Actors: fx.evaluatedActors(),
		Lookup: func(id string) (queries.Definition, bool) {
			d, ok := fx.segments[id]
			return d, ok
		},
		Imports: func(id string) bool { return fx.imports[id] },
	}
}

// ready brings everything said so far into the database, and the actors into the index.
func (fx *fixture) ready(ctx context.Context) error {
	if err := fx.insert(ctx); err != nil {
		return err
	}
	if fx.indexed {
		return nil
	}
	fx.indexed = true
	return fx.index(ctx)
}

func (fx *fixture) index(ctx context.Context) error {
	if _, err := fx.db.actors.Run(ctx); err != nil {
		return err
	}
	fx.names = map[uint32]string{}
	rows, err := fx.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": strconv.Itoa(int(fx.project))}),
		`SELECT uid, argMin(id, rank) FROM actors FINAL WHERE project = {project:UInt32} GROUP BY uid`)
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
