package ingest

import (
	"encoding/binary"
	"hash/maphash"
	"time"
)

// identity is what makes two messages one: the tables' key. The first half is the message's own hash, the second that of
// all else in the key.
type identity [2]uint64

// maxRecent bounds one generation of [recent]; two are kept, about 20 MB together.
const maxRecent = 250_000

// recent remembers which messages were inserted lately, so that a repeat is known as one, is counted, and is left out. It
// may forget, and starts empty; the tables collapse what it lets through, or tell that they have it (see withoutStored).
type recent struct {
	seed       maphash.Seed
	young, old map[identity]struct{}

	since, began time.Time // everything inserted since is remembered; what is young, since it began
}

func newRecent() recent {
	now := time.Now()
	return recent{seed: maphash.MakeSeed(), since: now, began: now}
}

func (r *recent) identify(m *Message) identity {
	var b [20]byte
	binary.LittleEndian.PutUint32(b[0:], uint32(m.Project))
	binary.LittleEndian.PutUint64(b[4:], uint64(m.Timestamp))
	binary.LittleEndian.PutUint64(b[12:], uint64(m.Actor()))
	var h maphash.Hash
	h.SetSeed(r.seed)
	_, _ = h.Write(b[:])
	_, _ = h.WriteString(m.Event)
	return identity{m.Hash(), h.Sum64()}
}

func (r *recent) has(i identity) bool {
	if _, ok := r.young[i]; ok {
		return true
	}
	_, ok := r.old[i]
	return ok
}

// distinct leaves the first of messages that are one, and none that was inserted lately, in their order. It returns what
// they are, to be remembered when they are inserted, and how many were left out.
func (r *recent) distinct(messages []Message) (first []Message, are []identity, repeats int) {
	seen := make(map[identity]struct{}, len(messages))
	first, are = messages[:0], make([]identity, 0, len(messages))
	for i := range messages {
		is := r.identify(&messages[i])
		if _, again := seen[is]; again || r.has(is) {
			repeats++
			continue
		}
		seen[is] = struct{}{}
		first, are = append(first, messages[i]), append(are, is)
	}
	return first, are, repeats
}

// remember takes messages in after they were inserted.
func (r *recent) remember(all []identity) {
	for _, is := range all {
		if r.young == nil {
			r.young = map[identity]struct{}{}
		}
		if len(r.young) >= maxRecent {
			r.young, r.old = map[identity]struct{}{}, r.young
			r.since, r.began = r.began, time.Now()
		}
		r.young[is] = struct{}{}
	}
}
