package exports

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
	"muster/identity"
	"muster/sql"
)

const (
	crashRounds  = 12
	crashMembers = 20_000
	crashDir     = "MUSTER_TEST_EXPORT_CRASH_DIR"    // makes the test's binary the process that is killed
	crashLast    = "MUSTER_TEST_EXPORT_CRASH_FINISH" // makes it end when nothing waits
)

// TestKilled kills the process that exports at random points. What readers see is whole each time, and when a process
// lives long enough, all that was asked for is done.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	var usual time.Duration // of one export
	for round := range crashRounds {
		child := exec.Command(os.Args[0], "-test.run=^$")
		child.Env = append(os.Environ(), crashDir+"="+dir)
		child.Stderr = t.Output()
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() {
			t.Fatalf("round %d: the process said nothing: %v", round, child.Wait())
		}
		if round == 0 {
			begin := time.Now()
			if !lines.Scan() {
				t.Fatalf("the first export: %v", child.Wait())
			}
			usual = time.Since(begin)
		}
		after := rand.N(2 * usual)
		time.Sleep(after) // the point to kill it at
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // it was killed
		seen := checkVisible(t, dir)
		t.Logf("round %d: killed %s after an export began (one takes %s); %d datasets are visible, and %q", round, after, usual, seen,
			names(t, dir, "exports"))
	}
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), crashDir+"="+dir, crashLast+"=1")
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("the last process: %v\n%s", err, out)
	}
	if seen := checkVisible(t, dir); seen == 0 {
		t.Error("no dataset is visible")
	}
	if left := names(t, dir, "exports"); !slices.Equal(left, []string{"1", "owner"}) {
		t.Errorf("the directory has %q", left)
	}
}

// checkVisible reads every dataset that a reader would find, and returns how many there are.
func checkVisible(t *testing.T, dir string) int {
	t.Helper()
	datasets, err := filepath.Glob(filepath.Join(dir, "exports", "[0-9]*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range datasets {
		text, err := os.ReadFile(filepath.Join(folder, ManifestName))
		if err != nil {
			t.Errorf("a visible dataset has no manifest: %v", err)
			continue
		}
		var m Manifest
		if err := json.Unmarshal(text, &m); err != nil {
			t.Errorf("a visible dataset has half a manifest: %v", err)
		}
		if m.Rows != crashMembers {
			t.Errorf("a visible dataset has %d rows, want %d", m.Rows, crashMembers)
		}
		want := []string{ManifestName}
		for _, f := range m.Files {
			want = append(want, f.Name)
			b, err := os.ReadFile(filepath.Join(folder, f.Name))
			if sum := sha256.Sum256(b); err != nil || hex.EncodeToString(sum[:]) != f.SHA256 {
				t.Errorf("%s is not what the manifest says: %v", f.Name, err)
			}
		}
		if got := names(t, folder); !slices.Equal(got, want) {
			t.Errorf("a visible dataset has the files %q, want %q", got, want)
		}
	}
	return len(datasets)
}

// exportUntilKilled is the process that is killed: it exports again and again, and says when an export begins.
func exportUntilKilled() {
	dir := os.Getenv(crashDir)
	if dir == "" {
		return
	}
	if err := exportForever(context.Background(), dir, os.Getenv(crashLast) != ""); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func exportForever(ctx context.Context, dir string, last bool) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	cfg := clickhouse.EngineConfig{Dir: filepath.Join(dir, "engine"), Log: log}
	engine, err := clickhouse.StartEngine(ctx, cfg)
	for err != nil && strings.Contains(err.Error(), "in use by another process") { // the engine of the one killed is ending
		engine, err = clickhouse.StartEngine(ctx, cfg)
	}
	if err != nil {
		return err
	}
	defer engine.Stop()
	db, err := engine.Open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := clickhouse.Migrate(ctx, db, sql.Files); err != nil {
		return err
	}
	run := Run{ID: uuid.MustParse("018f0000-0000-7000-8000-000000000001"), Segment: "pro", AsOf: asOf, Size: crashMembers}
	if _, err := os.Stat(filepath.Join(dir, "exports")); errors.Is(err, fs.ErrNotExist) {
		if err := fillForCrash(ctx, db, run); err != nil {
			return err
		}
	}
	if err := identity.NewIndex(db).Open(ctx); err != nil {
		return err
	}
	s, err := NewService(Config{
		DB: db, Dir: filepath.Join(dir, "exports"), Log: log,
		Members: func(context.Context, muster.ProjectID, string) (Run, error) {
			fmt.Println("an export begins")
			return run, nil
		},
	})
	if err != nil {
		return err
	}
	s.limits = limits{fileRows: 500, groupRows: 100, groupBytes: 1 << 20}
	for {
		waiting, err := s.waiting(ctx)
		if err != nil {
			return err
		}
		for _, w := range waiting {
			if err := s.do(ctx, w.project, w.export); err != nil {
				return err
			}
			if e, err := s.Get(ctx, w.project, w.export.ID); err != nil || e.Status != Done {
				return fmt.Errorf("the export is %+v: %w", e, err)
			}
		}
		if last {
			return nil
		}
		if _, err := s.Create(ctx, project, Request{Dataset: "members", Segment: "pro", Attributes: []string{"plan"}}); err != nil {
			return err
		}
	}
}

// fillForCrash makes users with one attribute, all of them members.
func fillForCrash(ctx context.Context, db *clickhouse.DB, run Run) error {
	ctx = clickhouse.WithParameters(ctx, clickhouse.Parameters{"n": fmt.Sprint(crashMembers), "run": run.ID.String()})
	for _, statement := range []string{
		`INSERT INTO actors (project, actor, uid, rank, kind, id, version, batch) SELECT 1, sipHash64(number), number + 1, 0, 'user', 'user-' || toString(number), 1, generateUUIDv4()
			FROM numbers({n:UInt64})`,
		`INSERT INTO attribute_snapshots (project, attribute, actor, ts, message, time, received, source, kind, text)
			SELECT 1, 'plan', sipHash64(number), '2026-03-01', number, '2026-03-01', '2026-03-01', 'custom', 'text', 'plan ' || toString(number % 5)
			FROM numbers({n:UInt64})`,
		`INSERT INTO segment_members (project, segment, run, bucket, members)
			SELECT 1, 'pro', {run:UUID}, 0, groupBitmapState(toUInt32(number + 1)) FROM numbers({n:UInt64})`,
	} {
		if err := db.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
