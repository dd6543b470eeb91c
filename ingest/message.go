package ingest

import (
	"crypto/sha256"
	"encoding/binary"

	"muster"
)

// The limits of the tracking API. Lengths are in bytes unless said otherwise.
const (
	MaxBody       = 500 << 10 // of a request, after inflation
	MaxMessages   = 2500      // in one batch
	MaxMessage    = 32 << 10  // of one message, with the top-level context it inherits
	MaxProperties = 10_000    // in one message, after flattening
	MaxID         = 512       // of a user id, anonymous id, previous id, group id or message id
	MaxEvent      = 200       // characters, of an event's name
	MaxName       = 256       // of a property's or attribute's dotted name
	MaxText       = 700       // characters, of an attribute's text and of each element of its list
)

// Type is what a message says. Its numbers are stored in the spool; they never change.
type Type uint8

// The types of messages.
const (
	Identify Type = 1
	Track    Type = 2
	Page     Type = 3
	Screen   Type = 4
	Group    Type = 5
	Alias    Type = 6

	// Statement is what people say about a user who is known: attributes alone. Nothing was done, so it is no event, and no
	// sender can make one.
	Statement Type = 7
)

// typeOf reads the name a client gives a type.
func typeOf(name string) (Type, bool) {
	switch name {
	case "identify":
		return Identify, true
	case "track":
		return Track, true
	case "page":
		return Page, true
	case "screen":
		return Screen, true
	case "group":
		return Group, true
	case "alias":
		return Alias, true
	}
	return 0, false
}

// Message is one accepted message, ready for the tables. Texts are kept byte for byte.
type Message struct {
	Project     muster.ProjectID
	Type        Type
	UserID      string // or empty; at least one of UserID and AnonymousID is given
	AnonymousID string // or empty
	PreviousID  string // of an alias: the user id that is another name of UserID
	Event       string // the event's name; "$identify" and the like for what is not tracked by name
	MessageID   string // never empty
	Timestamp   int64  // the client's own, in unix milliseconds; 0 when it gave none, so that a retry has the same
	Time        int64  // Timestamp corrected for the client's clock, or the receipt, in unix milliseconds
	Received    int64  // by our clock, in unix microseconds; orders the messages of a process strictly
	Properties  string // a flat JSON object, its names encoded by [muster.PropertyKey]
	Context     string // a JSON object as it came
	Attributes  []Attribute
}

// Attribute is one fact a message states about its user.
type Attribute struct {
	Name   string
	Source Source
	Kind   Kind
	Text   string // of kind text; "true" or "false" of kind boolean
	Number float64
	List   []string
}

// removal is the fact that whatever else is custom of its user is unset: a null of all the attributes a message does not name. It is
// kept as the attribute without a name, which none is sent with. What it means for the others is told when they are read.
var removal = Attribute{Source: Custom, Kind: Null}

// Source tells where an attribute comes from; the numbers are those of the tables.
type Source uint8

// The sources.
const (
	Native      Source = 1
	Custom      Source = 2
	Import      Source = 3
	Integration Source = 4
)

// Kind is the kind of an attribute's value; the numbers are those of the tables.
type Kind uint8

// The kinds. Null unsets the attribute.
const (
	Null    Kind = 0
	Text    Kind = 1
	Number  Kind = 2
	Boolean Kind = 3
	List    Kind = 4
)

// Actor is who the message belongs to: its user when it names one, else the anonymous visitor.
func (m *Message) Actor() muster.Actor {
	if m.UserID != "" {
		return muster.NewActor(m.Project, muster.Identified, m.UserID)
	}
	return muster.NewActor(m.Project, muster.Anonymous, m.AnonymousID)
}

// Hash is the message's number in the tables' keys: the first eight bytes, big-endian, of the SHA-256 of its id.
func (m *Message) Hash() uint64 {
	sum := sha256.Sum256([]byte(m.MessageID))
	return binary.BigEndian.Uint64(sum[:8])
}
