package spool

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
)

// badDisk is a disk that fails when a test tells it to.
type badDisk struct {
	room     int // bytes it still takes; negative for any
	short    bool
	syncs    error
	truncate error
}

func (b *badDisk) disk() disk {
	d := realDisk()
	return disk{
		write: func(f *os.File, p []byte) (int, error) {
			if b.room < 0 || len(p) <= b.room {
				if b.room >= 0 {
					b.room -= len(p)
				}
				return d.write(f, p)
			}
			n, err := d.write(f, p[:b.room])
			b.room = 0
			if err == nil && !b.short {
				err = syscall.ENOSPC
			}
			return n, err
		},
		sync: func(f *os.File) error {
			if b.syncs != nil {
				return b.syncs
			}
			return d.sync(f)
		},
		truncate: func(f *os.File, n int64) error {
			if b.truncate != nil {
				return b.truncate
			}
			return d.truncate(f, n)
		},
	}
}

func openBad(t *testing.T, dir string, b *badDisk) *Spool {
	t.Helper()
	s, err := open(dir, slow, b.disk())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// After every failure: none of the append is acknowledged, what was acknowledged before and after is there in order, and
// the spool's count of its bytes is right. A failed one may be there or not; its sender resends it.
func TestABadDiskLosesNothingAcknowledged(t *testing.T) {
	for _, c := range []struct {
		name string
		harm badDisk
		mend func(*badDisk)
	}{
		{"a full disk", badDisk{room: 0}, nil},
		{"a full disk in the middle of a record", badDisk{room: 11}, nil},
		{"a short write without an error", badDisk{room: 11, short: true}, nil},
		{"a full disk that cannot cut back", badDisk{room: 11, truncate: syscall.EIO}, nil},
		{"a failed fsync", badDisk{room: -1, syncs: syscall.EIO}, nil},
		{"a failed fsync that cannot cut back", badDisk{room: -1, syncs: syscall.EIO, truncate: syscall.EIO}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, first := range []bool{false, true} {
				dir, b := t.TempDir(), &badDisk{room: -1}
				s := openBad(t, dir, b)
				var acknowledged []string
				if !first { // else the failure is the first thing that happens
					add(t, s, "before-1", "before-2")
					acknowledged = []string{"before-1", "before-2"}
				}
				*b = c.harm
				for range 3 {
					if err := tryAdd(t, s, "failed-1", "failed-2"); err == nil {
						t.Fatal("the append was acknowledged")
					}
					if err := tryAdd(t, s); err == nil { // as /readyz asks
						t.Error("the spool says that it is well")
					}
				}
				*b = badDisk{room: -1}
				add(t, s, "after")
				if err := tryAdd(t, s); err != nil {
					t.Errorf("the spool says that it is not well: %v", err)
				}
				var got []string
				for _, r := range drained(t, s) {
					if r != "failed-1" && r != "failed-2" {
						got = append(got, r)
					}
				}
				want(t, got, append(acknowledged, "after")...)
				if bytes := s.Stats().Bytes; bytes != 0 {
					t.Errorf("an empty spool counts %d bytes", bytes)
				}
				if aside := files(t, dir, damagedEnding); c.harm.truncate == nil && len(aside) != 0 {
					t.Errorf("%v are damaged", aside)
				}
			}
		})
	}
}

// The process may die while the disk is still bad.
func TestAfterABadDiskTheNextProcessFindsWhatWasAcknowledged(t *testing.T) {
	for _, harm := range []badDisk{{room: 11}, {room: 11, truncate: syscall.EIO}, {room: -1, syncs: syscall.EIO, truncate: syscall.EIO}} {
		t.Run(fmt.Sprintf("%+v", harm), func(t *testing.T) {
			dir, b := t.TempDir(), &badDisk{room: -1}
			s := openBad(t, dir, b)
			add(t, s, "a", "b")
			*b = harm
			if err := tryAdd(t, s, "failed"); err == nil {
				t.Fatal("the append was acknowledged")
			}
			if err := s.Close(); err != nil && !errors.Is(err, syscall.EIO) {
				t.Fatal(err)
			}
			got := drained(t, openTest(t, dir, slow))
			if n := len(got); n == 3 && got[2] == "failed" {
				got = got[:2]
			}
			want(t, got, "a", "b")
		})
	}
}
