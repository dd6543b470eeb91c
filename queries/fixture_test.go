package queries_test

import (
	"encoding/json"
	"errors"
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

	held, failed int // presumptions
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
