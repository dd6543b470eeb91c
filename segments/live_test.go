package segments_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"muster/queries"
	"muster/segments"
)

// liveSeeds is how many projects the ticks are tried with.
var liveSeeds = flag.Uint64("live-seeds", 2, "generated projects with live segments")

// check compares what a tick left with an evaluation of everything, everywhere members can be read.
func (w *world) check(p *process) {
	w.t.Helper()
	ctx := w.t.Context()
	current, err := w.store.Current(ctx, 1)
	w.must(err)
	last, err := w.evaluator.LastRuns(ctx, 1)
	w.must(err)
	definitions := make([]queries.Definition, len(w.live))
	for i, id := range w.live {
		definitions[i] = current[id].Definition
	}
	all, err := w.evaluator.UIDs(ctx, w.project, definitions, w.now)
	w.must(err)
	read := w.IntN(len(w.live)) // the one whose list is read
	for i, id := range w.live {
		want := all[i]
		what := fmt.Sprintf("tick %d at %v: %s", w.ticks, w.now, queries.Print(current[id].Definition))
		members := p.current.Project(1).Members(id)
		if members == nil || !slices.Equal(members.ToArray(), want) {
			w.t.Fatalf("%s\nmemory has %v\n    want %v", what, members, want)
		}
		run := last[id]
		if run == nil || run.Size != uint64(len(want)) {
			w.t.Fatalf("%s\nthe newest run is %+v; want %d members", what, run, len(want))
		}
		if i != read {
			continue
		}
		page, _, err := w.evaluator.Members(ctx, w.project, id, time.Time{}, segments.PageRequest{Limit: 1000, Columns: []string{"plan"}})
		w.must(err)
		var listed []uint32
		for _, user := range page.Users {
			listed = append(listed, user.UID)
		}
		if slices.Sort(listed); !slices.Equal(listed, want) {
			w.t.Fatalf("%s\nthe list of members has %v\nwant %v", what, listed, want)
		}
	}
}

// TestEveryKindOfLeafIsGenerated looks for what a leaf may have that no live segment here would ever have, or only where it is refused.
func TestEveryKindOfLeafIsGenerated(t *testing.T) {
	w := &world{Rand: rand.New(rand.NewPCG(1, 1)), t: t, now: time.Now(), live: []string{"s"}}
	missing := map[string]bool{}
	for _, field := range []string{
		"attribute", "event", "where", "count", "aggregate", "first", "last", "sequence", "complete_within", "experience", "interaction",
		"question", "answer", "latest", "tag", "segment", "import", "identified", "everyone", "within", "between", "since",
	} {
		missing[field] = true
	}
	for range 500 {
		text := w.leaf()
		if _, err := queries.Decode([]byte(text)); err != nil {
			continue
		}
		var fields map[string]any
		w.must(json.Unmarshal([]byte(text), &fields))
		for field := range fields {
			delete(missing, field)
		}
	}
	if len(missing) > 0 {
		t.Errorf("no leaf has %v", slices.Sorted(maps.Keys(missing)))
	}
}

// TestTicksAgreeWithAnEvaluationOfEverything lets two processes keep live segments in turns, while traffic comes in, users are
// joined, definitions change and time passes, and compares every tick with an evaluation of everything at the same now.
func TestTicksAgreeWithAnEvaluationOfEverything(t *testing.T) {
	for seed := range *liveSeeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := newWorld(t, seed)
			for range 6 {
				w.arrive()
			}
			for range 4 {
				seg, err := w.store.Create(t.Context(), 1, w.draft(len(w.live) == 0), "test")
				w.must(err)
				w.live = append(w.live, seg.ID)
			}
			whole := 0
			for range 30 {
				for range w.IntN(8) {
					w.step()
				}
				_, err := w.index.Run(t.Context())
				w.must(err)
				w.now = w.now.Add(one(w, time.Millisecond, time.Second, time.Minute, 30*time.Minute, time.Hour, 12*time.Hour, 24*time.Hour))
				p := w.processes[w.IntN(10)/8]
				switch w.IntN(12) {
				case 0:
					*p = *w.newProcess() // it was started again
				case 1, 2, 3:
					w.interrupt(p)
				case 4:
					w.race()
				}
				tick, err := p.live.Tick(t.Context(), w.project)
				w.must(err)
				w.ticks++
				w.skipped += tick.Leaves - tick.Read
				if tick.Whole {
					whole++
				}
				w.check(p)
			}
			if whole > w.ticks/2 || w.skipped == 0 {
				t.Errorf("%d of %d ticks computed everything, and %d leaves were not read: nothing was tested", whole, w.ticks, w.skipped)
			}
			w.checkHistory()
			_, err := w.processes[0].live.Tick(t.Context(), w.project)
			w.must(err)
			w.prune()
		})
	}
}

// interrupt stops a tick anywhere in it, as a crash would; what it left must do no harm to the next.
func (w *world) interrupt(p *process) {
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Duration(w.IntN(150))*time.Millisecond)
	defer cancel()
	if _, err := p.live.Tick(ctx, w.project); err == nil {
		w.ticks++
	}
	if w.IntN(2) == 0 {
		*p = *w.newProcess()
	}
}

// race has both processes make the same tick. One of them may be told that the other was faster.
func (w *world) race() {
	var group sync.WaitGroup
	errs := make([]error, len(w.processes))
	for i, p := range w.processes {
		group.Go(func() { _, errs[i] = p.live.Tick(w.t.Context(), w.project) })
	}
	group.Wait()
	w.must(errors.Join(errs...))
}

// prune removes all runs that may go; what is left must be whole.
func (w *world) prune() {
	ctx := w.t.Context()
	count := func(sql string) (n uint64) {
		w.must(w.db.QueryRow(ctx, sql).Scan(&n))
		return n
	}
	before := count(`SELECT count() FROM segment_runs`)
	w.must(w.evaluator.Prune(ctx, w.project, time.Now().Add(time.Hour)))
	if after := count(`SELECT count() FROM segment_runs`); after == 0 || after >= before {
		w.t.Errorf("%d runs are left of %d", after, before)
	}
	if n := count(`SELECT count() FROM segment_members WHERE run NOT IN (SELECT run FROM segment_runs)`); n > 0 {
		w.t.Errorf("%d rows are left of runs that are not", n)
	}
	p := w.newProcess() // it has nothing but what is kept
	w.must(p.live.Follow(ctx, w.project))
	for _, id := range w.live {
		if !p.current.Project(1).Members(id).Equals(w.processes[0].current.Project(1).Members(id)) {
			w.t.Errorf("the members of %s are others after what is old is gone", id)
		}
	}
}

// checkHistory follows who entered and exited from run to run, and compares it with the members that SQL shows.
func (w *world) checkHistory() {
	w.t.Helper()
	changes := w.uids(`SELECT run, change, uid FROM segment_change_rows`)
	rows := w.uids(`SELECT run, 'member', uid FROM segment_member_rows`)
	for uid := range w.uids(`SELECT toUUID('00000000-0000-0000-0000-000000000000'), 'erased', uid FROM erased_users`)[uuid.Nil.String()+"erased"] {
		for run, uids := range rows {
			if uids[uid] || changes[run[:36]+"entered"][uid] || changes[run[:36]+"exited"][uid] {
				w.t.Errorf("user %d was erased, and is in run %s", uid, run)
			}
		}
	}
	for _, id := range w.live {
		runs, err := w.evaluator.Runs(w.t.Context(), 1, id, 1000)
		w.must(err)
		members := map[uuid.UUID]map[uint32]bool{{}: {}}
		for _, run := range slices.Backward(runs) {
			then, ok := members[run.Previous]
			if !ok {
				w.t.Fatalf("run %v follows %v, which is not there", run.ID, run.Previous)
			}
			now := maps.Clone(then)
			for _, change := range []string{"entered", "exited"} {
				for uid := range changes[run.ID.String()+change] {
					if now[uid] == (change == "entered") {
						w.t.Errorf("user %d %s in run %v, and it was so before", uid, change, run.ID)
					}
					delete(now, uid)
					if change == "entered" {
						now[uid] = true
					}
				}
			}
			members[run.ID] = now
			if run.Size != uint64(len(now)) || run.Entered != uint64(len(changes[run.ID.String()+"entered"])) ||
				run.Exited != uint64(len(changes[run.ID.String()+"exited"])) {
				w.t.Errorf("run %+v counts other members than its %d", run, len(now))
			}
			if got := rows[run.ID.String()+"member"]; !maps.Equal(got, now) {
				w.t.Errorf("run %v at step %d: its rows are %v, its history says %v", run.ID, run.Step, got, now)
			}
		}
	}
}

// uids reads sets of users by a run and a word.
func (w *world) uids(sql string) map[string]map[uint32]bool {
	rows, err := w.db.Query(w.t.Context(), sql)
	w.must(err)
	defer rows.Close()
	all := map[string]map[uint32]bool{}
	for rows.Next() {
		var run uuid.UUID
		var word string
		var uid uint32
		w.must(rows.Scan(&run, &word, &uid))
		key := run.String() + word
		if all[key] == nil {
			all[key] = map[uint32]bool{}
		}
		all[key][uid] = true
	}
	w.must(rows.Err())
	return all
}
