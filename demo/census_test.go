package demo

import (
	"cmp"
	"encoding/json"
	"sync"
	"testing"
	"time"
)

// census is what a service would know after the demo, worked out in the plainest way from the messages' JSON.
type census struct {
	users    []*user
	browsers map[string]map[string]bool // by anonymous id: the user ids that were identified with it
}

// user is one user of a census.
type user struct {
	id         string // the user id, or empty
	anonymous  map[string]bool
	events     []happening
	attributes map[string]any
}

// happening is one message, as JSON reads it.
type happening struct {
	Type        string
	UserID      string
	AnonymousID string
	Event       string
	Properties  map[string]any
	Traits      map[string]any
	Timestamp   time.Time
	MessageID   string
}

var (
	smallOnce sync.Once
	smallOne  *census
)

// smallCensus is that of the small demo. The tests share it and change nothing.
func smallCensus(t *testing.T) *census {
	t.Helper()
	smallOnce.Do(func() { smallOne = takeCensus(t, small) })
	return smallOne
}

func takeCensus(t *testing.T, c Config) *census {
	t.Helper()
	all := make([]happening, 0, 1<<18)
	for m := range generator(t, c).Messages() {
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var h happening
		if err := json.Unmarshal(text, &h); err != nil {
			t.Fatal(err)
		}
		all = append(all, h)
	}
	// An anonymous id belongs to the user it was first identified as.
	first := map[string]happening{}
	s := &census{browsers: map[string]map[string]bool{}}
	for _, h := range all {
		if h.Type != "identify" {
			continue
		}
		if s.browsers[h.AnonymousID] == nil {
			s.browsers[h.AnonymousID] = map[string]bool{}
		}
		s.browsers[h.AnonymousID][h.UserID] = true
		if f, ok := first[h.AnonymousID]; !ok || h.Timestamp.Before(f.Timestamp) {
			first[h.AnonymousID] = h
		}
	}
	users := map[string]*user{}
	for _, h := range all {
		id := cmp.Or(h.UserID, first[h.AnonymousID].UserID)
		key := cmp.Or(id, h.AnonymousID)
		u := users[key]
		if u == nil {
			u = &user{id: id, anonymous: map[string]bool{}, attributes: map[string]any{}}
			users[key] = u
			s.users = append(s.users, u)
		}
		u.events = append(u.events, h)
		if h.UserID == "" || first[h.AnonymousID].UserID == id {
			u.anonymous[h.AnonymousID] = true
		}
		for name, value := range h.Traits { // each user's messages come in the order of time
			if u.attributes[name] = value; value == nil {
				delete(u.attributes, name)
			}
		}
	}
	return s
}

// lastSeen is the time of the user's last message.
func (u *user) lastSeen() time.Time {
	var last time.Time
	for _, h := range u.events {
		if h.Timestamp.After(last) {
			last = h.Timestamp
		}
	}
	return last
}

// did are the user's events of a name.
func (u *user) did(event string) []happening {
	var found []happening
	for _, h := range u.events {
		if h.Event == event {
			found = append(found, h)
		}
	}
	return found
}

// share is the part, in percent, of the users of whom something is true.
func (s *census) share(t *testing.T, what string, among, is func(*user) bool) float64 {
	t.Helper()
	n, of := 0, 0
	for _, u := range s.users {
		if among(u) {
			of++
			if is(u) {
				n++
			}
		}
	}
	if of == 0 {
		t.Fatalf("%s: of nobody", what)
	}
	p := 100 * float64(n) / float64(of)
	t.Logf("%-60s %5.1f%% of %d", what, p, of)
	return p
}
