package spool

import (
	"errors"
	"os"
	"path/filepath"
)

const (
	leastRoom = 64 << 10
	firstRoom = 1 << 20
)

// spares prepares segments before they are needed: named, with their header, and as long as they will be about, of zeros that
// are on the disk. Appending to such a file changes neither its length nor its place, so fsyncing it is not an entry in the
// file system's journal, and does not wait for what others - ClickHouse's merges, of many megabytes - have to write before the
// journal may. That wait was up to a third of a second.
type spares struct {
	made chan spare // of the one that is being made; nil while none is
	room int64      // of the next, in bytes; zero for firstRoom
}

// spare is a prepared segment.
type spare struct {
	file     *os.File // at the end of the header; nil where it could not be made
	sequence uint64
	room     int64 // the file's length
}

// learn takes in how long a segment became: the next ones have room for twice as much, as long as there is traffic for it.
func (p *spares) learn(size, most int64) {
	p.room = min(max(2*size, p.room/2, leastRoom), most+leastRoom)
}

// prepare begins to make a segment, unless one is being made. It reports whether the sequence number is used.
func (p *spares) prepare(s *Spool, sequence uint64) bool {
	if p.made != nil {
		return false
	}
	if p.room == 0 {
		p.room = firstRoom
	}
	made, room := make(chan spare, 1), p.room
	p.made = made
	go func() {
		segment := makeSpare(s, sequence, room)
		made <- segment
		if s.cfg.prepared != nil && segment.file != nil {
			s.cfg.prepared(segment.file.Name())
		}
	}()
	return true
}

// take returns the prepared segment, if it is ready and comes after another in the order of segments.
func (p *spares) take(after uint64) (spare, bool) {
	select {
	case made := <-p.made: // never, while none is being made
		p.made = nil
		if made.file != nil && made.sequence > after {
			return made, true
		}
		made.drop()
	default:
	}
	return spare{}, false
}

// drop waits for the segment that is being made, and removes it.
func (p *spares) drop() {
	if p.made != nil {
		made := <-p.made
		made.drop()
	}
}

// makeSpare makes a segment that lasts. Where it cannot, nobody misses it.
func makeSpare(s *Spool, sequence uint64, room int64) spare {
	path := filepath.Join(s.dir, segmentName(sequence, spareEnding))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return spare{}
	}
	made := spare{f, sequence, room}
	_, err = f.Write(appendHeader(make([]byte, 0, headerSize), s.id, sequence))
	zeros := make([]byte, 256<<10)
	for left := room - headerSize; left > 0 && err == nil; left -= int64(len(zeros)) {
		_, err = f.Write(zeros[:min(left, int64(len(zeros)))])
	}
	if err == nil {
		_, err = f.Seek(headerSize, 0)
	}
	if errors.Join(err, f.Sync(), syncDir(s.dir)) != nil {
		made.drop()
		return spare{}
	}
	return made
}

// drop removes a segment that nothing was appended to.
func (p spare) drop() {
	if p.file != nil {
		_ = p.file.Close()
		_ = os.Remove(p.file.Name())
	}
}
