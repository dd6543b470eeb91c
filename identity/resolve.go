package identity

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"muster"
)

// saying is one row of table identities: that an actor exists, or that it belongs to another.
type saying struct {
	actor  muster.Actor
	kind   muster.ActorKind
	link   link
	linked muster.Actor // zero when link is none
	id     string
	time   time.Time
}

// link is the way one actor was said to belong to another.
type link uint8

const (
	linkNone     link = 0
	linkIdentify link = 1 // an anonymous actor belongs to a user
	linkAlias    link = 2 // a user is another user
)

// place is where an actor stands in the index: which user it is, and in which rank among that user's actors.
type place struct {
	uid  uint32
	rank uint16
}

// assignment is one row to append to table actors.
type assignment struct {
	actor   muster.Actor
	place   place
	kind    muster.ActorKind
	id      string
	vacated []uint32 // the uids the actor was the first of at any time, and that nobody has any more
}

// state is what the index holds of the actors a pass touches.
type state struct {
	places  map[muster.Actor]place
	vacated map[muster.Actor][]uint32
	ranks   map[uint32]uint16 // the highest rank given out, by uid
	nextUID uint32
}

// resolve says which rows must be appended so that the index agrees with all that was said of the given actors. It
// depends only on what was said and where the actors stand, never on the order in which it was heard:
//   - an anonymous actor belongs to the user it was first identified as (the earliest time, then the smaller hash), so
//     a shared browser never joins two users;
//   - a user belongs to the user it was first aliased to. An alias that would close a ring is refused: the earlier ones
//     say already that these are one user, and who it is known by, and a ring would have nobody at its end. The user
//     whose alias was refused still belongs to whom the next one says;
//   - a user seen for the first time takes over the uid of an anonymous actor it claims, when that one stood alone, so
//     the history of memberships goes on.
func resolve(sayings []saying, s state) []assignment {
	owner := owners(sayings)
	known := map[muster.Actor]saying{}
	for _, say := range sayings {
		if k, ok := known[say.actor]; !ok || say.time.Before(k.time) || k.id == "" {
			known[say.actor] = say
		}
	}

	order := slices.SortedFunc(maps.Values(known), func(a, b saying) int {
		return cmp.Or(cmp.Compare(b.kind, a.kind), a.time.Compare(b.time), cmp.Compare(a.actor, b.actor))
	})
	claims := map[muster.Actor][]muster.Actor{} // by user: the anonymous actors that belong to it, earliest first
	for _, say := range order {
		if say.kind == muster.Anonymous {
			if root := rootOf(say.actor, owner); root != say.actor {
				claims[root] = append(claims[root], say.actor)
			}
		}
	}

	var out []assignment
	assign := func(say saying, p place) {
		vacated := s.vacated[say.actor]
		if old, placed := s.places[say.actor]; placed && old.rank == 0 && old.uid != p.uid {
			vacated = append(slices.Clone(vacated), old.uid) // the user's other actors move with it
		}
		s.places[say.actor] = p
		s.ranks[p.uid] = max(s.ranks[p.uid], p.rank)
		out = append(out, assignment{actor: say.actor, place: p, kind: say.kind, id: say.id, vacated: vacated})
	}
	// Users first: whoever belongs to one needs its uid.
	for _, say := range order {
		if rootOf(say.actor, owner) != say.actor {
			continue
		}
		p, placed := s.places[say.actor]
		switch {
		case placed && p.rank == 0:
		case !placed && say.kind == muster.Identified && takesOver(claims[say.actor], s.places) != 0:
			assign(say, place{uid: takesOver(claims[say.actor], s.places)})
		default:
			assign(say, place{uid: s.nextUID})
			s.nextUID++
		}
	}
	for _, say := range order {
		root := rootOf(say.actor, owner)
		if root == say.actor {
			continue
		}
		uid := s.places[root].uid
		if uid == 0 {
			continue // its user has not been heard of yet
		}
		if p, placed := s.places[say.actor]; placed && p.uid == uid && p.rank > 0 {
			continue
		}
		assign(say, place{uid: uid, rank: s.ranks[uid] + 1})
	}
	return out
}

// owners returns whom each actor belongs to: the links are taken in the order they were said, and one that is late for
// its actor, or would close a ring, is left out. No chain of owners has a ring.
func owners(sayings []saying) map[muster.Actor]muster.Actor {
	var links []saying
	for _, say := range sayings {
		if say.link != linkNone && say.linked != say.actor {
			links = append(links, say)
		}
	}
	slices.SortFunc(links, func(a, b saying) int {
		return cmp.Or(a.time.Compare(b.time), cmp.Compare(a.actor, b.actor), cmp.Compare(a.linked, b.linked))
	})
	owner := map[muster.Actor]muster.Actor{}
	for _, l := range links {
		if _, taken := owner[l.actor]; !taken && rootOf(l.linked, owner) != l.actor {
			owner[l.actor] = l.linked
		}
	}
	return owner
}

// rootOf follows an actor's owners to the actor its user is known by.
func rootOf(actor muster.Actor, owner map[muster.Actor]muster.Actor) muster.Actor {
	for {
		next, owned := owner[actor]
		if !owned {
			return actor
		}
		actor = next
	}
}

// takesOver returns the uid of the first claimed actor that so far was a user by itself, or zero.
func takesOver(claimed []muster.Actor, places map[muster.Actor]place) uint32 {
	for _, actor := range claimed {
		if p, ok := places[actor]; ok && p.rank == 0 {
			return p.uid
		}
	}
	return 0
}
