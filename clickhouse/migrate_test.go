package clickhouse_test

import (
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
	"muster/sql"
)

func files(texts ...string) fstest.MapFS {
	all := fstest.MapFS{}
	for i := 0; i+1 < len(texts); i += 2 {
		all[texts[i]] = &fstest.MapFile{Data: []byte(texts[i+1])}
	}
	return all
}

const (
	first = `-- A comment; with a semicolon.
CREATE TABLE IF NOT EXISTS a (n UInt32)
ENGINE = MergeTree ORDER BY n;
CREATE TABLE IF NOT EXISTS b (n UInt32) ENGINE = MergeTree ORDER BY n;
`
	second = "CREATE TABLE IF NOT EXISTS c (n UInt32) ENGINE = MergeTree ORDER BY n"
)

func TestMigrate(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []fstest.MapFS // one after the other
		want  string         // in the last one's error; empty for none
	}{
		{"twice", []fstest.MapFS{files("0001_a.sql", first), files("0001_a.sql", first)}, ""},
		{"with a new one", []fstest.MapFS{files("0001_a.sql", first), files("0001_a.sql", first, "0002_c.sql", second)}, ""},
		{
			"edited after it landed",
			[]fstest.MapFS{files("0001_a.sql", first), files("0001_a.sql", first+" ")},
			"migration 0001_a.sql was edited after it landed",
		},
		{
			"of a newer version",
			[]fstest.MapFS{files("0001_a.sql", first, "0002_c.sql", second), files("0001_a.sql", first)},
			"the database has migration 0002_c.sql, which this muster does not know",
		},
		{"one number twice", []fstest.MapFS{files("0001_a.sql", first, "0001_b.sql", second)}, "have the same number"},
		{"no number", []fstest.MapFS{files("a.sql", first)}, "must begin with four digits"},
		{"a statement that fails", []fstest.MapFS{files("0001_a.sql", "CREATE NONSENSE;\n")}, "migration 0001_a.sql: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := clickhousetest.Empty(t)
			for i, f := range c.files {
				err := clickhouse.Migrate(t.Context(), db, f)
				last := i == len(c.files)-1
				switch {
				case !last && err != nil, last && c.want == "" && err != nil:
					t.Fatal(err)
				case last && c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
					t.Errorf("%v, want an error that says %q", err, c.want)
				}
			}
		})
	}
}

// A migration that failed half way is run again, whole, when its cause is gone.
func TestMigrationGoesOnAfterAFailure(t *testing.T) {
	db := clickhousetest.Empty(t)
	broken := strings.Replace(first, "b (n UInt32)", "b (n Nonsense)", 1)
	if err := clickhouse.Migrate(t.Context(), db, files("0001_a.sql", broken)); err == nil {
		t.Fatal("the broken migration landed")
	}
	if err := clickhouse.Migrate(t.Context(), db, files("0001_a.sql", first)); err != nil {
		t.Fatal(err)
	}
	if err := db.Exec(t.Context(), `INSERT INTO b SELECT 1`); err != nil {
		t.Error(err)
	}
}

// Several processes may start at once on an empty database.
func TestMigrateFromSeveralProcessesAtOnce(t *testing.T) {
	db := clickhousetest.Empty(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if err := clickhouse.Migrate(t.Context(), db, sql.Files); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	var landed, distinct uint64
	if err := db.QueryRow(t.Context(), `SELECT count(), uniqExact(number) FROM schema_migrations FINAL`).Scan(&landed, &distinct); err != nil {
		t.Fatal(err)
	}
	if landed == 0 || landed != distinct {
		t.Errorf("%d migrations landed, %d of them different", landed, distinct)
	}
}
