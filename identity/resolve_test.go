package identity

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster"
)

// said makes a saying of the kind a message leaves: who is linked to whom, so many seconds in.
func said(kind muster.ActorKind, id string, how link, linked muster.Actor, second int) saying {
	return saying{
		actor: muster.NewActor(1, kind, id), kind: kind, id: id, link: how, linked: linked, time: time.Unix(int64(second), 0),
	}
}

func user(id string) muster.Actor { return muster.NewActor(1, muster.Identified, id) }

func visitor(id string, second int) saying { return said(muster.Anonymous, id, linkNone, 0, second) }

func identify(anonymous, id string, second int) []saying {
	return []saying{
		said(muster.Anonymous, anonymous, linkIdentify, user(id), second), said(muster.Identified, id, linkNone, 0, second),
	}
}

func alias(previous, id string, second int) []saying {
	return []saying{
		said(muster.Identified, previous, linkAlias, user(id), second), said(muster.Identified, id, linkNone, 0, second),
	}
}

// groups tells who is one user with whom, and by whom the user is known, without their numbers.
func groups(places map[muster.Actor]place, names map[muster.Actor]string) map[string]string {
	known := map[uint32]string{}
	for actor, p := range places {
		if p.rank == 0 {
			known[p.uid] = names[actor]
		}
	}
	all := map[string]string{}
	for actor, p := range places {
		all[names[actor]] = known[p.uid]
	}
	return all
}

func TestResolve(t *testing.T) {
	flat := func(parts ...[]saying) (all []saying) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	for _, c := range []struct {
		name string
		said []saying
		want map[string]string // each actor, and the one its user is known by
	}{
		{"a visitor alone", flat([]saying{visitor("a", 1)}), map[string]string{"?a": "?a"}},
		{
			"several devices are one user", flat([]saying{visitor("a", 1), visitor("b", 2)}, identify("a", "u", 3), identify("b", "u", 4)),
			map[string]string{"?a": "u", "?b": "u", "u": "u"},
		},
		{
			"a shared browser never joins two users", flat(identify("a", "u", 1), identify("a", "v", 2), identify("a", "u", 3), identify("b", "v", 4)),
			map[string]string{"?a": "u", "u": "u", "?b": "v", "v": "v"},
		},
		{
			"the earliest identify decides, in whatever order it is heard", flat(identify("a", "v", 9), identify("a", "u", 1)),
			map[string]string{"?a": "u", "u": "u", "v": "v"},
		},
		{
			"an alias joins two users and their devices", flat(identify("a", "old", 1), identify("b", "new", 2), alias("old", "new", 3)),
			map[string]string{"?a": "new", "?b": "new", "old": "new", "new": "new"},
		},
		{"a chain of aliases", flat(alias("x", "y", 1), alias("y", "z", 2)), map[string]string{"x": "z", "y": "z", "z": "z"}},
		{"the first alias of a user decides", flat(alias("x", "y", 1), alias("x", "z", 2)), map[string]string{"x": "y", "y": "y", "z": "z"}},
		{"an alias back is refused", flat(alias("x", "y", 1), alias("y", "x", 2)), map[string]string{"x": "y", "y": "y"}},
		{
			"a long way round is refused", flat(alias("x", "y", 1), alias("y", "z", 2), alias("z", "x", 3)),
			map[string]string{"x": "z", "y": "z", "z": "z"},
		},
		{
			"who was refused may still be another", flat(alias("x", "y", 1), alias("y", "x", 2), alias("y", "z", 3)),
			map[string]string{"x": "z", "y": "z", "z": "z"},
		},
		{
			"a ring draws nobody else in", flat(alias("x", "y", 1), alias("y", "x", 2), identify("a", "x", 3), identify("b", "w", 4)),
			map[string]string{"x": "y", "y": "y", "?a": "y", "w": "w", "?b": "w"},
		},
		{"itself", flat(alias("x", "x", 1)), map[string]string{"x": "x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			names := map[muster.Actor]string{}
			for _, s := range c.said {
				if s.kind == muster.Anonymous {
					names[s.actor] = "?" + s.id
				} else {
					names[s.actor] = s.id
				}
			}
			// All at once, again and again, and in every order one after the other: the same users come out.
			for range 50 {
				s := state{places: map[muster.Actor]place{}, ranks: map[uint32]uint16{}, nextUID: 1}
				rand.Shuffle(len(c.said), func(i, j int) { c.said[i], c.said[j] = c.said[j], c.said[i] })
				for step := 1 + rand.IntN(3); ; step += 1 + rand.IntN(3) {
					n := min(step, len(c.said))
					resolve(c.said[:n], s)
					s.nextUID = nextUID(s)
					if n == len(c.said) {
						break
					}
				}
				if rows := resolve(c.said, s); len(rows) != 0 {
					t.Fatalf("said again it changes %+v", rows)
				}
				if diff := cmp.Diff(c.want, groups(s.places, names)); diff != "" {
					t.Fatalf("other users (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func nextUID(s state) uint32 {
	next := uint32(1)
	for _, p := range s.places {
		next = max(next, p.uid+1)
	}
	return next
}

// TestResolveKeepsTheNumber follows a visitor who becomes a user: the memberships of the past are by its number.
func TestResolveKeepsTheNumber(t *testing.T) {
	s := state{places: map[muster.Actor]place{}, ranks: map[uint32]uint16{}, nextUID: 1}
	before := []saying{visitor("a", 1)}
	resolve(before, s)
	s.nextUID = 2
	resolve(append(before, identify("a", "u", 2)...), s)
	a, u := s.places[visitor("a", 1).actor], s.places[user("u")]
	if a.uid != 1 || u.uid != 1 || u.rank != 0 || a.rank == 0 {
		t.Errorf("the visitor is %+v and the user %+v, not both number 1", a, u)
	}
}
