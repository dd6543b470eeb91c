// Package clickhousetest gives tests a real ClickHouse: one embedded engine per test binary, a fresh and migrated
// database per test.
package clickhousetest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"muster/clickhouse"
	"muster/sql"
)

var shared struct {
	once   sync.Once
	engine *clickhouse.Engine
	dir    string
	err    error
	tests  atomic.Int64
}

// Main is a test binary's TestMain. It is also the engine's child process when it is started as one.
func Main(m *testing.M) {
	Child()
	code := m.Run()
	if shared.engine != nil {
		shared.engine.Stop()
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// Child runs the engine and exits, when this process was started to do so.
func Child() {
	if len(os.Args) < 2 || os.Args[1] != clickhouse.ChildCommand {
		return
	}
	if err := clickhouse.RunChild(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Engine returns the test binary's engine. A missing library fails the test: nothing is skipped.
func Engine(t testing.TB) *clickhouse.Engine {
	t.Helper()
	shared.once.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "muster-test-"); shared.err != nil {
			return
		}
		shared.engine, shared.err = clickhouse.StartEngine(context.Background(), clickhouse.EngineConfig{
			Dir: shared.dir, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		})
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.engine
}

// Empty returns a new database without tables; it is dropped when the test ends.
func Empty(t testing.TB) *clickhouse.DB {
	t.Helper()
	db, err := Engine(t).OpenDatabase(t.Context(), fmt.Sprintf("test_%d", shared.tests.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Exec(context.Background(), "DROP DATABASE "+db.Name()+" SYNC"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Errorf("close the test's database: %v", err)
		}
	})
	return db
}

// DB returns a new database with all tables; it is dropped when the test ends.
func DB(t testing.TB) *clickhouse.DB {
	t.Helper()
	db := Empty(t)
	if err := clickhouse.Migrate(t.Context(), db, sql.Files); err != nil {
		t.Fatal(err)
	}
	return db
}
