package membership_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"muster"
	"muster/membership"
)

func all(membership.Segment) bool { return true }

// TestAnswersFollowWhatIsPutIn compares answers with those of plain maps, over many changes.
func TestAnswersFollowWhatIsPutIn(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	p := membership.NewCurrent().Project(1)
	uids, members := map[muster.Actor]uint32{}, map[string]map[uint32]bool{}
	actor := func() muster.Actor { return muster.NewActor(1, muster.Identified, fmt.Sprint(random.IntN(300))) }
	if _, loaded := p.Of(actor(), all); loaded {
		t.Fatal("it answers before anything is loaded")
	}
	p.Settle(time.UnixMilli(1))
	for range 5000 {
		id := fmt.Sprint("s", random.IntN(9))
		switch random.IntN(10) {
		case 0:
			p.Put(membership.Segment{ID: id, Name: id, BrowserVisible: id < "s5"}, roaring.New())
			members[id] = map[uint32]bool{}
		case 1:
			if random.IntN(10) == 0 {
				delete(members, id)
				kept := map[string]membership.Segment{}
				for id := range members {
					kept[id] = membership.Segment{ID: id, Name: id, BrowserVisible: id < "s5"}
				}
				p.Keep(kept)
			}
		case 2, 3, 4:
			a, uid := actor(), uint32(random.IntN(100))
			if had := p.Place(a, uid, true); had != uids[a] {
				t.Fatalf("actor %v was user %d, not %d", a, uids[a], had)
			}
			uids[a] = uid
		default:
			if members[id] == nil {
				continue
			}
			entered, exited := roaring.New(), roaring.New()
			for range 20 {
				if uid := uint32(1 + random.IntN(99)); members[id][uid] {
					exited.Add(uid)
				} else {
					entered.Add(uid)
				}
			}
			p.Change(id, entered, exited)
			for _, uid := range entered.ToArray() {
				members[id][uid] = true
			}
			for _, uid := range exited.ToArray() {
				delete(members[id], uid)
			}
		}
		a := actor()
		var want []string
		for _, id := range slices.Sorted(maps.Keys(members)) {
			if members[id][uids[a]] {
				want = append(want, id)
			}
			if p.Has(id, a) != members[id][uids[a]] {
				t.Fatalf("whether user %d is in %s is %v", uids[a], id, p.Has(id, a))
			}
		}
		answer, loaded := p.Of(a, all)
		var got []string
		for _, s := range answer.Segments {
			got = append(got, s.ID)
		}
		if !loaded || !slices.Equal(got, want) {
			t.Fatalf("the segments of user %d are %v, want %v", uids[a], got, want)
		}
		if (answer.User == 0) != (uids[a] == 0) {
			t.Fatalf("user %d is known by %v", uids[a], answer.User)
		}
		visible, _ := p.Of(a, func(s membership.Segment) bool { return s.BrowserVisible })
		if slices.ContainsFunc(visible.Segments, func(s membership.Segment) bool { return s.ID >= "s5" }) {
			t.Fatalf("the browser sees %v", visible.Segments)
		}
	}
}

// BenchmarkCheck asks of 2 million users in 500 segments that have between none and all of them.
func BenchmarkCheck(b *testing.B) {
	const users, segments = 2_000_000, 500
	random := rand.New(rand.NewPCG(4, 4))
	p := membership.NewCurrent().Project(1)
	actors := make([]muster.Actor, 1<<16)
	for uid := uint32(1); uid <= users; uid++ {
		a := muster.Actor(random.Uint64() &^ 1)
		p.Place(a, uid, true)
		if i := random.IntN(users); i < len(actors) {
			actors[i] = a
		}
	}
	actors = slices.DeleteFunc(actors, func(a muster.Actor) bool { return a == 0 })
	names := make([]string, segments)
	for i := range segments {
		members := roaring.New()
		for n := 0; n < users*i/segments; n++ {
			members.Add(1 + random.Uint32N(users))
		}
		members.RunOptimize()
		names[i] = fmt.Sprintf("segment-%03d", i)
		p.Put(membership.Segment{ID: names[i], Name: names[i]}, members)
	}
	p.Settle(time.Now())
	b.Run("one segment", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			p.Has(names[i%segments], actors[i%len(actors)])
		}
	})
	b.Run("all 500 segments", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			p.Of(actors[i%len(actors)], all)
		}
	})
}
