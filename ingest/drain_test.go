package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster"
	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
	"muster/ingest/spool"
)

func newTestDrain(t testing.TB, s *spool.Spool, db *clickhouse.DB, drained func(bool)) *Drain {
	t.Helper()
	d, err := NewDrain(DrainConfig{Spool: s, DB: db, Log: slog.New(slog.DiscardHandler), RefusedDir: filepath.Join(t.TempDir(), "refused"), Drained: drained})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// run runs the drain until the test ends.
func run(t testing.TB, d *Drain) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func flush(t testing.TB, d *Drain) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := d.Flush(ctx); err != nil {
		t.Fatal(err, d.Stats().LastError)
	}
}

const exampleTraffic = `{"writeKey":"wk","context":{"ip":"1"},"batch":[
	{"type":"track","anonymousId":"a","event":"visit","messageId":"m1","timestamp":"2024-05-01T10:00:00.123Z","properties":{"path":"/","n":1,"deep":{"x:y":[1,null,"b"]}}},
	{"type":"identify","userId":"u","anonymousId":"a","messageId":"m2","traits":{"plan":"pro","email":"u@x","seats":3,"size":"12.5","since":"2024-01-01T00:00:00Z","trial":true,"roles":["x","y"],"phone":null}},
	{"type":"group","userId":"u","groupId":"g","messageId":"m3"},
	{"type":"alias","userId":"u","previousId":"old","messageId":"m4"},
	{"type":"track","userId":"u","anonymousId":"b","event":"purchase","messageId":"m5"}]}`

func TestWhatWasSentIsInTheTables(t *testing.T) {
	db, s := clickhousetest.DB(t), openSpool(t)
	var heard []bool
	d := newTestDrain(t, s, db, func(identities bool) { heard = append(heard, identities) })
	run(t, d)
	for range 2 { // the second time nothing is new about identifiers
		if w := post(t, newTestDoor(t, s), "/v1/batch", exampleTraffic); w.Code != 200 {
			t.Fatal(w.Body)
		}
		flush(t, d)
	}

	who := map[muster.Actor]string{}
	for _, id := range []string{"u", "old", "a", "b"} {
		who[muster.NewActor(7, muster.Identified, id)] = "user:" + id
		who[muster.NewActor(7, muster.Anonymous, id)] = "visitor:" + id
	}
	named := func(all []string) []string {
		for i := range all {
			for actor, name := range who {
				all[i] = strings.ReplaceAll(all[i], fmt.Sprint(uint64(actor)), name)
			}
		}
		return all
	}
	for _, c := range []struct {
		query string
		want  []string
	}{
		{
			`SELECT concat(event, ' ', actor, ' ', ts, ' ', time, ' ', message_id, ' ', properties, ' ', context) FROM events FINAL WHERE project = 7 ORDER BY message_id`,
			[]string{
				`visit visitor:a 2024-05-01 10:00:00.123 2024-05-01 10:00:00.123 m1 {"deep":{"x%3Ay":["1","b"]},"n":1,"path":"\/"} {"ip":"1"}`,
				`$identify user:u 1970-01-01 00:00:00.000 2024-05-01 12:00:00.000 m2 {} {"ip":"1"}`,
				`$group user:u 1970-01-01 00:00:00.000 2024-05-01 12:00:00.000 m3 {} {"ip":"1"}`,
				`$alias user:u 1970-01-01 00:00:00.000 2024-05-01 12:00:00.000 m4 {} {"ip":"1"}`,
				`purchase user:u 1970-01-01 00:00:00.000 2024-05-01 12:00:00.000 m5 {} {"ip":"1"}`,
			},
		},
		{
			`SELECT concat(attribute, ' ', actor, ' ', source, ' ', kind, ' ', text, ' ', ifNull(toString(number), '-'), ' ', ifNull(toString(instant), '-'), ' ', toString(list))
			 FROM latest_attributes FINAL WHERE project = 7 ORDER BY attribute`,
			[]string{
				`email user:u native text u@x - - []`,
				`group.id user:u custom text g - - []`,
				`phone user:u custom null  - - []`,
				`plan user:u custom text pro - - []`,
				`roles user:u custom list  - - ['x','y']`,
				`seats user:u custom number  3 - []`,
				`since user:u custom text 2024-01-01T00:00:00Z - 1704067200000 []`,
				`size user:u custom text 12.5 12.5 - []`,
				`trial user:u custom boolean true - - []`,
			},
		},
		{
			`SELECT concat(kind, ' ', id, ' ', actor, ' ', link, ' ', linked, ' ', time) FROM identities ORDER BY kind, id, link`,
			[]string{
				`anonymous a visitor:a none 0 2024-05-01 10:00:00.123`,
				`anonymous a visitor:a identify user:u 2024-05-01 12:00:00.000`,
				`user old user:old alias user:u 2024-05-01 12:00:00.000`,
				`user u user:u none 0 2024-05-01 12:00:00.000`,
			},
		},
		{
			`SELECT concat(toString(actor), ' ', toString(min(first_seen)), ' ', toString(max(last_seen))) FROM activity WHERE project = 7 GROUP BY actor ORDER BY min(first_seen)`,
			[]string{
				`visitor:a 2024-05-01 10:00:00.123 2024-05-01 10:00:00.123`,
				`user:u 2024-05-01 12:00:00.000 2024-05-01 12:00:00.000`,
			},
		},
	} {
		if diff := cmp.Diff(c.want, named(lines(t, db, c.query))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.query, diff)
		}
	}
	if n := number(t, db, `SELECT count() FROM events FINAL WHERE message = reinterpretAsUInt64(reverse(substring(SHA256(message_id), 1, 8)))`); n != 5 {
		t.Errorf("%d of 5 messages are numbered by the hash of their id", n)
	}
	if diff := cmp.Diff([]bool{true, false}, heard); diff != "" {
		t.Errorf("told otherwise about identifiers:\n%s", diff)
	}
	if got := d.Stats(); got.Segments != 2 || got.Messages != 5 || got.Repeats != 5 || got.LastError != "" || got.LastReceived.Sub(receipt) > time.Second {
		t.Errorf("the statistics are %+v", got)
	}
}

func TestMessagesOfManyMonthsAreOneSegment(t *testing.T) {
	db, s := clickhousetest.DB(t), openSpool(t)
	d := newTestDrain(t, s, db, nil)
	run(t, d)
	var b strings.Builder
	const months = 240
	for i := range months {
		fmt.Fprintf(&b, `,{"type":"track","userId":"u","event":"e","timestamp":%q}`, receipt.AddDate(0, -i, 0).Format(time.RFC3339))
	}
	if w := post(t, newTestDoor(t, s), "/v1/batch", `{"writeKey":"wk","batch":[`+b.String()[1:]+`]}`); w.Code != 200 {
		t.Fatal(w.Body)
	}
	flush(t, d)
	if n := number(t, db, `SELECT count() FROM events`); n != months {
		t.Errorf("%d of %d messages arrived", n, months)
	}
}

func TestRefusedMessagesDoNotHoldBackTheOthers(t *testing.T) {
	db, s := clickhousetest.DB(t), openSpool(t)
	d := newTestDrain(t, s, db, nil)
	var records [][]byte
	for i := range 9 {
		m := Message{Project: 7, Type: Track, UserID: "u", Event: "e", MessageID: fmt.Sprint(i), Time: 1, Received: int64(i), Properties: "{}", Context: "{}"}
		if i == 2 || i == 6 {
			m.Properties = `{"a":` // the door lets no such thing in; ClickHouse does not take it
		}
		records = append(records, AppendRecord(nil, &m))
	}
	records = append(records, []byte("no record"))
	if err := s.Append(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	run(t, d)
	flush(t, d)

	got := lines(t, db, `SELECT message_id FROM events FINAL ORDER BY message_id`)
	if diff := cmp.Diff([]string{"0", "1", "3", "4", "5", "7", "8"}, got); diff != "" {
		t.Errorf("other messages arrived than the good ones:\n%s", diff)
	}
	files, err := filepath.Glob(filepath.Join(d.refusedDir, "*.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatalf("refused messages are in %v, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]bool{}
	for line := range bytes.Lines(text) {
		var r refusedRecord
		if err := json.Unmarshal(line, &r); err != nil || r.Reason == "" {
			t.Fatalf("%s: %v", line, err)
		}
		kept[string(r.Record)] = true
	}
	for _, i := range []int{2, 6, 9} {
		if !kept[string(records[i])] {
			t.Errorf("record %d was lost", i)
		}
	}
	if got := d.Stats(); got.Messages != 7 || got.Refused != 3 || len(kept) != 3 {
		t.Errorf("%d were kept; the statistics are %+v", len(kept), got)
	}
}

// A process may die after it inserted a segment and before it removed it; the next one finds it again.
func TestASegmentThatIsFoundAgainChangesNothing(t *testing.T) {
	db, dir := clickhousetest.DB(t), t.TempDir()
	s, err := spool.Open(dir, spool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if w := post(t, newTestDoor(t, s), "/v1/batch", exampleTraffic); w.Code != 200 {
		t.Fatal(w.Body)
	}
	segment, err := s.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := newTestDrain(t, s, db, nil).newLoad(segment).store(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	before := everything(t, db)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	if s, err = spool.Open(dir, spool.Config{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	d := newTestDrain(t, s, db, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	flush(t, d)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := d.Stats(); got.Segments != 1 || got.Messages != 5 {
		t.Errorf("the segment was not found again: %+v", got)
	}
	if diff := cmp.Diff(before, everything(t, db)); diff != "" {
		t.Errorf("the tables changed:\n%s", diff)
	}
}

// Everything acknowledged arrives, once, though ClickHouse is killed again and again while it comes in.
func TestNothingIsLostOrDoubledWhenClickHouseIsKilled(t *testing.T) {
	db, s := clickhousetest.DB(t), openSpool(t)
	engine := clickhousetest.Engine(t)
	d, door := newTestDrain(t, s, db, nil), newTestDoor(t, s)
	run(t, d)
	const rounds, perRound = 3, 400
	sent := 0
	for range rounds {
		for range perRound / 100 {
			var b strings.Builder
			for range 100 {
				fmt.Fprintf(&b, `,{"type":"identify","userId":"u%d","messageId":"m%d","traits":{"n":%d}}`, sent%50, sent, sent)
				sent++
			}
			if w := post(t, door, "/v1/batch", `{"writeKey":"wk","batch":[`+b.String()[1:]+`]}`); w.Code != 200 {
				t.Fatal(w.Body)
			}
			if _, err := s.Seal(t.Context()); err != nil { // so that the drain is at work when the engine dies
				t.Fatal(err)
			}
		}
		restarts := engine.Restarts()
		if err := syscall.Kill(engine.Pid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for engine.Restarts() == restarts {
			if err := wait(t.Context(), 10*time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
	}
	flush(t, d)
	for _, c := range []struct {
		what string
		want uint64
	}{
		{`count() FROM events`, uint64(sent)}, // not FINAL: dropped by their tokens, not collapsed later
		{`uniqExact(message_id) FROM events`, uint64(sent)},
		{`count() FROM attribute_snapshots`, uint64(sent)},
		{`count() FROM latest_attributes FINAL`, 50},
		{`toUInt64(sum(number)) FROM latest_attributes FINAL`, uint64((sent - 50 + sent - 1) * 25)},
		{`uniqExact(actor) FROM identities`, 50},
		{`uniqExact(actor) FROM activity`, 50},
	} {
		if got := number(t, db, "SELECT "+c.what); got != c.want {
			t.Errorf("%s is %d, not %d", c.what, got, c.want)
		}
	}
	t.Logf("%d attempts failed", d.Stats().Failures)
}
