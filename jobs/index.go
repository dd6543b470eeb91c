package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"muster/identity"
)

const (
	// indexPause is the least time between two runs of the index.
	indexPause = 300 * time.Millisecond
	// indexShare bounds the part of the time that is spent on reloading the dictionary, which costs more the more
	// actors there are: after a run the indexer rests this many times as long as the reload took.
	indexShare = 4
	// indexCheck is how often the index looks for what other processes said.
	indexCheck = 15 * time.Second
)

// Indexer gives new actors their users soon after their traffic is in ClickHouse.
type Indexer struct {
	index *identity.Index
	log   *slog.Logger
	wake  chan struct{}
	mu    sync.Mutex // held while the index runs
}

// NewIndexer returns an indexer; [Indexer.Run] does the work.
func NewIndexer(index *identity.Index, log *slog.Logger) *Indexer {
	return &Indexer{index: index, log: log, wake: make(chan struct{}, 1)}
}

// Wake says that there may be new actors. It never blocks.
func (x *Indexer) Wake() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// Now runs the index at once. When it returns without an error, every actor whose traffic was in ClickHouse is queryable.
func (x *Indexer) Now(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, err := x.index.Run(ctx)
	return err
}

// Pause runs a function while the index stands still.
func (x *Indexer) Pause(f func() error) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return f()
}

// Run indexes until ctx ends.
func (x *Indexer) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-x.wake:
		case <-time.After(indexCheck):
		}
		if err := x.Now(ctx); err != nil && ctx.Err() == nil {
			x.log.WarnContext(ctx, "actors could not be indexed; it will be tried again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(indexPause, indexShare*x.index.Cost())):
		}
	}
}
