package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

const (
	headerSize = 8 + 16 + 8 + 4 // magic, spool id, sequence, checksum
	frameSize  = 4 + 4          // length, checksum
	// MaxRecord is the longest record, in bytes.
	MaxRecord = 1 << 20
)

var (
	magic      = []byte("MUSTSPL1")
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// id is the spool's identity, made once for its directory.
type id [16]byte

func appendHeader(b []byte, spool id, sequence uint64) []byte {
	start := len(b)
	b = append(b, magic...)
	b = append(b, spool[:]...)
	b = binary.LittleEndian.AppendUint64(b, sequence)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// checkHeader tells what is wrong with the beginning of a segment.
func checkHeader(b []byte, spool id, sequence uint64) error {
	if len(b) < headerSize {
		return errors.New("the header is cut off")
	}
	if !bytes.Equal(b[:headerSize], appendHeader(nil, spool, sequence)) {
		return errors.New("the header is not this segment's")
	}
	return nil
}

func appendRecord(b, payload []byte) []byte {
	length := binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))
	b = append(b, length...)
	b = binary.LittleEndian.AppendUint32(b, checksum(length, payload))
	return append(b, payload...)
}

func checksum(length, payload []byte) uint32 {
	return crc32.Update(crc32.Checksum(length, castagnoli), castagnoli, payload)
}

// recordAt returns the payload of the record that begins at an offset, if a whole one does.
func recordAt(b []byte, offset int) (payload []byte, ok bool) {
	if len(b)-offset < frameSize {
		return nil, false
	}
	length := binary.LittleEndian.Uint32(b[offset:])
	if length > MaxRecord || uint64(length) > uint64(len(b)-offset-frameSize) {
		return nil, false
	}
	payload = b[offset+frameSize : offset+frameSize+int(length)]
	return payload, checksum(b[offset:offset+4], payload) == binary.LittleEndian.Uint32(b[offset+4:])
}

// Damage is a part of a segment that holds no whole record.
type Damage struct {
	Segment string // the file
	Offset  int    // in bytes
	Length  int
	Reason  string
}

// String says the damage in one line.
func (d Damage) String() string {
	return fmt.Sprintf("%s: %d bytes at offset %d are damaged: %s", d.Segment, d.Length, d.Offset, d.Reason)
}

// scan finds the whole records of a segment's bytes. After damage it looks for the next place where a whole record
// begins, so that one flipped bit costs one record.
func scan(name string, b []byte, spool id, sequence uint64) (records [][]byte, damaged []Damage) {
	offset := min(headerSize, len(b))
	if err := checkHeader(b, spool, sequence); err != nil {
		damaged = append(damaged, Damage{name, 0, offset, err.Error()})
	}
	for offset < len(b) {
		if payload, ok := recordAt(b, offset); ok {
			records = append(records, payload)
			offset += frameSize + len(payload)
			continue
		}
		from := offset
		for offset++; offset < len(b); offset++ {
			if _, ok := recordAt(b, offset); ok {
				break
			}
		}
		damaged = append(damaged, Damage{name, from, offset - from, "no whole record begins here"})
	}
	return records, damaged
}

// isZero tells whether there is nothing but zeros: what a file system leaves where nothing was written.
func isZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }
