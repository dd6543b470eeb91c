package ingest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
)

// lines reads the rows of a query whose one column is text.
func lines(t testing.TB, db *clickhouse.DB, query string) []string {
	t.Helper()
	rows, err := db.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	all := []string{}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func number(t testing.TB, db *clickhouse.DB, query string) uint64 {
	t.Helper()
	var n uint64
	if err := db.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// everything prints all the tables traffic feeds, as they are stored: without FINAL, so that a repetition would show.
func everything(t testing.TB, db *clickhouse.DB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, name := range []string{"events", "attribute_snapshots", "latest_attributes", "activity", "event_names", "attribute_names", "identities"} {
		all[name] = lines(t, db, "SELECT formatRowNoNewline('JSONEachRow', *) AS line FROM "+name+" ORDER BY line")
	}
	return all
}

func TestInsertingASegmentAgainChangesNothing(t *testing.T) {
	db, s := clickhousetest.DB(t), openSpool(t)
	if w := post(t, newTestDoor(t, s), "/v1/batch", exampleTraffic); w.Code != 200 {
		t.Fatal(w.Body)
	}
	messages := stored(t, s)
	// Whoever inserts again may have forgotten which identifiers it knew.
	insert := func(segment string) {
		w := newInserter(db, func(string, time.Duration) {})
		if _, err := w.insert(t.Context(), segment, messages); err != nil {
			t.Fatal(err)
		}
	}
	insert("spool/1")
	before := everything(t, db)
	insert("spool/1")
	insert("spool/1")
	if diff := cmp.Diff(before, everything(t, db)); diff != "" {
		t.Errorf("the tables changed:\n%s", diff)
	}
	// It is the name that counts: the same rows in another segment are not dropped, they collapse.
	if err := db.Exec(t.Context(), "SYSTEM STOP MERGES events"); err != nil {
		t.Fatal(err)
	}
	insert("spool/2")
	stored, final := number(t, db, "SELECT count() FROM events"), number(t, db, "SELECT count() FROM events FINAL")
	if stored != 10 || final != 5 {
		t.Errorf("two segments of five messages are %d rows, and %d with FINAL", stored, final)
	}
}

// A process that dies between two tables, or between a table and its views, leaves a part of a segment behind.
func TestInsertingTheRestOfASegmentFillsWhatIsMissing(t *testing.T) {
	whole, torn := clickhousetest.DB(t), clickhousetest.DB(t)
	s := openSpool(t)
	if w := post(t, newTestDoor(t, s), "/v1/batch", exampleTraffic); w.Code != 200 {
		t.Fatal(w.Body)
	}
	messages := stored(t, s)
	insert := func(db *clickhouse.DB) {
		w := newInserter(db, func(string, time.Duration) {})
		if _, err := w.insert(t.Context(), "spool/1", messages); err != nil {
			t.Fatal(err)
		}
	}
	insert(whole)
	w := newInserter(torn, func(string, time.Duration) {})
	if err := torn.Exec(t.Context(), "DETACH TABLE activity_feed"); err != nil {
		t.Fatal(err)
	}
	if err := w.send(t.Context(), "spool/1/events", insertEvents, eventColumns(rowsOf(messages))); err != nil {
		t.Fatal(err)
	}
	if err := torn.Exec(t.Context(), "ATTACH TABLE activity_feed"); err != nil {
		t.Fatal(err)
	}
	insert(torn)
	want, got := everything(t, whole), everything(t, torn)
	delete(want, "identities") // when a row was inserted differs
	delete(got, "identities")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the rest is not what was missing:\n%s", diff)
	}
}
