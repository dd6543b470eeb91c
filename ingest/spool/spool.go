package spool

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

var (
	// ErrFull means that the spool has no room for the records. There will be when the drain has caught up.
	ErrFull = errors.New("the spool is full")
	// ErrClosed means that the spool was closed.
	ErrClosed = errors.New("the spool is closed")
)

// Defaults of [Config].
const (
	defaultMaxBytes     = 4 << 30
	defaultSegmentBytes = 12 << 20
	defaultSealAfter    = 250 * time.Millisecond
)

// maxPending bounds the bytes of appends that wait for the disk, and so the memory they hold.
const maxPending = 32 << 20

// maxQueued is how many appends are with the committer at most; more wait to get there.
const maxQueued = 256

// Config bounds a spool. Zero values ask for the defaults.
type Config struct {
	MaxBytes     int64         // of all segments together; 4 GiB by default
	SegmentBytes int64         // a segment is sealed when it is this large; 12 MiB by default
	SealAfter    time.Duration // a segment is sealed when its first record is this old, none waits and the drain has rested; 250 ms by default
	Damaged      func(Damage)  // told of every damage found while reading; nobody by default

	plain    bool         // no segment is prepared; for tests of what a crash leaves of a file that grows
	prepared func(string) // told of every prepared segment that can be taken, by its path; for tests that wait for one
}

// Spool is an open spool. Its methods may be called from many goroutines.
type Spool struct {
	dir      string
	cfg      Config
	id       id
	lockFile *os.File
	disk     disk

	room      *semaphore.Weighted // for bytes of pending appends
	requests  chan *request
	committed chan struct{} // closed when the committer has ended

	mu       sync.Mutex
	closed   bool
	bytes    int64 // of all segments, and of appends under way
	failure  error // of the last commit
	sealed   []*Sealed
	handed   int           // how many of sealed were handed out by Next
	changed  chan struct{} // closed and replaced when sealed changes
	appended uint64
	active   time.Time // when the active segment got its first record; zero without one
	working  time.Time // since when the drain is at the oldest segment that was handed out
	rested   time.Time // until when it rests
}

// Open opens the spool in a directory, which it makes when it is missing and keeps to itself until Close. Everything
// acknowledged before and not drained is there for [Spool.Next].
func Open(dir string, cfg Config) (*Spool, error) { return open(dir, cfg, realDisk()) }

func open(dir string, cfg Config, d disk) (*Spool, error) {
	if cfg.MaxBytes < 0 || cfg.SegmentBytes < 0 || cfg.SealAfter < 0 {
		return nil, errors.New("open the spool: its bounds cannot be negative")
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = defaultMaxBytes
	}
	if cfg.SegmentBytes == 0 {
		cfg.SegmentBytes = defaultSegmentBytes
	}
	if cfg.SealAfter == 0 {
		cfg.SealAfter = defaultSealAfter
	}
	if cfg.Damaged == nil {
		cfg.Damaged = func(Damage) {}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	lockFile, err := lock(dir)
	if err != nil {
		return nil, err
	}
	s := &Spool{
		dir: dir, cfg: cfg, lockFile: lockFile, disk: d, room: semaphore.NewWeighted(maxPending),
		requests: make(chan *request, maxQueued), committed: make(chan struct{}), changed: make(chan struct{}),
	}
	next, err := s.prepare()
	if err != nil {
		lockFile.Close()
		return nil, err
	}
	go (&committer{spool: s, next: next}).run()
	return s, nil
}

// prepare recovers the directory and returns the next sequence number.
func (s *Spool) prepare() (next uint64, err error) {
	if s.id, err = openID(s.dir); err != nil {
		return 0, err
	}
	highest, err := s.recoverSegments()
	if err != nil {
		return 0, err
	}
	return reserveSequences(s.dir, highest)
}

// ID names the spool: two spools never have the same.
func (s *Spool) ID() string { return hex.EncodeToString(s.id[:]) }

// Append adds records and returns nil when all of them are fsynced. They are in one segment, in their order. The errors:
// [ErrFull], [ErrClosed], ctx's, or the disk's; after any of them none of the records was acknowledged, though with ctx's
// they may be kept. An append of nothing tells whether the last commit succeeded.
func (s *Spool) Append(ctx context.Context, records [][]byte) error {
	size := int64(0)
	for _, record := range records {
		if len(record) > MaxRecord {
			return fmt.Errorf("append to the spool: a record has %d bytes; none has more than %d", len(record), MaxRecord)
		}
		size += frameSize + int64(len(record))
	}
	if size == 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.failure
	}
	if size > maxPending {
		return fmt.Errorf("append to the spool: %d bytes at once; at most %d are taken", size, maxPending)
	}
	if err := s.room.Acquire(ctx, size); err != nil {
		return err
	}
	defer s.room.Release(size)
	if err := s.take(size); err != nil {
		return err
	}
	err := s.ask(ctx, &request{records: records, done: make(chan error, 1)})
	if err != nil {
		s.give(size)
	}
	return err
}

// take counts bytes about to be written, if there is room for them.
func (s *Spool) take(size int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes+size > s.cfg.MaxBytes {
		return ErrFull
	}
	s.bytes += size
	return nil
}

// give takes back bytes that are not in the spool any more.
func (s *Spool) give(size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes -= size
}

// ask hands a request to the committer and waits for its answer.
func (s *Spool) ask(ctx context.Context, r *request) error {
	select {
	case s.requests <- r:
	case <-s.committed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	// The answer is waited for whatever happens: the records are not copied, so the caller may not have them back before.
	select {
	case err := <-r.done:
		return err
	case <-s.committed:
	}
	select {
	case err := <-r.done: // the committer's last
		return err
	default: // it came after the last
		return ErrClosed
	}
}

// Seal seals the active segment now and returns the highest sequence number so far: everything acknowledged before is in
// segments up to it.
func (s *Spool) Seal(ctx context.Context) (upTo uint64, err error) {
	r := &request{seal: true, done: make(chan error, 1)}
	if err := s.ask(ctx, r); err != nil {
		return 0, fmt.Errorf("seal the spool: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.sealed); n > 0 {
		upTo = s.sealed[n-1].Sequence
	}
	return upTo, nil
}

// pause is how long a segment that is old enough to be sealed stays open all the same: while others wait to be drained, and
// while the drain rests.
func (s *Spool) pause(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sealed) > 0 {
		return behindPause
	}
	return s.rested.Sub(now)
}

// rest notes that a segment was drained. The spool's mutex is held.
func (s *Spool) rest(now time.Time) {
	s.rested = now.Add(min(restFactor*now.Sub(s.working), longestRest))
	s.working = now // at the next one, where one was handed out
}

// Stats tell how full a spool is.
type Stats struct {
	Bytes    int64     // of all segments
	Segments int       // that were not drained, the active one included
	Appended uint64    // records since the spool was opened
	Oldest   time.Time // about when the oldest record that was not drained was appended; zero without one
}

// Stats returns how full the spool is.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{Bytes: s.bytes, Segments: len(s.sealed), Appended: s.appended, Oldest: s.active}
	if !s.active.IsZero() {
		st.Segments++
	}
	if len(s.sealed) > 0 {
		st.Oldest = s.sealed[0].Since
	}
	return st
}

// Close seals what is there and gives the directory free. Appends under way are finished.
func (s *Spool) Close() error {
	s.mu.Lock()
	already := s.closed
	s.closed = true
	s.mu.Unlock()
	if already {
		return nil
	}
	r := &request{seal: true, last: true, done: make(chan error, 1)}
	s.requests <- r
	err := <-r.done
	<-s.committed
	return errors.Join(err, s.lockFile.Close())
}
