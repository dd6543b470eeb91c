package membership

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
)

// ClickHouse writes the state of groupBitmap over UInt32 as one byte, and then either
//
//	0: the number of uids, up to 32, as a varint, and each uid in 4 bytes, little-endian
//	1: the number of bytes that follow, as a varint, and a roaring bitmap in its portable format
const (
	fewUIDs  = 0
	manyUIDs = 1
)

// Decode reads a bitmap as ClickHouse writes the state of one: what toString makes of it.
func Decode(state string) (*roaring.Bitmap, error) {
	if state == "" {
		return nil, errors.New("the state of a bitmap is empty")
	}
	length, n := binary.Uvarint([]byte(state[1:min(len(state), 1+binary.MaxVarintLen64)]))
	if n <= 0 {
		return nil, errors.New("the state of a bitmap has no length")
	}
	rest := []byte(state[1+n:])
	b := roaring.New()
	switch state[0] {
	case fewUIDs:
		if uint64(len(rest)) != 4*length {
			return nil, fmt.Errorf("the state of a bitmap has %d bytes for %d uids", len(rest), length)
		}
		for ; len(rest) > 0; rest = rest[4:] {
			b.Add(binary.LittleEndian.Uint32(rest))
		}
	case manyUIDs:
		if uint64(len(rest)) != length {
			return nil, fmt.Errorf("the state of a bitmap has %d bytes, not %d", len(rest), length)
		}
		if err := b.UnmarshalBinary(rest); err != nil {
			return nil, fmt.Errorf("read the state of a bitmap: %w", err)
		}
	default:
		return nil, fmt.Errorf("the state of a bitmap begins with %d", state[0])
	}
	return b, nil
}

// Encode writes a bitmap as ClickHouse reads the state of one: what a cast makes of the text.
func Encode(b *roaring.Bitmap) (string, error) {
	body, err := b.ToBytes()
	if err != nil {
		return "", fmt.Errorf("write the state of a bitmap: %w", err)
	}
	state := binary.AppendUvarint([]byte{manyUIDs}, uint64(len(body)))
	return string(append(state, body...)), nil
}
