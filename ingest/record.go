package ingest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"muster"
)

// recordVersion is the first byte of a record. A record of another version is refused, never guessed at.
const recordVersion = 1

// errRecord is wrapped by every error of [ParseRecord].
var errRecord = errors.New("not a message record")

// AppendRecord appends the message as the spool keeps it and returns the extended buffer:
//
//	version, type: one byte each
//	project: uvarint;  timestamp, time, received: varint
//	user id, anonymous id, previous id, event, message id, properties, context: text
//	number of attributes: uvarint, then each: source, kind: one byte; name: text; value
//
// where text is a uvarint length and its bytes, and a value is a text (kinds text and boolean), eight bytes of IEEE 754
// little-endian (number), a uvarint count of texts (list), or nothing (null).
func AppendRecord(buf []byte, m *Message) []byte {
	buf = append(buf, recordVersion, byte(m.Type))
	buf = binary.AppendUvarint(buf, uint64(m.Project))
	buf = binary.AppendVarint(buf, m.Timestamp)
	buf = binary.AppendVarint(buf, m.Time)
	buf = binary.AppendVarint(buf, m.Received)
	buf = appendText(buf, m.UserID)
	buf = appendText(buf, m.AnonymousID)
	buf = appendText(buf, m.PreviousID)
	buf = appendText(buf, m.Event)
	buf = appendText(buf, m.MessageID)
	buf = appendText(buf, m.Properties)
	buf = appendText(buf, m.Context)
	buf = binary.AppendUvarint(buf, uint64(len(m.Attributes)))
	for i := range m.Attributes {
		a := &m.Attributes[i]
		buf = append(buf, byte(a.Source), byte(a.Kind))
		buf = appendText(buf, a.Name)
		switch a.Kind {
		case Null:
		case Text, Boolean:
			buf = appendText(buf, a.Text)
		case Number:
			buf = binary.LittleEndian.AppendUint64(buf, math.Float64bits(a.Number))
		case List:
			buf = binary.AppendUvarint(buf, uint64(len(a.List)))
			for _, text := range a.List {
				buf = appendText(buf, text)
			}
		}
	}
	return buf
}

func appendText(buf []byte, text string) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(text)))
	return append(buf, text...)
}

// ParseRecord reads what [AppendRecord] wrote. The message shares nothing with the record.
func ParseRecord(record []byte) (Message, error) {
	var m Message
	r := recordReader{rest: string(record)} // one copy; every text is a part of it
	if version := r.byte(); version != recordVersion {
		return m, fmt.Errorf("%w: version %d is unknown", errRecord, version)
	}
	m.Type = Type(r.byte())
	project := r.uvarint()
	m.Project = muster.ProjectID(project)
	m.Timestamp, m.Time, m.Received = r.varint(), r.varint(), r.varint()
	for _, text := range []*string{&m.UserID, &m.AnonymousID, &m.PreviousID, &m.Event, &m.MessageID, &m.Properties, &m.Context} {
		*text = r.text()
	}
	// A count is not believed before its items are there: each takes at least three bytes.
	attributes := r.count(3)
	if attributes > 0 {
		m.Attributes = make([]Attribute, 0, attributes)
	}
	for range attributes {
		m.Attributes = append(m.Attributes, r.attribute())
	}
	return m, r.end(m.Type < Identify || m.Type > Statement || project > math.MaxUint32 ||
		slices.ContainsFunc(m.Attributes, func(a Attribute) bool {
			return a.Kind > List || a.Source < Native || a.Source > Integration
		}))
}

// recordReader takes a record apart. Once it is broken every read returns nothing.
type recordReader struct {
	rest   string
	broken bool
}

func (r *recordReader) take(n int) string {
	if n < 0 || n > len(r.rest) {
		r.broken, r.rest = true, ""
		return ""
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *recordReader) byte() byte {
	if b := r.take(1); b != "" {
		return b[0]
	}
	return 0
}

func (r *recordReader) uvarint() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		b := r.byte()
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
	r.broken = true
	return 0
}

func (r *recordReader) varint() int64 {
	n := r.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

func (r *recordReader) text() string { return r.take(r.count(1)) }

// count reads a number of items of at least size bytes each.
func (r *recordReader) count(size uint64) int {
	n := r.uvarint()
	if n > uint64(len(r.rest))/size {
		r.broken, r.rest = true, ""
		return 0
	}
	return int(n)
}

func (r *recordReader) attribute() Attribute {
	a := Attribute{Source: Source(r.byte()), Kind: Kind(r.byte()), Name: r.text()}
	switch a.Kind {
	case Null:
	case Text, Boolean:
		a.Text = r.text()
	case Number:
		if bits := r.take(8); bits != "" {
			a.Number = math.Float64frombits(binary.LittleEndian.Uint64([]byte(bits)))
		}
	case List:
		a.List = make([]string, r.count(1))
		for i := range a.List {
			a.List[i] = r.text()
		}
	}
	return a
}
