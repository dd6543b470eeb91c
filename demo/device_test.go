package demo

import (
	"regexp"
	"testing"
)

func TestPeopleReturnOnSeveralBrowsersAndShareSome(t *testing.T) {
	s := smallCensus(t)
	several := s.share(t, "has several anonymous ids, of those with an account", hasAccount, func(u *user) bool { return len(u.anonymous) > 1 })
	if several < 20 || several > 70 {
		t.Errorf("%.1f%% have several browsers", several)
	}
	shared := 0
	for _, users := range s.browsers {
		if len(users) > 1 {
			shared++
		}
	}
	if shared < 10 || shared > 200 {
		t.Errorf("%d browsers are shared", shared)
	}
	t.Logf("%d of %d browsers are shared", shared, len(s.browsers))
	visits := s.share(t, "was seen before it was known who it is", hasAccount, func(u *user) bool { return u.events[0].UserID == "" })
	if visits < 30 {
		t.Errorf("%.1f%% were anonymous first", visits)
	}
}

func TestAnonymousIDsAreUUIDs(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	g := generator(t, small)
	seen := map[string]bool{}
	for person := range 2000 {
		for generation := range 3 {
			id := g.anonymousID(person, 1, generation)
			if !form.MatchString(id) || seen[id] {
				t.Fatalf("%s is no UUID, or stands twice", id)
			}
			seen[id] = true
		}
	}
}
