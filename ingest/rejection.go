package ingest

import (
	"fmt"

	"muster"
)

// RejectCode is the stable name of why one message was rejected.
type RejectCode string

// The codes of rejected messages.
const (
	RejectInvalidJSON       RejectCode = "invalid_json"            // not JSON, or a text that is not UTF-8
	RejectDuplicateKey      RejectCode = "duplicate_key"           // a key stands twice in one object
	RejectTooLarge          RejectCode = "message_too_large"       // over MaxMessage
	RejectInvalidType       RejectCode = "invalid_type"            // a field is another kind of JSON value than it must be
	RejectMissingField      RejectCode = "missing_field"           // a field this type of message must have
	RejectUnknownType       RejectCode = "unknown_type"            // "type" is none of the six
	RejectMissingID         RejectCode = "missing_id"              // neither userId nor anonymousId
	RejectTooLong           RejectCode = "too_long"                // an id, a name or a text is over its limit
	RejectEmptyName         RejectCode = "empty_name"              // a property or attribute without a name
	RejectDuplicateName     RejectCode = "duplicate_name"          // nested and dotted spelling of one name
	RejectTooMany           RejectCode = "too_many_properties"     // over MaxProperties
	RejectNumber            RejectCode = "number_out_of_range"     // no 64-bit number is near it
	RejectEventReserved     RejectCode = "event_reserved"          // an event's name begins with '$'
	RejectAttributeReserved RejectCode = "attribute_reserved"      // an attribute only the service itself sets
	RejectSelfAlias         RejectCode = "self_alias"              // a user is said to be itself
	RejectTimestamp         RejectCode = "invalid_timestamp"       // not a date-time with its offset
	RejectTimestampRange    RejectCode = "timestamp_out_of_range"  // before 2000 or more than a day ahead
	RejectUnsupported       RejectCode = "unsupported_option"      // one that would change what the message says
	RejectSignature         RejectCode = "invalid_signature"       // missing or wrong, where the project demands one
	RejectEventNames        RejectCode = "too_many_events"         // a name over the project's cap on those of events
	RejectAttributeNames    RejectCode = "too_many_attributes"     // ... of attributes
	RejectPropertyNames     RejectCode = "too_many_property_names" // ... of properties
)

// Rejection tells the sender which message of a batch was not taken, and why. It is also the error that decoding returns.
type Rejection struct {
	Index   int        `json:"index"` // the message's place in the batch, from 0
	Code    RejectCode `json:"code"`
	Detail  string     `json:"detail"`
	Pointer string     `json:"pointer,omitempty"` // JSON Pointer (RFC 6901) to the place
}

// Error says the detail and the place.
func (r *Rejection) Error() string { return r.Pointer + ": " + r.Detail }

// reject makes a rejection of the place a pointer, relative to the message, leads to.
func reject(code RejectCode, pointer, format string, args ...any) *Rejection {
	return &Rejection{Code: code, Pointer: pointer, Detail: fmt.Sprintf(format, args...)}
}

// problem is the rejection of a message that came alone, as the error of the whole request.
func (r *Rejection) problem() *muster.Error {
	code := muster.InvalidArgument
	switch r.Code { //nolint:exhaustive // Every other code is about what the message says.
	case RejectTooLarge:
		code = muster.TooLarge
	case RejectInvalidJSON, RejectDuplicateKey:
		code = muster.InvalidJSON
	}
	return &muster.Error{
		Code: code, Detail: "the message was not accepted: " + r.Detail,
		Issues: []muster.Issue{{Pointer: r.Pointer, Code: string(r.Code), Detail: r.Detail}},
	}
}
