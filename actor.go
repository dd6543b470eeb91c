package muster

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
)

// ProjectID numbers a project, the tenant nothing is ever visible across.
type ProjectID uint32

// ActorKind tells what sort of identifier an actor is.
type ActorKind uint8

// The kinds of actors. Their numbers are stored; they never change.
const (
	Anonymous  ActorKind = 1
	Identified ActorKind = 2
)

// Identifier is one identifier that sends traffic, as it was sent.
type Identifier struct {
	Kind ActorKind
	ID   string // byte for byte
}

// Actor is one identifier that sends traffic, as the 64-bit hash of its project, its kind and its id. Zero is no actor.
type Actor uint64

// NewActor hashes an identifier. The hash is the first eight bytes, big-endian, of the SHA-256 of the project (four
// bytes, big-endian), the kind (one byte) and the id byte for byte: ids come from outside, and nobody must be able to
// find one that hashes like another's. The lowest bit tells the kind: it is set for anonymous actors, so that a query
// knows them without a look-up.
func NewActor(project ProjectID, kind ActorKind, id string) Actor {
	buf := make([]byte, 0, 64)
	buf = binary.BigEndian.AppendUint32(buf, uint32(project))
	buf = append(buf, byte(kind))
	buf = append(buf, id...)
	sum := sha256.Sum256(buf)
	hash := binary.BigEndian.Uint64(sum[:8])
	if kind == Anonymous {
		return Actor(hash | 1)
	}
	return Actor(max(hash&^1, 2))
}

// String prints the actor as 16 hexadecimal digits, the form used in addresses.
func (a Actor) String() string { return fmt.Sprintf("%016x", uint64(a)) }

// ParseActor reads what [Actor.String] printed.
func ParseActor(s string) (Actor, error) {
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil || len(s) != 16 || n == 0 {
		return 0, &Error{
			Code: InvalidArgument, Detail: fmt.Sprintf("%q is not the address of a user", s),
			Hint: "use the 16 hexadecimal digits in the \"user\" field of a list",
		}
	}
	return Actor(n), nil
}
