package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"time"
)

// Sealed is a segment nothing is appended to any more.
type Sealed struct {
	Sequence uint64
	Since    time.Time // about when its first record was appended

	spool   *Spool
	path    string
	size    int64
	damaged bool
}

// Next returns the oldest sealed segment that was not handed out yet, and waits for one while there is none. A segment that
// is not removed is handed out again after the spool is opened again.
func (s *Spool) Next(ctx context.Context) (*Sealed, error) {
	for {
		s.mu.Lock()
		if s.handed < len(s.sealed) {
			next := s.sealed[s.handed]
			if s.handed == 0 {
				s.working = time.Now()
			}
			s.handed++
			s.mu.Unlock()
			return next, nil
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// WaitDrained returns when every segment up to a sequence number was removed.
func (s *Spool) WaitDrained(ctx context.Context, upTo uint64) error {
	for {
		s.mu.Lock()
		drained := len(s.sealed) == 0 || s.sealed[0].Sequence > upTo
		changed := s.changed
		s.mu.Unlock()
		if drained {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// announce wakes everybody who waits for sealed to change. The spool's mutex is held.
func (s *Spool) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Records reads the segment's records, in their order. A damaged one is left out and reported to [Config.Damaged]. The
// only error is that the file cannot be read. A record is valid until the next.
func (g *Sealed) Records() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		b, err := os.ReadFile(g.path)
		if err != nil {
			yield(nil, fmt.Errorf("read a spool segment: %w", err))
			return
		}
		b = b[:min(int64(len(b)), g.size)] // what was prepared and not cut off is no damage
		records, damaged := scan(g.path, b, g.spool.id, g.Sequence)
		for _, d := range damaged {
			g.damaged = true
			g.spool.cfg.Damaged(d)
		}
		for _, record := range records {
			if !yield(record, nil) {
				return
			}
		}
	}
}

// Remove ends the segment after it was drained; a damaged one is kept aside, as .damaged. It may be called again.
func (g *Sealed) Remove() error {
	s := g.spool
	var err error
	if g.damaged {
		err = os.Rename(g.path, strings.TrimSuffix(g.path, sealedEnding)+damagedEnding)
	} else {
		err = os.Remove(g.path)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a spool segment: %w", err)
	}
	if err := syncDir(s.dir); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.sealed, g)
	if i < 0 {
		return nil
	}
	s.sealed = slices.Delete(s.sealed, i, i+1)
	if i < s.handed {
		s.handed--
	}
	s.bytes -= g.size
	s.rest(time.Now())
	s.announce()
	return nil
}
