package membership

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"muster"
)

// Segment is what is said of a live segment to who asks for a user's.
type Segment struct {
	ID             string
	Name           string
	BrowserVisible bool
}

// Current is the current members of all live segments.
type Current struct {
	mu       sync.RWMutex
	projects map[muster.ProjectID]*Project
}

// NewCurrent returns one that knows of no project.
func NewCurrent() *Current { return &Current{projects: map[muster.ProjectID]*Project{}} }

// Project returns what is kept of a project. It may not be loaded yet.
func (c *Current) Project(id muster.ProjectID) *Project {
	c.mu.RLock()
	p := c.projects[id]
	c.mu.RUnlock()
	if p != nil {
		return p
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.projects[id] == nil {
		c.projects[id] = &Project{known: []muster.Actor{0}, gone: roaring.New()}
	}
	return c.projects[id]
}

// Project is the live segments of a project and their members. Any number of goroutines may ask; one at a time may change it.
type Project struct {
	mu       sync.RWMutex
	loaded   bool
	asOf     time.Time
	actors   actors
	known    []muster.Actor  // by uid: the actor a user is known by
	gone     *roaring.Bitmap // uids of erased users, which nobody is given again
	segments []kept          // by id
	planes   planes          // the same members, by user
}

type kept struct {
	Segment

	members *roaring.Bitmap
	slot    int // in planes
}

// Answer is the live segments of one user.
type Answer struct {
	User     muster.Actor // that the user is known by; zero for a user nobody has heard of
	Segments []Segment    // by id; not to be changed
	AsOf     time.Time
}

// Of returns the live segments that the user of an actor is in and that a condition lets through. Not everything may be loaded
// yet: then it reports false.
func (p *Project) Of(actor muster.Actor, let func(Segment) bool) (Answer, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if !p.loaded {
		return Answer{}, false
	}
	answer := Answer{AsOf: p.asOf, Segments: []Segment{}}
	uid := p.user(actor)
	if uid == 0 {
		return answer, true
	}
	answer.User = p.known[uid]
	var words [16]uint64
	row := p.planes.row(uid, words[:0])
	for i := range p.segments {
		if s := &p.segments[i]; in(row, s.slot) && let(s.Segment) {
			answer.Segments = append(answer.Segments, s.Segment)
		}
	}
	return answer, true
}

// Has tells whether the user of an actor is in a live segment.
func (p *Project) Has(segment string, actor muster.Actor) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	at, ok := p.find(segment)
	return ok && p.segments[at].members.Contains(p.user(actor))
}

// user returns the uid of an actor's user; zero where there is none.
func (p *Project) user(actor muster.Actor) uint32 {
	if uid := p.actors.get(actor); !p.gone.Contains(uid) {
		return uid
	}
	return 0
}

// AsOf returns the time as of which the members are current, and whether they are loaded.
func (p *Project) AsOf() (time.Time, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.asOf, p.loaded
}

func (p *Project) find(segment string) (int, bool) {
	return slices.BinarySearchFunc(p.segments, segment, func(k kept, id string) int { return strings.Compare(k.ID, id) })
}

// Members returns the members of a segment, or nil. They are not to be changed, nor read while somebody changes them.
func (p *Project) Members(segment string) *roaring.Bitmap {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if at, ok := p.find(segment); ok {
		return p.segments[at].members
	}
	return nil
}

// Place says that an actor is a user, known by it if it is its first, and returns the uid it had before.
func (p *Project) Place(actor muster.Actor, uid uint32, first bool) uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if first {
		for int(uid) >= len(p.known) {
			p.known = append(p.known, 0)
		}
		p.known[uid] = actor
	}
	return p.actors.put(actor, uid)
}

// Put keeps a segment with its members.
func (p *Project) Put(s Segment, members *roaring.Bitmap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.find(s.ID)
	if !ok {
		p.segments = slices.Insert(p.segments, at, kept{members: roaring.New(), slot: p.planes.take()})
	}
	was := p.segments[at]
	p.planes.remove(was.slot, roaring.AndNot(was.members, members))
	p.planes.add(was.slot, roaring.AndNot(members, was.members))
	p.segments[at] = kept{s, members, was.slot}
}

// Change takes who entered and who exited into the members of a segment that is kept.
func (p *Project) Change(segment string, entered, exited *roaring.Bitmap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, ok := p.find(segment); ok {
		s := p.segments[at]
		s.members.AndNot(exited)
		s.members.Or(entered)
		p.planes.remove(s.slot, exited)
		p.planes.add(s.slot, entered)
	}
}

// Keep drops all segments but some, and renames those.
func (p *Project) Keep(segments map[string]Segment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.segments = slices.DeleteFunc(p.segments, func(k kept) bool {
		_, ok := segments[k.ID]
		if !ok {
			p.planes.leave(k.slot, k.members)
		}
		return !ok
	})
	for i := range p.segments {
		p.segments[i].Segment = segments[p.segments[i].ID]
	}
}

// Forget has erased users be in no answer from now on. It may be called while another goroutine changes the members.
func (p *Project) Forget(uids ...uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone.AddMany(uids)
}

// Erase takes erased users out of everything.
func (p *Project) Erase(users *roaring.Bitmap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone.Or(users)
	for _, s := range p.segments {
		s.members.AndNot(users)
		p.planes.remove(s.slot, users)
	}
}

// Settle says that everything is loaded, and current as of a time.
func (p *Project) Settle(asOf time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.loaded = true
	if asOf.After(p.asOf) {
		p.asOf = asOf
	}
}
