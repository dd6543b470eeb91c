package demo

import (
	"crypto/sha256"
	"runtime"
	"sync"
	"testing"
	"time"
)

// small is the demo of `make run`.
var small = Config{Users: 5000, Days: 90, Seed: 1, End: time.Date(2026, 3, 18, 15, 0, 0, 0, time.UTC)}

func generator(t testing.TB, c Config) *Generator {
	t.Helper()
	g, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func digest(t *testing.T, c Config) [sha256.Size]byte {
	t.Helper()
	hash := sha256.New()
	var text []byte
	for m := range generator(t, c).Messages() {
		var err error
		if text, err = m.AppendJSON(text[:0]); err != nil {
			t.Error(err)
		}
		hash.Write(text)
	}
	return [sha256.Size]byte(hash.Sum(nil))
}

func TestSameConfigMakesTheSameMessages(t *testing.T) {
	config := small
	config.Users = 300
	want := digest(t, config)
	got := make([][sha256.Size]byte, 4)
	var group sync.WaitGroup
	for i := range got {
		group.Go(func() { got[i] = digest(t, config) })
	}
	group.Wait()
	for _, g := range got {
		if g != want {
			t.Errorf("%x, not %x", g, want)
		}
	}
	inParis := config
	inParis.End = config.End.In(time.FixedZone("CET", 3600))
	if digest(t, inParis) != want {
		t.Error("the zone the end is written in changes the messages")
	}
	for name, change := range map[string]func(*Config){
		"seed": func(c *Config) { c.Seed++ },
		"end":  func(c *Config) { c.End = c.End.Add(time.Hour) },
		"days": func(c *Config) { c.Days++ },
	} {
		other := config
		change(&other)
		if digest(t, other) == want {
			t.Errorf("another %s makes the same messages", name)
		}
	}
}

func TestOtherConfigsAreOtherPeopleAndMoreUsersAreMore(t *testing.T) {
	config := small
	config.Users = 100
	ids := func(c Config) map[string]bool {
		all := map[string]bool{}
		for m := range generator(t, c).Messages() {
			all[m.MessageID], all[m.UserID], all[m.AnonymousID] = true, true, true
		}
		delete(all, "")
		return all
	}
	first, more, later := config, config, config
	more.Users, later.End = 150, config.End.Add(time.Millisecond)
	have := ids(first)
	with := ids(more)
	for id := range have {
		if !with[id] {
			t.Fatalf("%s is gone with more users", id)
		}
	}
	for id := range ids(later) {
		if have[id] {
			t.Fatalf("%s is also in the demo that ends later", id)
		}
	}
}

func TestMessagesAreInOrderAndInTime(t *testing.T) {
	start := small.End.Add(-90 * 24 * time.Hour)
	last := map[string]time.Time{}
	seen := map[string]bool{}
	largest := 0
	var text []byte
	for m := range generator(t, small).Messages() {
		if m.Timestamp.Before(start) || !m.Timestamp.Before(small.End) {
			t.Fatalf("%s is at %s, outside the demo", m.MessageID, m.Timestamp)
		}
		if m.UserID != "" {
			if !m.Timestamp.After(last[m.UserID]) {
				t.Fatalf("%s is not later than the message before", m.MessageID)
			}
			last[m.UserID] = m.Timestamp
		}
		if seen[m.MessageID] {
			t.Fatalf("%s stands twice", m.MessageID)
		}
		seen[m.MessageID] = true
		var err error
		if text, err = m.AppendJSON(text[:0]); err != nil {
			t.Fatal(err)
		}
		largest = max(largest, len(text))
	}
	if len(seen) < 160_000 || len(seen) > 260_000 {
		t.Errorf("%d messages are not some 200,000", len(seen))
	}
	if largest > maxMessage {
		t.Errorf("a message has %d bytes", largest)
	}
	if n := generator(t, small).Count(); n != len(seen) {
		t.Errorf("counted %d of %d messages", n, len(seen))
	}
}

func TestManyUsersTakeNoMoreMemory(t *testing.T) {
	config := small
	config.Users = 20_000
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	most, n := uint64(0), 0
	for range generator(t, config).Messages() {
		if n++; n%200_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&during)
			most = max(most, during.HeapAlloc)
		}
	}
	if most > before.HeapAlloc+4<<20 {
		t.Errorf("%d messages hold %d bytes, from %d", n, most, before.HeapAlloc)
	}
}

func TestListeningCanStop(t *testing.T) {
	n := 0
	for range generator(t, small).Messages() {
		if n++; n == 1234 {
			break
		}
	}
	if n != 1234 {
		t.Error(n)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, c := range []Config{
		{},
		{Users: 0, Days: 90, End: small.End},
		{Users: 5, Days: 0, End: small.End},
		{Users: 5, Days: 4000, End: small.End},
		{Users: 5, Days: 90},
		{Users: 5, Days: 90, End: time.Date(2000, 2, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	for _, days := range []int{1, 2, 400} {
		if n := generator(t, Config{Users: 2000, Days: days, End: small.End}).Count(); n == 0 {
			t.Errorf("nothing happens in %d days", days)
		}
	}
}

// The rate a run is made up at, alone and as the JSON that is sent.
func BenchmarkMessages(b *testing.B) {
	for _, c := range []struct {
		name string
		json bool
	}{{"made", false}, {"encoded", true}} {
		b.Run(c.name, func(b *testing.B) {
			g := generator(b, small)
			var text []byte
			n := 0
			for b.Loop() {
				for m := range g.Messages() {
					if c.json {
						text, _ = m.AppendJSON(text[:0])
					}
					n++
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/message")
		})
	}
}
