package spool

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Endings of the directory's files.
const (
	spareEnding   = ".next"
	openEnding    = ".open"
	sealedEnding  = ".sealed"
	damagedEnding = ".damaged"
	lockName      = "lock"
	idName        = "id"
	reserveName   = "sequence"
)

// reserve is how many sequence numbers an opening sets aside: the next one begins after them, so a number is never given
// out twice, though the files that bore it are gone.
const reserve = 1 << 32

// disk is what can go wrong with files, so that tests can make it go wrong.
type disk struct {
	write    func(*os.File, []byte) (int, error)
	sync     func(*os.File) error
	truncate func(*os.File, int64) error
}

func realDisk() disk {
	return disk{write: (*os.File).Write, sync: syncData, truncate: (*os.File).Truncate}
}

// lock keeps other processes out of the directory until the file is closed.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the spool: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("the data directory %s is in use by another muster: stop that one, or choose another --data-dir",
				filepath.Dir(dir))
		}
		return nil, fmt.Errorf("lock the spool: %w", err)
	}
	return f, nil
}

// openID reads the spool's identity, or makes it.
func openID(dir string) (id, error) {
	var spool id
	path := filepath.Join(dir, idName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := rand.Read(spool[:]); err != nil {
			return spool, fmt.Errorf("make the spool's id: %w", err)
		}
		return spool, replaceFile(path, []byte(hex.EncodeToString(spool[:])+"\n"))
	}
	if err != nil {
		return spool, fmt.Errorf("read the spool's id: %w", err)
	}
	if n, err := hex.Decode(spool[:], []byte(strings.TrimSpace(string(text)))); err != nil || n != len(spool) {
		return spool, fmt.Errorf("%s is damaged: it should be 32 hexadecimal digits; if no segments are left, remove it", path)
	}
	return spool, nil
}

// reserveSequences returns the first number of a range that no opening before has used.
func reserveSequences(dir string, highest uint64) (uint64, error) {
	path := filepath.Join(dir, reserveName)
	text, err := os.ReadFile(path)
	next := highest + 1
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return 0, fmt.Errorf("read the spool's next sequence: %w", err)
	default:
		reserved, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s is damaged: %w", path, err)
		}
		next = max(next, reserved)
	}
	return next, replaceFile(path, []byte(strconv.FormatUint(next+reserve, 10)+"\n"))
}

// replaceFile writes a small file so that after a crash it has either the old text or the new.
func replaceFile(path string, text []byte) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes what was created, renamed and removed in a directory last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

func segmentName(sequence uint64, ending string) string {
	return fmt.Sprintf("%016x%s", sequence, ending)
}

// parseSegmentName returns the sequence number and the ending of a segment's file.
func parseSegmentName(name string) (sequence uint64, ending string, ok bool) {
	digits, ending := name, ""
	if i := strings.IndexByte(name, '.'); i >= 0 {
		digits, ending = name[:i], name[i:]
	}
	sequence, err := strconv.ParseUint(digits, 16, 64)
	return sequence, ending, err == nil && len(digits) == 16
}
