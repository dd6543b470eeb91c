package ingest

import (
	"context"
	"fmt"

	"muster/ingest/spool"
)

// load is one segment on its way into ClickHouse.
type load struct {
	segment  *spool.Sealed
	inserter *inserter
	token    string // names the segment for ever

	read       bool
	messages   []Message // distinct
	are        []identity
	repeats    int // messages that were there already
	rejected   []Rejected
	names      []newName
	broken     refused // records that are no messages
	refused    refused // broken ones, and what ClickHouse refuses
	identities bool    // something new was said about identifiers
	sifted     bool    // messages has none that the tables have
	stored     bool
}

func (d *Drain) newLoad(segment *spool.Sealed) *load {
	return &load{segment: segment, inserter: &d.inserter, token: fmt.Sprintf("%s/%d", d.spool.ID(), segment.Sequence)}
}

// store inserts what can be and puts aside what cannot. After an error it does the same again, under the same tokens.
func (l *load) store(ctx context.Context, refusedDir string) error {
	if !l.read {
		if err := l.parse(); err != nil {
			return err
		}
	}
	if !l.sifted {
		if err := l.sift(ctx); err != nil {
			return err
		}
	}
	l.refused = append(refused(nil), l.broken...)
	if err := l.insert(ctx, l.token, l.messages); err != nil {
		return err
	}
	if err := l.inserter.insertNames(ctx, l.token, l.names); err != nil {
		return err
	}
	if err := l.inserter.insertRejected(ctx, l.token, l.rejected); err != nil {
		return err
	}
	if err := l.refused.write(refusedDir, l.token); err != nil {
		return err
	}
	l.inserter.recent.remember(l.are)
	l.stored = true
	return nil
}

// parse reads the segment's records.
func (l *load) parse() error {
	l.messages, l.rejected, l.names, l.broken = nil, nil, nil, nil
	for record, err := range l.segment.Records() {
		if err != nil {
			return err
		}
		if err := l.add(record); err != nil {
			l.broken.add(record, err)
		}
	}
	l.read = true
	return nil
}

// sift leaves out the messages that are there already.
func (l *load) sift(ctx context.Context) error {
	if l.are == nil { // else an attempt before came so far
		l.messages, l.are, l.repeats = l.inserter.recent.distinct(l.messages)
	}
	fresh, err := l.inserter.withoutStored(ctx, l.messages, l.inserter.recent.since)
	if err != nil {
		return err
	}
	l.repeats += len(l.messages) - len(fresh)
	l.messages, l.sifted = fresh, true
	return nil
}

// add reads one record, whose first byte tells what it keeps.
func (l *load) add(record []byte) error {
	version := byte(0)
	if len(record) > 0 {
		version = record[0]
	}
	switch version {
	case rejectedVersion:
		r, err := parseRejected(record)
		if err == nil {
			l.rejected = append(l.rejected, r)
		}
		return err
	case namesVersion:
		names, err := parseNames(record)
		l.names = append(l.names, names...)
		return err
	}
	m, err := ParseRecord(record)
	if err == nil {
		l.messages = append(l.messages, m)
	}
	return err
}

// insert inserts the messages. Where ClickHouse refuses what they say it halves them, until the ones to blame stand alone
// and can be put aside: one bad message must not hold back the others.
func (l *load) insert(ctx context.Context, token string, messages []Message) error {
	identities, err := l.inserter.insert(ctx, token, messages)
	l.identities = l.identities || identities
	switch {
	case err == nil || !refusesData(err):
		return err
	case len(messages) == 1:
		l.refused.add(AppendRecord(nil, &messages[0]), err)
		return nil
	}
	half := len(messages) / 2
	if err := l.insert(ctx, token+"/0", messages[:half]); err != nil {
		return err
	}
	return l.insert(ctx, token+"/1", messages[half:])
}
