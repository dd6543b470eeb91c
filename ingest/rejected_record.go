package ingest

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/google/uuid"

	"muster"
)

// rejectedVersion is the first byte of a record that keeps a rejected message.
const rejectedVersion = 2

// Rejected is a message that was not accepted, with all that decoding it again needs.
type Rejected struct {
	ID       uuid.UUID
	Project  muster.ProjectID
	Received int64 // in unix microseconds
	Path     Type  // the type its address says, or 0 where the message itself must say it
	SentAt   *int64
	Code     RejectCode
	Detail   string
	Pointer  string // JSON Pointer into the body it came in
	Context  string // what the batch shares: an object, or empty
	Message  string // its JSON, as it came
	Whole    bool   // Message is all of it; a larger one is cut and cannot be replayed
}

// appendRejected appends the rejected message as the spool keeps it and returns the extended buffer:
//
//	version, path, 1 when the message is whole, 1 when sentAt is known: one byte each
//	id: 16 bytes;  project: uvarint;  received, sentAt: varint
//	code, detail, pointer, context, message: text
func appendRejected(buf []byte, r *Rejected) []byte {
	buf = append(buf, rejectedVersion, byte(r.Path), boolByte(r.Whole), boolByte(r.SentAt != nil))
	buf = append(buf, r.ID[:]...)
	buf = binary.AppendUvarint(buf, uint64(r.Project))
	buf = binary.AppendVarint(buf, r.Received)
	sentAt := int64(0)
	if r.SentAt != nil {
		sentAt = *r.SentAt
	}
	buf = binary.AppendVarint(buf, sentAt)
	for _, text := range []string{string(r.Code), r.Detail, r.Pointer, r.Context, r.Message} {
		buf = appendText(buf, text)
	}
	return buf
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// parseRejected reads what [appendRejected] wrote. The message shares nothing with the record.
func parseRejected(record []byte) (Rejected, error) {
	var m Rejected
	r := recordReader{rest: string(record)}
	if version := r.byte(); version != rejectedVersion {
		return m, fmt.Errorf("%w: version %d keeps no rejected message", errRecord, version)
	}
	m.Path = Type(r.byte())
	whole, hasSent := r.byte(), r.byte()
	copy(m.ID[:], r.take(len(m.ID)))
	project := r.uvarint()
	m.Project, m.Received = muster.ProjectID(project), r.varint()
	if sentAt := r.varint(); hasSent == 1 {
		m.SentAt = &sentAt
	}
	m.Code = RejectCode(r.text())
	m.Whole = whole == 1
	for _, text := range []*string{&m.Detail, &m.Pointer, &m.Context, &m.Message} {
		*text = r.text()
	}
	return m, r.end(m.Path > Alias || whole > 1 || hasSent > 1 || project > math.MaxUint32)
}

// end is the error of a record that did not end where it should, or says what cannot be.
func (r *recordReader) end(impossible bool) error {
	switch {
	case r.broken:
		return fmt.Errorf("%w: it ends too early", errRecord)
	case r.rest != "":
		return fmt.Errorf("%w: %d bytes too many", errRecord, len(r.rest))
	case impossible:
		return fmt.Errorf("%w: it says what cannot be", errRecord)
	}
	return nil
}
