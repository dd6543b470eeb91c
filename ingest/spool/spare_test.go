package spool

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// prepared is the directory of a process that was killed while it appended "one", "two" and "three" to a prepared segment; the next one
// was prepared too. It returns the file and where the records begin in it.
func prepared(t *testing.T) (dir, open string, offsets []int) {
	t.Helper()
	dir = t.TempDir()
	var made handedOver
	s := openTest(t, dir, Config{SealAfter: time.Hour, prepared: made.add})
	add(t, s, "sealed") // nothing was prepared for the first one
	made.await(t, dir)
	if _, err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	offset := headerSize
	for _, record := range []string{"one", "two", "three"} {
		add(t, s, record)
		offsets = append(offsets, offset)
		offset += frameSize + len(record)
	}
	made.await(t, dir)
	copied := t.TempDir()
	for _, path := range files(t, dir, "") {
		if err := os.WriteFile(filepath.Join(copied, filepath.Base(path)), read(t, path), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open = files(t, copied, openEnding)[0]
	if n := len(read(t, open)); n != firstRoom {
		t.Fatalf("the segment has %d bytes, and should have been prepared", n)
	}
	return copied, open, offsets
}

// handedOver is the paths of the segments that were prepared and can be taken.
type handedOver struct{ paths sync.Map }

func (h *handedOver) add(path string) { h.paths.Store(path, true) }

// await waits until the next segment can be taken.
func (h *handedOver) await(t *testing.T, dir string) {
	t.Helper()
	for start := time.Now(); time.Since(start) < 10*time.Second; time.Sleep(time.Millisecond) {
		if waiting := files(t, dir, spareEnding); len(waiting) == 1 {
			if _, ok := h.paths.Load(waiting[0]); ok {
				return
			}
		}
	}
	t.Fatal("nothing was prepared")
}

// TestCrashesOfPreparedSegments is the table of what survives what where a segment is longer than its records.
func TestCrashesOfPreparedSegments(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(t *testing.T, open string, offsets []int)
		want   string
		damage int
	}{
		{"nothing", func(*testing.T, string, []int) {}, "one two three", 0},
		{"a torn last record", func(t *testing.T, open string, offsets []int) {
			overwrite(t, open, offsets[2]+frameSize+2, make([]byte, 3))
		}, "one two", 0},
		{"a torn frame", func(t *testing.T, open string, offsets []int) { overwrite(t, open, offsets[2]+3, make([]byte, 10)) }, "one two", 0},
		{"a flipped bit in a record", func(t *testing.T, open string, offsets []int) { flip(t, open, offsets[1]+frameSize) }, "one three", 1},
		{"cut off where it was not written", func(t *testing.T, open string, _ []int) { cut(t, open, 4000) }, "one two three", 0},
		{"nothing written yet", func(t *testing.T, open string, offsets []int) {
			overwrite(t, open, offsets[0], make([]byte, 100))
		}, "", 0},
		{"a name that did not last", func(t *testing.T, open string, _ []int) {
			if err := os.Rename(open, strings.TrimSuffix(open, openEnding)+spareEnding); err != nil {
				t.Fatal(err)
			}
		}, "one two three", 0},
		{"a new name that lasted, and a length that did not", func(t *testing.T, open string, _ []int) {
			if err := os.Rename(open, strings.TrimSuffix(open, openEnding)+sealedEnding); err != nil {
				t.Fatal(err)
			}
		}, "one two three", 1}, // the file system keeps the order; if it did not, it would be said
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, open, offsets := prepared(t)
			c.change(t, open, offsets)
			damages := 0
			s := openTest(t, dir, Config{SealAfter: time.Hour, Damaged: func(Damage) { damages++ }})
			add(t, s, "after")
			want(t, drained(t, s), strings.Fields("sealed "+c.want+" after")...)
			if damages != c.damage {
				t.Errorf("%d damages were reported, not %d", damages, c.damage)
			}
			if stats := s.Stats(); stats.Bytes != 0 {
				t.Errorf("an empty spool counts %d bytes", stats.Bytes)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			for _, ending := range []string{spareEnding, openEnding, sealedEnding} {
				if behind := files(t, dir, ending); len(behind) > 0 {
					t.Errorf("%v stays behind", behind)
				}
			}
		})
	}
}

// A segment that outgrows what was prepared goes on, and the next has room for twice as much; a smaller one for less.
func TestSegmentsArePreparedForWhatComes(t *testing.T) {
	dir := t.TempDir()
	var made handedOver
	s := openTest(t, dir, Config{SealAfter: time.Hour, prepared: made.add})
	large := strings.Repeat("x", MaxRecord)
	add(t, s, "first")
	for _, n := range []int{3, 3, 0, 0, 0} {
		made.await(t, dir)
		for range n {
			add(t, s, large)
		}
		add(t, s, "last")
		if got := drained(t, s); got[len(got)-1] != "last" {
			t.Fatalf("%d records came out", len(got))
		}
	}
	var p spares
	for _, c := range []struct{ size, want int64 }{{100, leastRoom}, {3 << 20, 6 << 20}, {100, 3 << 20}, {100 << 20, 12<<20 + leastRoom}} {
		if p.learn(c.size, 12<<20); p.room != c.want {
			t.Errorf("after %d bytes there is room for %d, not %d", c.size, p.room, c.want)
		}
	}
}
