package segments_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"muster"
	"muster/queries"
	"muster/segments"
)

// TestWhatComesInIsAddedAndMayTakeAway follows one live segment of who bought within two hours. A copy of a message that is
// inserted late, but was received first, takes the place of the copy that was read: who has nothing else leaves. Each case is
// a tick that reads only some users, and is compared with an evaluation of everything.
func TestWhatComesInIsAddedAndMayTakeAway(t *testing.T) {
	w := newWorld(t, 0)
	var users []muster.Actor
	for i := range 40 {
		id := fmt.Sprint("u", i)
		actor := muster.NewActor(1, muster.Identified, id)
		w.insert("identities (project, actor, kind, link, linked, id, time)", []any{uint32(1), uint64(actor), int8(2), int8(0), uint64(0), id, w.now})
		users = append(users, actor)
	}
	_, err := w.index.Run(t.Context())
	w.must(err)
	definition, err := queries.Decode([]byte(`{"event":"buy","within":"2h"}`))
	w.must(err)
	seg, err := w.store.Create(t.Context(), 1, segments.Draft{Name: "Bought", Definition: definition, Live: true}, "test")
	w.must(err)
	w.live = []string{seg.ID}
	p := w.processes[0]

	buy := func(user int, message uint64, ts, corrected, received time.Duration) {
		w.insert(eventColumns, []any{
			uint32(1), "buy", uint64(users[user]), w.now.Add(ts), message, w.now.Add(corrected), w.now.Add(received), fmt.Sprint(message), `{}`,
		})
	}
	began := w.now
	tick := func(what string, whole bool, want ...int) {
		t.Helper()
		done, err := p.live.Tick(t.Context(), w.project)
		w.must(err)
		w.ticks++
		w.check(p)
		var members []int
		for i, actor := range users {
			if p.current.Project(1).Has(seg.ID, actor) {
				members = append(members, i)
			}
		}
		if !slices.Equal(members, want) || done.Whole != whole {
			t.Errorf("%s: members %v, want %v; whole %v, want %v", what, members, want, done.Whole, whole)
		}
	}
	at := func(d time.Duration) { w.now = began.Add(d) }

	buy(0, 1, -10*time.Minute, -10*time.Minute, -10*time.Minute)
	buy(1, 2, -10*time.Minute, -10*time.Minute, -10*time.Minute)
	buy(1, 3, -20*time.Minute, -20*time.Minute, -9*time.Minute)
	tick("at first", true, 0, 1)

	at(time.Minute)
	buy(2, 4, 0, 0, 0)
	tick("somebody buys", false, 0, 1, 2)

	at(2 * time.Minute)
	buy(3, 5, -45*24*time.Hour, -45*24*time.Hour, 0)
	buy(4, 6, -45*24*time.Hour, 0, 0) // by a clock that is wrong, and corrected
	tick("somebody bought long ago", false, 0, 1, 2, 4)

	at(3 * time.Minute)
	buy(0, 1, -13*time.Minute, -5*time.Hour, -14*time.Minute)
	buy(1, 2, -13*time.Minute, -5*time.Hour, -14*time.Minute)
	tick("a copy takes a message away", false, 1, 2, 4)

	at(4 * time.Minute)
	buy(2, 4, -3*time.Minute, -5*time.Hour, 0)
	tick("a copy that was received later does not", false, 1, 2, 4)

	at(2*time.Hour + time.Minute - 20*time.Minute)
	buy(5, 7, 0, 0, 0)
	tick("a window ends", false, 2, 4, 5)
}
