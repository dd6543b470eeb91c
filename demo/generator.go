package demo

import (
	"errors"
	"iter"
	"time"
)

// Config says how much to make up. The same Config makes the same messages.
type Config struct {
	Users int
	Days  int       // the product's past, up to End
	Seed  uint64    // another seed makes another product of the same kind
	End   time.Time // the last moment anything happens
}

// Generator makes up messages.
type Generator struct{ cfg Config }

// New checks a configuration.
func New(cfg Config) (*Generator, error) {
	if cfg.Users < 1 || cfg.Days < 1 || cfg.End.IsZero() {
		return nil, errors.New("demo: a product needs at least one user, one day and an end")
	}
	cfg.End = cfg.End.UTC().Truncate(time.Millisecond)
	return &Generator{cfg}, nil
}

// Messages yields everything that happened, user by user, and each user's messages in their order. Only one user is in
// memory at a time.
func (g *Generator) Messages() iter.Seq[Message] {
	return func(yield func(Message) bool) {
		for i := range g.cfg.Users {
			for _, m := range newLife(g.cfg, i).live() {
				if !yield(m) {
					return
				}
			}
		}
	}
}
