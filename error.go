package muster

import (
	"errors"
	"strings"
)

// Code is the stable name of what went wrong; clients may branch on it. Only package api knows what it is in HTTP.
type Code string

// The codes. A place in a request may have a narrower code of its own; see [Issue].
const (
	InvalidArgument   Code = "invalid_argument"   // what was asked makes no sense; see the issues for where
	InvalidJSON       Code = "invalid_json"       // the body is not JSON, or a key stands twice
	InvalidDefinition Code = "invalid_definition" // a segment definition is refused; see the issues for where
	Unauthorized      Code = "unauthorized"       // no key, or one that is not known
	NotFound          Code = "not_found"          // nothing with this id in this project
	Conflict          Code = "conflict"           // the state of the thing does not allow it: in use, or changed meanwhile
	Stale             Code = "stale"              // it changed since it was read (If-Match)
	TooLarge          Code = "too_large"          // the body or a message is over its limit
	RateLimited       Code = "rate_limited"       // too many requests; try again later
	Unavailable       Code = "unavailable"        // ClickHouse or the spool cannot take it now; try again later
	Timeout           Code = "timeout"            // it took longer than allowed and was stopped; no partial answer
	Internal          Code = "internal"           // our fault
)

// Error is an error meant for the person or program that asked: what is wrong, where, and what to do.
type Error struct {
	Code   Code
	Detail string  // one sentence
	Hint   string  // what to do about it, if there is something
	Issues []Issue // the places, if there are any
	Err    error   // the cause, kept for the log and never shown
}

// Issue is one place in a request that is wrong.
type Issue struct {
	Pointer    string `json:"pointer"`              // JSON Pointer (RFC 6901) into the request's body
	Code       string `json:"code"`                 // stable, such as "unknown_operator"
	Detail     string `json:"detail"`               // one sentence
	Suggestion string `json:"suggestion,omitempty"` // the nearest thing that would be right
}

// Error says the detail, the places and the cause in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Detail)
	for _, issue := range e.Issues {
		b.WriteString("; at " + issue.Pointer + ": " + issue.Detail)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first [Error] in err's chain, or [Internal].
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}
