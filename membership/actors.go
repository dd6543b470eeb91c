package membership

import (
	"math/bits"

	"muster"
)

// actors says which user an actor is. It is a hash table with open addressing, 12 bytes a place and no pointers: an actor is
// a hash already, but they come in their own order, which would fill the table from one end: so its place is that of a
// multiple of it. Between a half and three quarters of the places are taken: 16 to 24 bytes an actor.
// An actor is never taken out; one whose user is gone has uid zero.
type actors struct {
	keys  []uint64
	uids  []uint32
	count int
}

const fewestPlaces = 64

// spread is 2^64 divided by the golden ratio: multiples of it are far apart (Knuth, The Art of Computer Programming, 6.4).
const spread = 0x9E3779B97F4A7C15

// place returns where an actor is, or where it would be put.
func (t *actors) place(actor muster.Actor) int {
	i, _ := bits.Mul64(uint64(actor)*spread, uint64(len(t.keys)))
	for at := int(i); ; {
		if t.keys[at] == 0 || t.keys[at] == uint64(actor) {
			return at
		}
		if at++; at == len(t.keys) {
			at = 0
		}
	}
}

// get returns an actor's uid, or zero.
func (t *actors) get(actor muster.Actor) uint32 {
	if len(t.keys) == 0 || actor == 0 {
		return 0
	}
	return t.uids[t.place(actor)]
}

// put gives an actor a uid, and returns the one it had.
func (t *actors) put(actor muster.Actor, uid uint32) uint32 {
	if 4*(t.count+1) > 3*len(t.keys) {
		t.grow()
	}
	at := t.place(actor)
	if t.keys[at] == 0 {
		t.keys[at] = uint64(actor)
		t.count++
	}
	old := t.uids[at]
	t.uids[at] = uid
	return old
}

func (t *actors) grow() {
	old := *t
	n := max(fewestPlaces, len(old.keys)*3/2)
	t.keys, t.uids = make([]uint64, n), make([]uint32, n)
	for i, key := range old.keys {
		if key != 0 {
			at := t.place(muster.Actor(key))
			t.keys[at], t.uids[at] = key, old.uids[i]
		}
	}
}
