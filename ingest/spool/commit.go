package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// maxGroup bounds the bytes of one group commit.
const maxGroup = 8 << 20

const (
	// behindPause is how long an old segment stays open before it is asked again whether the drain has caught up. While it is
	// busy, sealing would only make many small inserts of one large one.
	behindPause = 20 * time.Millisecond
	// The drain rests restFactor times as long as it was at its segments, but not longer than longestRest, before it gets one
	// that is only old: an insert costs ClickHouse much, whatever is in it, and merges after that; the door needs the machine
	// as well. A full segment is sealed at once.
	restFactor  = 2
	longestRest = time.Second
)

// request is one append, or the wish to seal.
type request struct {
	records [][]byte
	seal    bool
	last    bool // the committer ends after it
	done    chan error
}

// committer is the only writer. Appends that come while it is at the disk are one group: one write, one fsync.
type committer struct {
	spool *Spool
	next  uint64 // sequence number of the next segment

	file     *os.File // the active segment, if any
	sequence uint64
	size     int64
	room     int64 // the length of its file, where that was prepared; else zero
	spares   spares
	buffer   []byte
	timer    *time.Timer // seals the active segment when it is old
}

func (c *committer) run() {
	defer close(c.spool.committed)
	c.timer = time.NewTimer(time.Hour)
	defer c.timer.Stop()
	for {
		select {
		case r := <-c.spool.requests:
			if c.serve(r) {
				c.spares.drop()
				return
			}
		case <-c.timer.C:
			if c.file == nil {
				continue
			}
			if pause := c.spool.pause(time.Now()); pause > 0 {
				c.timer.Reset(pause)
				continue
			}
			c.note(c.seal())
		}
	}
}

// serve commits a request and all that wait with it. It reports whether the committer must end.
func (c *committer) serve(first *request) (last bool) {
	// Who is about to append does so first: one fsync for many costs everybody less, and when nobody is, this costs nothing.
	runtime.Gosched()
	var group []*request
	size := 0
	for r := first; r != nil; {
		if r.seal {
			c.commit(group)
			err := c.seal()
			c.note(err)
			r.done <- err
			return r.last
		}
		group = append(group, r)
		for _, record := range r.records {
			size += frameSize + len(record)
		}
		r = nil
		if size < maxGroup {
			select {
			case r = <-c.spool.requests:
			default:
			}
		}
	}
	c.commit(group)
	if c.size >= c.spool.cfg.SegmentBytes {
		c.note(c.seal())
	}
	return false
}

// commit writes and fsyncs a group and answers it.
func (c *committer) commit(group []*request) {
	if len(group) == 0 {
		return
	}
	c.buffer = c.buffer[:0]
	records := 0
	for _, r := range group {
		for _, record := range r.records {
			c.buffer = appendRecord(c.buffer, record)
		}
		records += len(r.records)
	}
	err := c.write()
	c.note(err)
	if err == nil {
		c.spool.mu.Lock()
		c.spool.appended += uint64(records)
		c.spool.mu.Unlock()
	}
	for _, r := range group {
		r.done <- err
	}
	if cap(c.buffer) > 2*maxGroup {
		c.buffer = nil
	}
}

// write puts the buffer behind what is in the active segment. After an error nothing of it is there, or the segment is
// given up: what a failed fsync left on the disk nobody knows.
func (c *committer) write() error {
	if c.file == nil {
		if err := c.begin(); err != nil {
			return err
		}
	}
	n, err := c.spool.disk.write(c.file, c.buffer)
	if err == nil && n < len(c.buffer) {
		err = fmt.Errorf("%d of %d bytes were written", n, len(c.buffer))
	}
	if err != nil {
		err = fmt.Errorf("append to the spool: %w", err)
		if undo := c.cutBack(); undo != nil {
			return errors.Join(err, undo, c.seal())
		}
		return err
	}
	if err := c.spool.disk.sync(c.file); err != nil {
		return errors.Join(fmt.Errorf("fsync the spool: %w", err), c.cutBack(), c.seal())
	}
	c.size += int64(len(c.buffer))
	return nil
}

// cutBack removes what a failed write left behind.
func (c *committer) cutBack() error {
	if err := c.spool.disk.truncate(c.file, c.size); err != nil {
		return fmt.Errorf("cut back the spool: %w", err)
	}
	if _, err := c.file.Seek(c.size, 0); err != nil {
		return fmt.Errorf("cut back the spool: %w", err)
	}
	return nil
}

// begin makes the next segment the active one: a prepared one where there is one, else a new one.
func (c *committer) begin() error {
	if spare, ok := c.spares.take(c.sequence); ok {
		if err := os.Rename(spare.file.Name(), filepath.Join(c.spool.dir, segmentName(spare.sequence, openEnding))); err == nil {
			c.began(spare.file, spare.sequence)
			c.room = spare.room
			return nil
		}
		spare.drop()
	}
	path := filepath.Join(c.spool.dir, segmentName(c.next, openEnding))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("begin a spool segment: %w", err)
	}
	header := appendHeader(nil, c.spool.id, c.next)
	n, err := c.spool.disk.write(f, header)
	if err == nil && n < len(header) {
		err = fmt.Errorf("%d of %d bytes were written", n, len(header))
	}
	if err == nil {
		err = syncDir(c.spool.dir)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("begin a spool segment: %w", err), f.Close(), os.Remove(path))
	}
	c.next++
	c.began(f, c.next-1)
	return nil
}

// began makes a file with nothing but its header the active segment, and has the one after it prepared.
func (c *committer) began(f *os.File, sequence uint64) {
	c.file, c.sequence, c.size, c.room = f, sequence, headerSize, 0
	c.timer.Reset(c.spool.cfg.SealAfter)
	c.spool.mu.Lock()
	c.spool.active = time.Now()
	c.spool.bytes += headerSize
	c.spool.mu.Unlock()
	if !c.spool.cfg.plain && c.spares.prepare(c.spool, c.next) {
		c.next++
	}
}

// seal ends the active segment and gives it to the drain.
func (c *committer) seal() error {
	if c.file == nil {
		return nil
	}
	s := c.spool
	var err error
	if c.room > c.size {
		err = s.disk.truncate(c.file, c.size)
	}
	// The new name need not last: a segment found as an open one has the same records.
	path := filepath.Join(s.dir, segmentName(c.sequence, sealedEnding))
	err = errors.Join(err, c.file.Close(), os.Rename(filepath.Join(s.dir, segmentName(c.sequence, openEnding)), path))
	c.spares.learn(c.size, s.cfg.SegmentBytes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = append(s.sealed, &Sealed{Sequence: c.sequence, Since: s.active, spool: s, path: path, size: c.size})
	s.active = time.Time{}
	s.announce()
	c.file = nil
	if err != nil {
		return fmt.Errorf("seal a spool segment: %w", err)
	}
	return nil
}

// note keeps how the last commit went.
func (c *committer) note(err error) {
	c.spool.mu.Lock()
	defer c.spool.mu.Unlock()
	c.spool.failure = err
}
