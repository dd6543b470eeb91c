package clickhouse_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// startEngine starts an engine of the test's own, which may be killed.
func startEngine(t *testing.T, dir string) *clickhouse.Engine {
	t.Helper()
	engine, err := clickhouse.StartEngine(t.Context(), clickhouse.EngineConfig{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Stop)
	return engine
}

// An engine that is killed is started again at the same address with the same password: an open pool finds what was
// acknowledged before.
func TestKilledEngineIsStartedAgain(t *testing.T) {
	engine := startEngine(t, t.TempDir())
	db, err := engine.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, sql := range []string{
		`CREATE TABLE kept (n UInt32) ENGINE = MergeTree ORDER BY n SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`,
		`INSERT INTO kept SELECT number FROM numbers(1000)`,
	} {
		if err := db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 2 {
		pid := engine.Pid()
		if pid <= 0 {
			t.Fatal("there is no engine to kill")
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		deadline := time.Now().Add(30 * time.Second)
		var n uint64
		for {
			err := db.QueryRow(t.Context(), `SELECT count() FROM kept`).Scan(&n)
			if err == nil && engine.Restarts() == uint64(round)+1 {
				break
			}
			if err != nil && !clickhouse.IsUnavailable(err) {
				t.Fatalf("while the engine is away: %v", err)
			}
			if time.Now().After(deadline) {
				t.Fatalf("no engine after 30 s: %v", err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if n != 1000 {
			t.Errorf("%d rows after the engine was killed, want 1000", n)
		}
	}
}

// Nobody but us can log in: default has no password, and neither loopback nor any right. A login that is refused ends the
// library's server (seen with 26.7.3), so the last things that are checked are that it comes back, and says what it
// died of.
func TestEngineIsLockedDown(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	engine, err := clickhouse.StartEngine(t.Context(), clickhouse.EngineConfig{Dir: dir, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Stop()
	db, err := engine.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Exec(t.Context(), `CREATE TABLE private (n UInt32) ENGINE = MergeTree ORDER BY n`); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"config.xml", "users.xml", "engine.log"} {
		info, err := os.Stat(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o, want 600", file, mode)
		}
	}
	var limit string
	if err := db.QueryRow(t.Context(), `SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'`).Scan(&limit); err != nil {
		t.Fatal(err)
	}
	if limit == "0" || limit == "" {
		t.Errorf("the server's memory is not limited: %q", limit)
	}
	for _, auth := range []driver.Auth{
		{Username: "default"},
		{Username: "muster", Database: "muster"},
		{Username: "muster", Password: "guessed", Database: "muster"},
	} {
		conn, err := driver.Open(&driver.Options{Addr: []string{engine.Address()}, Auth: auth})
		if err != nil {
			t.Fatal(err)
		}
		var n uint64
		if err := conn.QueryRow(t.Context(), `SELECT count() FROM muster.private`).Scan(&n); err == nil {
			t.Errorf("%s with the password %q reads our tables", auth.Username, auth.Password)
		}
		conn.Close()
	}
	deadline := time.Now().Add(30 * time.Second)
	for ; ; time.Sleep(50 * time.Millisecond) {
		var n uint64
		err := db.QueryRow(t.Context(), `SELECT count() FROM private`).Scan(&n)
		if err == nil && engine.Restarts() > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the engine is not back after 30 s: %v", err)
		}
	}
	engine.Stop() // before its log is read
	if !strings.Contains(log.String(), "AUTHENTICATION_FAILED") {
		t.Errorf("nothing says what the engine died of:\n%s", &log)
	}
}

// A connection that is closed while the server still has something to say is not reset: that would end the library's
// server. Each round closes one after the login was sent, with the answer unread; a plain TCP connection does not get
// through them.
func TestClosedConnectionsLeaveTheEngineAlone(t *testing.T) {
	engine := startEngine(t, t.TempDir())
	for round := range 100 {
		conn, err := clickhouse.DialEngine(t.Context(), engine.Address())
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if _, err := conn.Write(engine.Login()); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil { // the answer has come, and more of it than is read
			t.Fatalf("round %d: %v", round, err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("a closed connection reads: %v", err)
		}
	}
	db, err := engine.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if n := engine.Restarts(); n > 0 {
		t.Errorf("the engine died %d times", n)
	}
}

// Closing ends a read that waits, and lets none begin, as it does for any connection; also while the server still has to end its
// side.
func TestClosingEndsReads(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	conn, err := clickhouse.DialEngine(t.Context(), server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = peer.Close() }() // not before the reads have ended
	const reads = 1000                  // the first waits; some come while what the server says is thrown away
	read := make(chan error)
	go func() {
		for range reads {
			_, err := conn.Read(make([]byte, 1))
			read <- err
		}
	}()
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	for range reads {
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the read ended with %v", err)
		}
	}
}

// What cannot start says what is wrong and what to do.
func TestEngineThatCannotStart(t *testing.T) {
	used := t.TempDir()
	startEngine(t, used)
	log := slog.New(slog.DiscardHandler)
	for _, c := range []struct {
		name string
		cfg  clickhouse.EngineConfig
		want []string
	}{
		{"directory in use", clickhouse.EngineConfig{Dir: used, Log: log}, []string{used, "in use", "--data-dir"}},
		{"library not where it was said", clickhouse.EngineConfig{Dir: t.TempDir(), Library: "/nowhere/libchdb.so", Log: log}, []string{"/nowhere/libchdb.so"}},
		{"library of another kind", clickhouse.EngineConfig{Dir: t.TempDir(), Library: "engine.go", Log: log}, []string{"load the ClickHouse library"}},
		{"no directory", clickhouse.EngineConfig{Log: log}, []string{"needs a directory"}},
	} {
		engine, err := clickhouse.StartEngine(t.Context(), c.cfg)
		if err == nil {
			engine.Stop()
			t.Errorf("%s: it starts", c.name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", c.name, err, want)
			}
		}
	}
}

// Without the library the error says where it was looked for, and the three ways out.
func TestFindLibraryWithoutOne(t *testing.T) {
	t.Chdir("/")
	t.Setenv(clickhouse.LibraryEnv, "")
	path, err := clickhouse.FindLibrary("")
	if err == nil {
		t.Fatalf("found %s from /; the test's binary must not lie in the checkout", path)
	}
	for _, want := range []string{"make engine", "--engine-library", clickhouse.LibraryEnv, "--clickhouse-dsn"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

// A DSN goes through the same code as the embedded engine, with the settings that queries depend on.
func TestOpenDSN(t *testing.T) {
	engine := startEngine(t, t.TempDir())
	db, err := clickhouse.OpenDSN(t.Context(), engine.DSN("elsewhere"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var database, zone string
	if err := db.QueryRow(t.Context(), `SELECT currentDatabase(), timezone()`).Scan(&database, &zone); err != nil {
		t.Fatal(err)
	}
	if database != "elsewhere" || zone != "UTC" {
		t.Errorf("connected to %q in %s, want elsewhere in UTC", database, zone)
	}
	for dsn, unavailable := range map[string]bool{
		"clickhouse://127.0.0.1:1/muster": true,
		"not a dsn":                       false,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := clickhouse.OpenDSN(ctx, dsn)
		cancel()
		if err == nil {
			t.Errorf("%s: it opens", dsn)
		}
		if unavailable && !clickhouse.IsUnavailable(err) {
			t.Errorf("%s: %v is not taken for something that may pass", dsn, err)
		}
	}
}

// A service that was killed leaves an engine that is about to end; the next service waits for the directory.
func TestEngineWaitsForItsPredecessor(t *testing.T) {
	dir := t.TempDir()
	first := startEngine(t, dir)
	time.AfterFunc(time.Second, first.Stop)
	startEngine(t, dir)
}
