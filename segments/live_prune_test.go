package segments_test

import (
	"testing"
	"time"

	"muster/clickhouse/clickhousetest"
	"muster/membership"
	"muster/queries"
	"muster/segments"
)

// TestTheNumberOfATickIsNotGivenOutAgain lets a segment that was live for a while be so again when all that is old was removed.
func TestTheNumberOfATickIsNotGivenOutAgain(t *testing.T) {
	db := clickhousetest.DB(t)
	people(t, db, "ann")
	store := segments.NewStore(db)
	evaluator := segments.NewEvaluator(db, store)
	live := segments.NewLive(evaluator, membership.NewCurrent(), time.Now)
	seg, err := store.Create(t.Context(), project.ID, segments.Draft{Name: "All", Definition: queries.EveryoneDefinition(), Live: true}, "ann")
	if err != nil {
		t.Fatal(err)
	}
	tick := func() {
		t.Helper()
		done, err := live.Tick(t.Context(), project)
		if err != nil {
			t.Fatal(err)
		}
		if len(done.Runs) != 1 {
			t.Fatalf("a tick made %d runs, want 1", len(done.Runs))
		}
	}
	tick()
	for range 2 {
		if _, err := evaluator.Materialize(t.Context(), project, []string{seg.ID}); err != nil {
			t.Fatal(err)
		}
		if err := evaluator.Prune(t.Context(), project, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		draft := segments.Draft{Name: "All", Definition: queries.EveryoneDefinition(), Live: true}
		if _, err := store.Replace(t.Context(), project.ID, seg.ID, 0, draft, "ann"); err != nil {
			t.Fatal(err)
		}
		live = segments.NewLive(evaluator, membership.NewCurrent(), time.Now) // as in a process that was started since
		tick()
	}
}
