package spool

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// left is the directory of a process that was killed: records in one sealed segment and in the open one. The records of
// the open one begin at the offsets.
func left(t *testing.T) (dir string, offsets []int) {
	t.Helper()
	dir = t.TempDir()
	s := openTest(t, dir, slow)
	add(t, s, "sealed-1", "sealed-2", "sealed-3")
	if _, err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	offset := headerSize
	for _, record := range []string{"open-1", "open-two", "open-three"} {
		add(t, s, record)
		offsets = append(offsets, offset)
		offset += frameSize + len(record)
	}
	copied := t.TempDir() // a copy is what a dead process leaves: nobody holds its lock
	for _, path := range files(t, dir, "") {
		if err := os.WriteFile(filepath.Join(copied, filepath.Base(path)), read(t, path), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return copied, offsets
}

// TestCrashes is the table of what survives what: see the package's documentation.
func TestCrashes(t *testing.T) {
	sealed := []string{"sealed-1", "sealed-2", "sealed-3"}
	open := []string{"open-1", "open-two", "open-three"}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, sealed, open string, offsets []int)
		want   []string
		damage int // parts reported
		aside  int // files kept aside
	}{
		{"nothing", func(*testing.T, string, string, []int) {}, slices.Concat(sealed, open), 0, 0},
		{"a torn last record", func(t *testing.T, _, open string, offsets []int) { cut(t, open, -3) }, slices.Concat(sealed, open[:2]), 0, 0},
		{"a torn frame", func(t *testing.T, _, open string, offsets []int) { cut(t, open, offsets[2]+5) }, slices.Concat(sealed, open[:2]), 0, 0},
		{"a torn length", func(t *testing.T, _, open string, offsets []int) { cut(t, open, offsets[2]+1) }, slices.Concat(sealed, open[:2]), 0, 0},
		{"a cut between records", func(t *testing.T, _, open string, offsets []int) { cut(t, open, offsets[2]) }, slices.Concat(sealed, open[:2]), 0, 0},
		{"all its records torn off", func(t *testing.T, _, open string, offsets []int) { cut(t, open, offsets[0]) }, sealed, 0, 0},
		{"zeros after the last record", func(t *testing.T, _, open string, _ []int) { grow(t, open, make([]byte, 4096)) }, slices.Concat(sealed, open), 0, 0},
		{"garbage after the last record", func(t *testing.T, _, open string, _ []int) { grow(t, open, []byte(strings.Repeat("\xa5", 100))) }, slices.Concat(sealed, open), 0, 0},
		{"a length without its record", func(t *testing.T, _, open string, _ []int) {
			grow(t, open, binary.LittleEndian.AppendUint32(nil, 1<<30))
		}, slices.Concat(sealed, open), 0, 0},
		{"a torn header", func(t *testing.T, _, open string, _ []int) { cut(t, open, headerSize-1) }, sealed, 0, 0},
		{"an empty file", func(t *testing.T, _, open string, _ []int) { cut(t, open, 0) }, sealed, 0, 0},
		{"a file of zeros", func(t *testing.T, _, open string, _ []int) { overwrite(t, open, 0, make([]byte, len(read(t, open)))) }, sealed, 0, 0},
		{"an empty sealed file", func(t *testing.T, sealed, _ string, _ []int) { cut(t, sealed, 0) }, open, 1, 1},
		{"a sealed file cut off", func(t *testing.T, sealed, _ string, _ []int) { cut(t, sealed, -3) }, slices.Concat(sealed[:2], open), 1, 1},
		{"a missing sealed segment", func(t *testing.T, sealed, _ string, _ []int) { remove(t, sealed) }, open, 0, 0},
		{"a missing open segment", func(t *testing.T, _, open string, _ []int) { remove(t, open) }, sealed, 0, 0},
		{"a flipped bit in a record of the middle", func(t *testing.T, _, open string, offsets []int) { flip(t, open, offsets[1]+frameSize) }, slices.Concat(sealed, []string{"open-1", "open-three"}), 1, 1},
		{"a flipped bit in a checksum", func(t *testing.T, sealed, _ string, _ []int) { flip(t, sealed, headerSize+5) }, slices.Concat(sealed[1:], open), 1, 1},
		{"a flipped bit in a length", func(t *testing.T, sealed, _ string, _ []int) { flip(t, sealed, headerSize) }, slices.Concat(sealed[1:], open), 1, 1},
		{"a flipped bit in a length, making it huge", func(t *testing.T, sealed, _ string, _ []int) { flip(t, sealed, headerSize+3) }, slices.Concat(sealed[1:], open), 1, 1},
		{"a flipped bit in a header", func(t *testing.T, sealed, _ string, _ []int) { flip(t, sealed, 3) }, slices.Concat(sealed, open), 1, 1},
		{"a header of another spool", func(t *testing.T, sealed, _ string, _ []int) {
			overwrite(t, sealed, 0, appendHeader(nil, id{1}, 1))
		}, slices.Concat(sealed, open), 1, 1},
		{"a flipped bit in the last record of a sealed one", func(t *testing.T, sealed, _ string, _ []int) { flip(t, sealed, -1) }, slices.Concat(sealed[:2], open), 1, 1},
		{"files of somebody else", func(t *testing.T, sealed, _ string, _ []int) {
			for _, name := range []string{"notes.txt", "0000.sealed", "0000000000000001.tmp"} {
				if err := os.WriteFile(filepath.Join(filepath.Dir(sealed), name), []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}, slices.Concat(sealed, open), 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, offsets := left(t)
			sealedFile, openFile := files(t, dir, sealedEnding)[0], files(t, dir, openEnding)[0]
			c.change(t, sealedFile, openFile, offsets)
			var damages []Damage
			cfg := slow
			cfg.Damaged = func(d Damage) { damages = append(damages, d) }
			s := openTest(t, dir, cfg)
			add(t, s, "after") // it goes on, and what comes is apart from what was damaged
			want(t, drained(t, s), append(slices.Clone(c.want), "after")...)
			if len(damages) != c.damage {
				t.Errorf("reported %v, not %d damages", damages, c.damage)
			}
			if aside := files(t, dir, damagedEnding); len(aside) != c.aside {
				t.Errorf("%d files are kept aside, not %d", len(aside), c.aside)
			}
			for _, path := range append(files(t, dir, openEnding), files(t, dir, sealedEnding)...) {
				if _, _, ours := parseSegmentName(filepath.Base(path)); ours {
					t.Errorf("%s stays behind", path)
				}
			}
			if bytes := s.Stats().Bytes; bytes != 0 {
				t.Errorf("an empty spool counts %d bytes", bytes)
			}
		})
	}
}

// Every prefix of what was written is what a kill may leave: each record whose end is in it survives, and only those.
func TestEveryCutLeavesWhatWasWhole(t *testing.T) {
	dir, offsets := left(t)
	whole := read(t, files(t, dir, openEnding)[0])
	name := filepath.Base(files(t, dir, openEnding)[0])
	ends := append(slices.Clone(offsets[1:]), len(whole))
	for n := range len(whole) + 1 {
		copied := t.TempDir()
		for path, text := range map[string][]byte{name: whole[:n], idName: read(t, filepath.Join(dir, idName))} {
			if err := os.WriteFile(filepath.Join(copied, path), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s := openTest(t, copied, slow)
		wanted := 0
		for _, end := range ends {
			if n >= end {
				wanted++
			}
		}
		if got := drained(t, s); len(got) != wanted {
			t.Errorf("cut at %d of %d bytes: %q", n, len(whole), got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADamagedIdentityIsRefused(t *testing.T) {
	for _, name := range []string{idName, reserveName} {
		dir, _ := left(t)
		if err := os.WriteFile(filepath.Join(dir, name), []byte("nonsense"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, slow); err == nil || !strings.Contains(err.Error(), "is damaged") {
			t.Errorf("a damaged %s: %v", name, err)
		}
	}
}

// FuzzScan: whatever a file holds, reading it ends, finds only records whose checksum holds, and accounts for every byte.
func FuzzScan(f *testing.F) {
	b := appendHeader(nil, id{}, 1)
	b = appendRecord(b, []byte("first"))
	b = appendRecord(b, []byte("second"))
	f.Add(b)
	f.Add(b[:len(b)-2])
	f.Fuzz(func(t *testing.T, b []byte) {
		records, damaged := scan("x", b, id{}, 1)
		bytes := min(headerSize, len(b))
		for _, r := range records {
			bytes += frameSize + len(r)
		}
		for _, d := range damaged {
			if d.Offset >= headerSize {
				bytes += d.Length
			}
		}
		if bytes != len(b) {
			t.Fatalf("%d of %d bytes are accounted for: %d records, %v", bytes, len(b), len(records), damaged)
		}
	})
}

// cut leaves the first n bytes of a file, or all but the last -n.
func cut(t *testing.T, path string, n int) {
	t.Helper()
	if n < 0 {
		n += len(read(t, path))
	}
	if err := os.Truncate(path, int64(n)); err != nil {
		t.Fatal(err)
	}
}

func grow(t *testing.T, path string, more []byte) {
	t.Helper()
	overwrite(t, path, len(read(t, path)), more)
}

func overwrite(t *testing.T, path string, offset int, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b, int64(offset)); err != nil {
		t.Fatal(err)
	}
}

// flip flips a bit of the byte at an offset, counted from the end where it is negative.
func flip(t *testing.T, path string, offset int) {
	t.Helper()
	b := read(t, path)
	if offset < 0 {
		offset += len(b)
	}
	overwrite(t, path, offset, []byte{b[offset] ^ 0x40})
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
