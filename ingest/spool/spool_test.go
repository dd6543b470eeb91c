package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// slow keeps segments open until a test seals them.
var slow = Config{SealAfter: time.Hour, plain: true}

func openTest(t testing.TB, dir string, cfg Config) *Spool {
	t.Helper()
	s, err := Open(dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func add(t testing.TB, s *Spool, records ...string) {
	t.Helper()
	if err := tryAdd(t, s, records...); err != nil {
		t.Fatal(err)
	}
}

func tryAdd(t testing.TB, s *Spool, records ...string) error {
	t.Helper()
	all := make([][]byte, len(records))
	for i, r := range records {
		all[i] = []byte(r)
	}
	return s.Append(t.Context(), all)
}

// drained seals what is there, reads all segments in their order, and removes them.
func drained(t testing.TB, s *Spool) (all []string) {
	t.Helper()
	upTo, err := s.Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for s.Stats().Segments > 0 {
		segment, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for record, err := range segment.Records() {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(record))
		}
		if err := segment.Remove(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.WaitDrained(t.Context(), upTo); err != nil {
		t.Fatal(err)
	}
	return all
}

func want(t testing.TB, got []string, records ...string) {
	t.Helper()
	if !slices.Equal(got, records) {
		t.Errorf("the spool holds %q, not %q", got, records)
	}
}

func TestWhatIsAppendedComesOutInOrder(t *testing.T) {
	s := openTest(t, t.TempDir(), slow)
	add(t, s, "a", "b")
	add(t, s, "")
	add(t, s, strings.Repeat("x", MaxRecord))
	if stats := s.Stats(); stats.Appended != 4 || stats.Segments != 1 || stats.Oldest.IsZero() {
		t.Errorf("the statistics are %+v", stats)
	}
	want(t, drained(t, s), "a", "b", "", strings.Repeat("x", MaxRecord))
	if stats := s.Stats(); stats.Bytes != 0 || stats.Segments != 0 || !stats.Oldest.IsZero() {
		t.Errorf("of an empty spool the statistics are %+v", stats)
	}
}

func TestARecordMayNotBeTooLong(t *testing.T) {
	s := openTest(t, t.TempDir(), slow)
	if err := tryAdd(t, s, "a", strings.Repeat("x", MaxRecord+1)); err == nil {
		t.Error("it was taken")
	}
	want(t, drained(t, s))
}

func TestSegmentsAreSealedBySizeAndByAge(t *testing.T) {
	s := openTest(t, t.TempDir(), Config{SegmentBytes: 1000, SealAfter: time.Hour})
	for range 10 {
		add(t, s, strings.Repeat("x", 300))
	}
	if n := s.Stats().Segments; n != 3 {
		t.Errorf("%d segments", n)
	}
	s = openTest(t, t.TempDir(), Config{SealAfter: time.Millisecond})
	add(t, s, "a")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := s.Next(ctx); err != nil {
		t.Errorf("an old segment is not sealed: %v", err)
	}
}

// A drain that was at a segment for long is left alone for a while, but not for ever, and not when there is much to do.
func TestTheDrainRestsAfterItWorked(t *testing.T) {
	s := openTest(t, t.TempDir(), Config{SegmentBytes: 1000, SealAfter: time.Millisecond})
	next := func(within time.Duration) *Sealed {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		segment, err := s.Next(ctx)
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		return segment
	}
	work := func(segment *Sealed, took time.Duration) {
		t.Helper()
		if segment == nil {
			t.Fatal("nothing was sealed")
		}
		time.Sleep(took)
		if err := segment.Remove(); err != nil {
			t.Fatal(err)
		}
	}
	add(t, s, "a")
	work(next(10*time.Second), 200*time.Millisecond)
	add(t, s, "b")
	if next(100*time.Millisecond) != nil {
		t.Error("the drain got no rest")
	}
	work(next(10*time.Second), 600*time.Millisecond)
	start := time.Now()
	add(t, s, "c")
	work(next(10*time.Second), 0)
	if rest := time.Since(start); rest < longestRest-50*time.Millisecond || rest > longestRest+5*time.Second {
		t.Errorf("it rested %s, not %s", rest, longestRest)
	}
	add(t, s, "d")
	work(next(10*time.Second), 600*time.Millisecond)
	add(t, s, strings.Repeat("x", 2000))
	work(next(100*time.Millisecond), 600*time.Millisecond)
	add(t, s, "e")
	if _, err := s.Seal(t.Context()); err != nil { // as a flush asks
		t.Fatal(err)
	}
	work(next(100*time.Millisecond), 0)
}

func TestManyAppendAtOnce(t *testing.T) {
	s := openTest(t, t.TempDir(), Config{SegmentBytes: 10_000})
	const senders, each = 20, 50
	var group sync.WaitGroup
	for sender := range senders {
		group.Go(func() {
			for i := range each {
				add(t, s, fmt.Sprintf("%d first %d", sender, i), fmt.Sprintf("%d second %d", sender, i))
			}
		})
	}
	group.Wait()
	got := drained(t, s)
	if len(got) != 2*senders*each {
		t.Fatalf("%d records", len(got))
	}
	next := map[string]int{}
	for i := 0; i < len(got); i += 2 {
		var sender, n int
		if _, err := fmt.Sscanf(got[i], "%d first %d", &sender, &n); err != nil || got[i+1] != fmt.Sprintf("%d second %d", sender, n) {
			t.Fatalf("%q is followed by %q", got[i], got[i+1])
		}
		if key := fmt.Sprint(sender); next[key] != n {
			t.Fatalf("of sender %d number %d comes before %d", sender, n, next[key])
		}
		next[fmt.Sprint(sender)]++
	}
}

func TestAFullSpoolTakesAgainWhatWasDrained(t *testing.T) {
	s := openTest(t, t.TempDir(), Config{MaxBytes: 4000, SealAfter: time.Hour})
	taken := 0
	for ; ; taken++ {
		if err := tryAdd(t, s, strings.Repeat("x", 500)); errors.Is(err, ErrFull) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if taken != 7 {
		t.Errorf("%d records of 508 bytes were taken", taken)
	}
	if n := len(drained(t, s)); n != taken {
		t.Errorf("%d of %d came out", n, taken)
	}
	add(t, s, "again")
	want(t, drained(t, s), "again")
}

func TestAClosedSpoolKeepsWhatItHas(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir, slow)
	add(t, s, "a")
	segment := func(s *Spool) uint64 {
		g, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return g.Sequence
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := tryAdd(t, s, "b"); !errors.Is(err, ErrClosed) {
		t.Errorf("an append to a closed spool: %v", err)
	}
	again := openTest(t, dir, slow)
	if id := again.ID(); id != s.ID() || id == openTest(t, t.TempDir(), slow).ID() {
		t.Errorf("the spool is another one: %s", id)
	}
	first := segment(again) // handed out and not removed
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	third := openTest(t, dir, slow)
	if got := segment(third); got != first {
		t.Errorf("segment %d is handed out as %d", first, got)
	}
}

// Every append gets its answer, also one that is on its way to the committer when that ends.
func TestNobodyWaitsForAClosedSpool(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		s := openTest(t, dir, slow)
		var kept atomic.Int64
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				for {
					err := tryAdd(t, s, "a")
					if err != nil {
						if !errors.Is(err, ErrClosed) {
							t.Errorf("an append while the spool is closed: %v", err)
						}
						return
					}
					kept.Add(1)
				}
			})
		}
		time.Sleep(time.Millisecond)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		group.Wait()
		if bytes := s.Stats().Bytes; bytes != headerSize+kept.Load()*(frameSize+1) {
			t.Errorf("%d bytes are counted of %d records", bytes, kept.Load())
		}
		if got := int64(len(drained(t, openTest(t, dir, slow)))); got != kept.Load() {
			t.Errorf("%d records of %d that were acknowledged", got, kept.Load())
		}
	}
}

// A number that was given out names its rows in ClickHouse for ever.
func TestASequenceNumberIsNeverGivenOutTwice(t *testing.T) {
	dir := t.TempDir()
	seen := map[uint64]bool{}
	for range 5 {
		s := openTest(t, dir, slow)
		for range 3 {
			add(t, s, "a")
			if _, err := s.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
			segment, err := s.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if seen[segment.Sequence] {
				t.Fatalf("%d twice", segment.Sequence)
			}
			seen[segment.Sequence] = true
			if err := segment.Remove(); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADirectoryHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	openTest(t, dir, slow)
	if _, err := Open(dir, slow); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second owner: %v", err)
	}
}

func TestAppendGivesUpWithItsContext(t *testing.T) {
	s := openTest(t, t.TempDir(), slow)
	if err := s.room.Acquire(t.Context(), maxPending); err != nil { // as if the disk were slow
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Append(ctx, [][]byte{[]byte("a")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an append waits for ever: %v", err)
	}
	s.room.Release(maxPending)
	if bytes := s.Stats().Bytes; bytes != 0 {
		t.Errorf("%d bytes are counted of nothing", bytes)
	}
}

// files lists the spool's segments by their names' endings.
func files(t testing.TB, dir, ending string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*"+ending))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(b)
}
