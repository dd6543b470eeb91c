package queries_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"muster/queries"
)

// What is repeated with the same pinned now gives the same sets, while traffic pours in: later events and attributes of the same
// users and of new ones, and the same messages again. With the same known_at, so does what is said late of the time before.
func TestTheSameNowGivesTheSameSetsWhileTrafficPoursIn(t *testing.T) {
	fx := newFixture(t)
	fx.now = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	known := fx.now.Add(time.Hour)
	const users = 40
	for i := range users {
		name := fmt.Sprintf("u%d", i)
		if err := fx.loadAll([]string{
			"newcomer " + name,
			fmt.Sprintf("newcomer v%d of %s", i, name),
			fmt.Sprintf(`did %s buy 2026-02-%02dT00:00:00Z {"amount":%d}`, name, 1+i%28, i),
			fmt.Sprintf(`did v%d visit 2026-02-%02dT00:00:00Z`, i, 1+i%14),
			fmt.Sprintf(`set %s plan %q 2026-02-01T00:00:00Z`, name, []string{"free", "pro"}[i%2]),
			fmt.Sprintf(`set v%d seats %d 2026-01-01T00:00:00Z`, i, i),
		}); err != nil {
			t.Fatal(err)
		}
	}
	first := slices.Clone(fx.waiting)
	if err := fx.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	var targets []queries.Target
	for _, definition := range []string{
		`{"everyone":true}`,
		`{"event":"buy","count":{"op":"eq","value":1}}`,
		`{"event":"buy","within":"14d"}`,
		`{"event":"buy","aggregate":{"fn":"sum","property":"amount"},"op":"lt","value":20}`,
		`{"event":"visit","last":{"op":"before","value":"2026-02-08"}}`,
		`{"sequence":[{"event":"visit"},{"event":"buy"}]}`,
		`{"attribute":"plan","op":"equals","value":"pro"}`,
		`{"not":{"attribute":"seats","op":"gte","value":20}}`,
		`{"attribute":"last_seen","op":"within_last","value":"7d"}`,
		`{"attribute":"sessions","op":"equals","value":2}`,
		`{"identified":true}`,
	} {
		d, err := queries.Decode([]byte(definition))
		if err != nil {
			t.Fatal(err)
		}
		targets = append(targets, queries.Target{Definition: d})
	}
	for _, c := range []struct {
		name  string
		known time.Time
		pour  func(round int) // more traffic into fx.waiting
	}{
		{"now", time.Time{}, func(round int) { later(fx, round, users) }},
		{"now and known", known, func(round int) { later(fx, round, users); late(fx, round, users, known) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			fx.known = c.known
			want, err := fx.members(t.Context(), targets)
			if err != nil {
				t.Fatal(err)
			}
			if empty := slices.IndexFunc(want, func(set []string) bool { return len(set) == 0 }); empty >= 0 {
				t.Fatalf("definition %d holds for nobody, and would for ever", empty)
			}
			pouring, stop := context.WithCancel(t.Context())
			var done sync.WaitGroup
			done.Go(func() {
				for round := 0; pouring.Err() == nil; round++ {
					fx.waiting = slices.Clone(first) // the same again
					c.pour(round)
					if err := fx.insert(t.Context()); err != nil {
						t.Error(err)
						return
					}
					if _, err := fx.db.actors.Run(t.Context()); err != nil {
						t.Error(err)
						return
					}
				}
				if _, err := fx.db.actors.Run(t.Context()); err != nil {
					t.Error(err)
				}
			})
			for range 4 {
				got, err := fx.members(t.Context(), targets)
				if err != nil {
					t.Fatal(err)
				}
				for i := range want {
					if !slices.Equal(got[i], want[i]) {
						t.Errorf("%s held for\n%v, now for\n%v", queries.Print(targets[i].Definition), want[i], got[i])
					}
				}
			}
			stop()
			done.Wait()
			if err := fx.index(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(fx.names) <= users {
				t.Error("nobody came")
			}
		})
	}
}

// later has everybody do and say something after now, and one more user appear.
func later(fx *fixture, round, users int) {
	at := fx.now.Add(time.Duration(round+1) * time.Millisecond)
	for i := range users {
		name := fmt.Sprintf("u%d", i)
		fx.happened(name, "buy", at, `{"amount":1000}`, at)
		fx.happened(name, "visit", at, "{}", at)
		fx.stated(name, "plan", "free", at, at)
		fx.stated(name, "seats", 99.0, at, at)
	}
	name := fmt.Sprintf("new%d_%d", round, time.Now().UnixNano())
	fx.appears(name, "")
	fx.happened(name, "buy", at, "{}", at)
}

// late says things of the time before now, which are received after they are known.
func late(fx *fixture, round, users int, known time.Time) {
	at := fx.now.Add(-time.Duration(round+1) * time.Millisecond)
	received := known.Add(time.Duration(round+1) * time.Millisecond)
	for i := range users {
		name := fmt.Sprintf("u%d", i)
		fx.happened(name, "buy", at, `{"amount":1000}`, received)
		fx.stated(name, "plan", "free", at, received)
	}
}
