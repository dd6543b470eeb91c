package exports

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/parquet-go/parquet-go"

	"muster"
	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
	"muster/identity"
)

func TestMain(m *testing.M) {
	clickhousetest.Child()
	exportUntilKilled()
	clickhousetest.Main(m)
}

const project = muster.ProjectID(1)

// day is the time of most that happens in the tests, plus minutes.
func day(minutes int) time.Time {
	return time.Date(2026, 3, 1, 12, minutes, 0, 0, time.UTC)
}

// asOf is the time of the tests' runs.
var asOf = day(30)

// world is a database to be filled by hand.
type world struct {
	t        testing.TB
	db       *clickhouse.DB
	received int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return &world{t: t, db: clickhousetest.DB(t)}
}

func (w *world) insert(columns string, row ...any) {
	w.t.Helper()
	batch, err := w.db.PrepareBatch(w.t.Context(), "INSERT INTO "+columns)
	if err != nil {
		w.t.Fatal(err)
	}
	defer batch.Close()
	if err := batch.Append(row...); err != nil {
		w.t.Fatal(err)
	}
	if err := batch.Send(); err != nil {
		w.t.Fatal(err)
	}
}

// actor puts an identifier at a rank of a user, and returns it.
func (w *world) actor(p muster.ProjectID, uid uint32, rank uint16, kind muster.ActorKind, id string) muster.Actor {
	w.t.Helper()
	a := muster.NewActor(p, kind, id)
	w.insert("actors (project, actor, uid, rank, kind, id, version, batch)", uint32(p), uint64(a), uid, rank, int8(kind), id, uint64(1), uuid.New())
	return a
}

// says records the value of an attribute: text, float64, bool, []string or nil; what has no name is a removal.
func (w *world) says(p muster.ProjectID, a muster.Actor, minute int, attribute string, v any) {
	w.t.Helper()
	w.saysFrom("custom", p, a, minute, attribute, v)
}

// saysFrom is says for another source.
func (w *world) saysFrom(source string, p muster.ProjectID, a muster.Actor, minute int, attribute string, v any) {
	w.t.Helper()
	w.received++
	var text, kind string
	var number *float64
	list := []string{}
	switch v := v.(type) {
	case string:
		kind, text = "text", v
	case float64:
		kind, number = "number", &v
	case bool:
		kind, text = "boolean", fmt.Sprint(v)
	case []string:
		kind, list = "list", v
	default:
		kind = "null"
	}
	w.insert("attribute_snapshots (project, attribute, actor, ts, message, time, received, source, kind, text, number, list)",
		uint32(p), attribute, uint64(a), day(minute), uint64(w.received), day(minute), day(minute).Add(time.Second), source, kind, text, number, list)
}

// does records an event.
func (w *world) does(a muster.Actor, minute int) {
	w.t.Helper()
	w.received++
	w.insert("events (project, event, actor, ts, message, time, received, message_id, properties, context)", uint32(project), "visit",
		uint64(a), day(minute), uint64(w.received), day(minute), day(minute).Add(time.Second), fmt.Sprint(w.received), "{}", "")
}

// run keeps a membership, and returns its run.
func (w *world) run(members ...uint32) Run {
	w.t.Helper()
	definition := json.RawMessage(`{"all":[]}`)
	r := Run{
		ID: uuid.New(), Segment: "pro", SegmentName: "Pro – people", Revision: 3, Definition: definition, DefinitionHash: "abc",
		AsOf: asOf, Size: uint64(len(members)),
	}
	uids := strings.ReplaceAll(fmt.Sprint(members), " ", ",")
	err := w.db.Exec(clickhouse.WithParameters(w.t.Context(), clickhouse.Parameters{"run": r.ID.String(), "uids": uids}), `
		INSERT INTO segment_members (project, segment, run, bucket, members, entered, exited)
		SELECT 1, 'pro', {run:UUID}, toUInt16(intDiv(uid, 1048576)) AS bucket, groupBitmapState(uid), groupBitmapState(uid),
			groupBitmapStateIf(uid, false)
		FROM (SELECT arrayJoin({uids:Array(UInt32)}) AS uid) GROUP BY bucket`)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// index makes the actors known to the dictionary.
func (w *world) index() {
	w.t.Helper()
	if err := identity.NewIndex(w.db).Open(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// pinned is a source of members with one run.
func pinned(r Run) MembersFunc {
	return func(context.Context, muster.ProjectID, string) (Run, error) { return r, nil }
}

// service returns a service over a directory, quick to try again.
func (w *world) service(dir string, members MembersFunc) *Service {
	w.t.Helper()
	s, err := NewService(Config{DB: w.db, Dir: dir, Log: slog.New(slog.NewTextHandler(w.t.Output(), nil)), Members: members})
	if err != nil {
		w.t.Fatal(err)
	}
	s.pause = time.Millisecond
	return s
}

// create asks for the members of the segment.
func create(t testing.TB, s *Service, attributes ...string) Export {
	t.Helper()
	e, err := s.Create(t.Context(), project, Request{Dataset: "members", Segment: "pro", Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// finish runs the service until an export is done or has failed.
func finish(t testing.TB, s *Service, id uuid.UUID) Export {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	for {
		e, err := s.Get(ctx, project, id)
		if err != nil {
			t.Fatal(err)
		}
		if e.Status == Done || e.Status == Failed {
			return e
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// finished is finish for an export that must be done.
func finished(t testing.TB, s *Service, id uuid.UUID) Export {
	t.Helper()
	e := finish(t, s, id)
	if e.Status != Done {
		t.Fatalf("the export is %s: %s", e.Status, e.Error)
	}
	return e
}

// content reads a file of an export that is done, and checks it against what is said of it.
func content(t testing.TB, s *Service, id uuid.UUID, name string) []byte {
	t.Helper()
	f, info, err := s.Open(t.Context(), project, id, name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	if uint64(len(b)) != info.Bytes || hex.EncodeToString(sum[:]) != info.SHA256 {
		t.Errorf("%s has %d bytes and hash %x; it should have %d and %s", name, len(b), sum, info.Bytes, info.SHA256)
	}
	return b
}

// manifest reads the manifest of an export that is done.
func manifest(t testing.TB, s *Service, id uuid.UUID) Manifest {
	t.Helper()
	var m Manifest
	if err := json.Unmarshal(content(t, s, id, ManifestName), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// readParquet prints a file: its schema, and its rows with one line each.
func readParquet(t testing.TB, b []byte) (schema string, rows []string) {
	t.Helper()
	f, err := parquet.OpenFile(strings.NewReader(string(b)), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range f.RowGroups() {
		reader := group.Rows()
		buffer := make([]parquet.Row, 16)
		for {
			n, err := reader.ReadRows(buffer)
			for _, row := range buffer[:n] {
				rows = append(rows, printRow(row))
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return f.Schema().String(), rows
}

// printRow prints the values of a row; those of a list stand in brackets.
func printRow(row parquet.Row) string {
	var cells []string
	row.Range(func(_ int, values []parquet.Value) bool {
		v := values[0]
		switch {
		case v.DefinitionLevel() == 2:
			cells = append(cells, fmt.Sprint(values))
		case v.IsNull() && v.DefinitionLevel() == 1:
			cells = append(cells, "[]")
		case v.IsNull():
			cells = append(cells, "-")
		default:
			cells = append(cells, v.String())
		}
		return true
	})
	return strings.Join(cells, " | ")
}

// names lists what is in a directory, by name.
func names(t testing.TB, dir ...string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir...))
	if err != nil {
		t.Fatal(err)
	}
	all := make([]string, len(entries))
	for i, entry := range entries {
		all[i] = entry.Name()
	}
	return all
}
