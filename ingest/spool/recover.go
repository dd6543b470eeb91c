package spool

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// recoverSegments makes the directory what it must be before anything is appended: every segment sealed, nothing torn.
func (s *Spool) recoverSegments() (highest uint64, err error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return 0, fmt.Errorf("read the spool: %w", err)
	}
	for _, entry := range entries {
		sequence, ending, ok := parseSegmentName(entry.Name())
		if !ok {
			continue
		}
		highest = max(highest, sequence)
		switch ending {
		case openEnding, spareEnding: // a spare one whose name as an open one did not last has records too
			err = s.recoverOpen(sequence, ending)
		case sealedEnding:
			err = s.found(sequence)
		}
		if err != nil {
			return 0, err
		}
	}
	slices.SortFunc(s.sealed, func(a, b *Sealed) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return highest, syncDir(s.dir)
}

// recoverOpen cuts a torn record, and what was prepared, off the segment that was being appended to, and seals it.
func (s *Spool) recoverOpen(sequence uint64, ending string) error {
	path := filepath.Join(s.dir, segmentName(sequence, ending))
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("recover the spool: %w", err)
	}
	records, damaged := scan(path, b, s.id, sequence)
	if len(records) == 0 && (len(b) <= headerSize+frameSize || isZero(b[headerSize:])) {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("recover the spool: %w", err)
		}
		return nil
	}
	if n := len(damaged); n > 0 && damaged[n-1].Offset+damaged[n-1].Length == len(b) && damaged[n-1].Offset >= headerSize {
		if err := truncate(path, int64(damaged[n-1].Offset)); err != nil {
			return err
		}
	}
	if err := os.Rename(path, filepath.Join(s.dir, segmentName(sequence, sealedEnding))); err != nil {
		return fmt.Errorf("recover the spool: %w", err)
	}
	return s.found(sequence)
}

// found adds a sealed segment to those that wait for the drain.
func (s *Spool) found(sequence uint64) error {
	path := filepath.Join(s.dir, segmentName(sequence, sealedEnding))
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("recover the spool: %w", err)
	}
	s.bytes += info.Size()
	s.sealed = append(s.sealed, &Sealed{Sequence: sequence, Since: info.ModTime(), spool: s, path: path, size: info.Size()})
	return nil
}

// truncate cuts a file and makes that last.
func truncate(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("recover the spool: %w", err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		return fmt.Errorf("recover the spool: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("recover the spool: %w", err)
	}
	return nil
}
