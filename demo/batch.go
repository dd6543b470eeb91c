package demo

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"iter"
)

// The limits of the tracking API, in messages and bytes.
const (
	maxBatch   = 2500
	maxMessage = 32 << 10
	maxBody    = 500 << 10 // before it is compressed
)

// batch is the body of one request.
type batch struct {
	json []byte
	ids  []string // of its messages
}

const (
	batchHead = `{"batch":[`
	batchTail = `]}`
)

// id names a message by its place; the place is the service's word.
func (b batch) id(place int) string {
	if place < 0 || place >= len(b.ids) {
		return fmt.Sprintf("message %d of a batch of %d", place, len(b.ids))
	}
	return b.ids[place]
}

func (b batch) compressed() ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("compress a batch: %w", err)
	}
	if _, err = w.Write(b.json); err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compress a batch: %w", err)
	}
	return out.Bytes(), nil
}

// pack makes batches of messages, of at most size messages and maxBody bytes, and gives them to send one by one.
func pack(messages iter.Seq[Message], size int, send func(batch) error) error {
	var b batch
	var text []byte
	flush := func() error {
		full := b
		full.json = append(full.json, batchTail...)
		b = batch{}
		return send(full)
	}
	for m := range messages {
		var err error
		if text, err = m.AppendJSON(text[:0]); err != nil {
			return err
		}
		if len(text) > maxMessage {
			return fmt.Errorf("message %s has %d bytes; at most %d are taken", m.MessageID, len(text), maxMessage)
		}
		if len(b.ids) == size || len(b.json)+len(",")+len(text)+len(batchTail) > maxBody {
			if err := flush(); err != nil {
				return err
			}
		}
		if len(b.ids) == 0 {
			b.json = append(b.json, batchHead...)
		} else {
			b.json = append(b.json, ',')
		}
		b.json = append(b.json, text...)
		b.ids = append(b.ids, m.MessageID)
	}
	if len(b.ids) == 0 {
		return nil
	}
	return flush()
}
