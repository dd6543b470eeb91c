package queries_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
	"muster/identity"
	"muster/queries"
)

var update = flag.Bool("update", false, "rewrite the expected SQL in testdata/sql")

// goldenScope is what the expected SQL is printed for.
func goldenScope(t *testing.T) queries.Scope {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return queries.Scope{
		Project: project, Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Zone: zone,
		Lookup:  func(string) (queries.Definition, bool) { return queries.Definition{}, false },
		Imports: func(string) bool { return true },
	}
}

// Each definition in testdata/sql has the statement it becomes beside it, and that statement runs.
func TestStatementsAreAsReviewed(t *testing.T) {
	db := clickhousetest.DB(t)
	if err := identity.NewIndex(db).Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/sql/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no definitions: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			definition, err := queries.Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := queries.Compile(goldenScope(t), []queries.Target{{ID: "s1", Definition: definition}})
			if err != nil {
				t.Fatal(err)
			}
			statement := plan.Counts(10)
			switch name {
			case "materialize":
				statement = plan.Materialize([]queries.Run{{ID: uuid.UUID{1}, Base: uuid.UUID{2}}})
			case "presume":
				statement = plan.Presume(10, func(queries.Apart) bool { return false }).Statement
			}
			golden(t, strings.TrimSuffix(file, ".json")+".sql", "-- "+queries.Sentence(definition)+"\n"+parametersComment(statement)+statement.SQL+"\n")
			if err := db.Exec(clickhouse.WithParameters(t.Context(), statement.Parameters), statement.SQL); err != nil {
				t.Errorf("it does not run: %v", err)
			}
		})
	}
}

func parametersComment(s queries.Statement) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
		b.WriteString("-- " + name + " = " + s.Parameters[name] + "\n")
	}
	return b.String()
}

// golden compares with an expected file. Only -update writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; if the definition is new, run the test with -update and read what it wrote", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s is not what is printed now (-want +got):\n%s", file, diff)
	}
}
