package demo

import (
	"errors"
	"fmt"
	"iter"
	"time"
)

// Config says which traffic to make up. The same config makes the same messages, byte for byte.
type Config struct {
	Users int       // people, at least 1: those who only visit, and those who have an account; nearly all of them show up
	Days  int       // of traffic, 1 to 3650
	Seed  uint64    // another seed is another set of people
	End   time.Time // nothing happens at or after it; cut to milliseconds
}

// Generator makes up traffic. Everything about a person follows from the seed, the days, the end and the person's
// number: more users are more people beside the same ones, and another seed or end is other people altogether.
type Generator struct {
	users      int
	start, end int64 // unix milliseconds; start is in, end is out
	key        uint64
}

// New checks a config and returns its generator.
func New(c Config) (*Generator, error) {
	switch {
	case c.Users < 1:
		return nil, fmt.Errorf("demo: %d users are none; ask for at least one", c.Users)
	case c.Days < 1 || c.Days > 3650:
		return nil, fmt.Errorf("demo: %d days of traffic cannot be made up; ask for 1 to 3650", c.Days)
	case c.End.IsZero():
		return nil, errors.New("demo: the traffic needs an end")
	}
	end := c.End.UnixMilli()
	start := end - int64(c.Days)*day
	if start < time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() {
		return nil, errors.New("demo: the traffic would begin before the year 2000, which the service does not take")
	}
	return &Generator{users: c.Users, start: start, end: end, key: mix(c.Seed, uint64(c.Days), uint64(end))}, nil
}

// Messages makes up the traffic, one person after another and in the order of time within each. It holds one message at
// a time, however many there are, and may be ranged over again, also concurrently.
func (g *Generator) Messages() iter.Seq[Message] {
	return func(yield func(Message) bool) {
		for i := range g.users {
			if !live(g, i, yield) {
				return
			}
		}
	}
}

// Count returns how many messages there are. It makes up all of them to know.
func (g *Generator) Count() int {
	n := 0
	for range g.Messages() {
		n++
	}
	return n
}

// Lengths of time in milliseconds.
const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)
