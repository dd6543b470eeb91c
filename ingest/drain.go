package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"muster/clickhouse"
	"muster/ingest/spool"
)

const (
	// firstPause and longestPause bound the wait before a segment is tried again. A server that is away costs a try little,
	// and one that comes back for a moment must not be missed.
	firstPause   = 100 * time.Millisecond
	longestPause = time.Second
)

// DrainConfig is what a [Drain] needs.
type DrainConfig struct {
	Spool *spool.Spool
	DB    *clickhouse.DB
	Log   *slog.Logger
	// RefusedDir is where messages that ClickHouse refuses are put aside.
	RefusedDir string
	// Drained is called after each segment, if it is not nil; identities tells whether something new was said about
	// identifiers, so that the index of actors has work. It must not block.
	Drained func(identities bool)
	// Inserted is told how long each insert took that succeeded, if it is not nil. It must not block.
	Inserted func(table string, took time.Duration)
}

// Drain carries messages from the spool into ClickHouse, segment by segment, in their order. A segment's rows are inserted
// under tokens made of its name, so that repeating one that was half done, or done, changes nothing.
type Drain struct {
	spool      *spool.Spool
	inserter   inserter
	log        *slog.Logger
	refusedDir string
	drained    func(bool)

	mu    sync.Mutex
	stats DrainStats
}

// NewDrain returns a drain; [Drain.Run] does the work.
func NewDrain(c DrainConfig) (*Drain, error) {
	if c.Spool == nil || c.DB == nil || c.Log == nil || c.RefusedDir == "" {
		return nil, errors.New("ingest: a drain needs a spool, a database, a log and a directory for refused messages")
	}
	if c.Drained == nil {
		c.Drained = func(bool) {}
	}
	if c.Inserted == nil {
		c.Inserted = func(string, time.Duration) {}
	}
	return &Drain{
		spool: c.Spool, inserter: newInserter(c.DB, c.Inserted), log: c.Log, refusedDir: c.RefusedDir, drained: c.Drained,
	}, nil
}

// DrainStats tell how the drain is doing, since the start.
type DrainStats struct {
	Segments     uint64    // drained
	Messages     uint64    // inserted
	Repeats      uint64    // left out, because the same message was inserted lately
	Refused      uint64    // put aside, because ClickHouse refuses them
	Failures     uint64    // attempts that failed and were repeated
	LastError    string    // of the segment being repeated; empty when the last attempt succeeded
	LastReceived time.Time // receipt of the newest message drained
}

// Stats returns how the drain is doing.
func (d *Drain) Stats() DrainStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

func (d *Drain) note(change func(*DrainStats)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(&d.stats)
}

// Flush returns when everything the door acknowledged before is in ClickHouse. It needs [Drain.Run] to be running.
func (d *Drain) Flush(ctx context.Context) error {
	upTo, err := d.spool.Seal(ctx)
	if err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	if err := d.spool.WaitDrained(ctx, upTo); err != nil {
		return fmt.Errorf("flush: wait for ClickHouse: %w", err)
	}
	return nil
}

// Run drains until ctx ends, and returns nil then. A segment that cannot be drained now is tried again until it can. Run may
// be called once: the segment it was at when it ended is handed out again when the spool is opened again.
func (d *Drain) Run(ctx context.Context) error {
	loads, failed := make(chan *load), make(chan error, 1)
	go func() {
		defer close(loads)
		failed <- d.read(ctx, loads)
	}()
	for l := range loads {
		d.drainUntilDone(ctx, l)
	}
	return <-failed
}

// read reads one segment after the other, while the one before is inserted, until ctx ends.
func (d *Drain) read(ctx context.Context, loads chan<- *load) error {
	for ctx.Err() == nil {
		segment, err := d.spool.Next(ctx)
		switch {
		case err == nil:
			l := d.newLoad(segment)
			_ = l.parse() // where it fails it is tried again when its turn comes
			select {
			case loads <- l:
			case <-ctx.Done():
			}
		case ctx.Err() == nil:
			return fmt.Errorf("drain: next segment: %w", err)
		}
	}
	return nil
}

// drainUntilDone drains one segment, trying again until it is done or ctx ends.
func (d *Drain) drainUntilDone(ctx context.Context, l *load) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := d.try(ctx, l)
		if err == nil || ctx.Err() != nil {
			return
		}
		d.note(func(s *DrainStats) { s.Failures, s.LastError = s.Failures+1, err.Error() })
		d.log.WarnContext(ctx, "a spool segment could not be drained; it will be tried again",
			slog.Uint64("segment", l.segment.Sequence), slog.Any("error", err))
		// Half of the pause is chance, so that many nodes do not come back at once.
		if wait(ctx, pause/2+rand.N(pause/2+1)) != nil {
			return
		}
	}
}

// try does what is left to do of a segment. Whoever waits for the segment to be removed finds it counted and announced.
func (d *Drain) try(ctx context.Context, l *load) error {
	if !l.stored {
		if err := l.store(ctx, d.refusedDir); err != nil {
			return err
		}
		d.count(ctx, l)
		d.drained(l.identities)
	}
	return l.segment.Remove()
}

// count takes a stored segment into the statistics.
func (d *Drain) count(ctx context.Context, l *load) {
	refused := len(l.refused)
	if refused > 0 {
		d.log.ErrorContext(ctx, "messages that cannot be stored were put aside", slog.Uint64("segment", l.segment.Sequence),
			slog.Int("messages", refused), slog.String("directory", d.refusedDir), slog.String("reason", l.refused[0].Reason))
	}
	d.note(func(s *DrainStats) {
		s.Segments++
		s.Messages += uint64(len(l.messages) + len(l.broken) - refused)
		s.Repeats += uint64(l.repeats)
		s.Refused += uint64(refused)
		s.LastError = ""
		if n := len(l.messages); n > 0 {
			s.LastReceived = time.UnixMicro(l.messages[n-1].Received).UTC()
		}
	})
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
