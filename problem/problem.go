// Package problem says in HTTP what went wrong: RFC 9457 problem documents. It is the one place that knows which status a
// [muster.Code] is.
package problem

import (
	"encoding/json"
	"errors"
	"net/http"

	"muster"
)

// ContentType is the media type of a [Document].
const ContentType = "application/problem+json"

// Document is the body of every answer that is not a success.
type Document struct {
	Type   string         `json:"type"`             // "urn:muster:problem:" and the code
	Title  string         `json:"title"`            // the status in words
	Status int            `json:"status"`           // of HTTP
	Code   muster.Code    `json:"code"`             // stable; branch on this
	Detail string         `json:"detail"`           // one sentence about this occurrence
	Errors []muster.Issue `json:"errors,omitempty"` // the places in the request's body
	Hint   string         `json:"hint,omitempty"`   // what to do about it
}

// Of makes the document for an error. Of an error that was not made for people it tells nothing but that it happened.
func Of(err error) Document {
	e, ok := errors.AsType[*muster.Error](err)
	if !ok {
		e = &muster.Error{Code: muster.Internal, Detail: "something went wrong on our side"}
	}
	status := Status(e.Code)
	return Document{
		Type: "urn:muster:problem:" + string(e.Code), Title: http.StatusText(status), Status: status,
		Code: e.Code, Detail: e.Detail, Errors: e.Issues, Hint: e.Hint,
	}
}

// Write answers a request with the document for an error, and with the headers its status calls for. A Retry-After, in
// seconds, may have been set before.
func Write(w http.ResponseWriter, err error) {
	doc := Of(err)
	header := w.Header()
	header.Set("Content-Type", ContentType)
	header.Set("Cache-Control", "no-store")
	switch doc.Status {
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", `Bearer realm="muster"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if header.Get("Retry-After") == "" {
			header.Set("Retry-After", "5")
		}
	}
	w.WriteHeader(doc.Status)
	_ = json.NewEncoder(w).Encode(doc) // nobody is left to tell when the connection is gone
}

// Status is the HTTP status of a code; a code nobody knows is our fault.
func Status(code muster.Code) int {
	switch code {
	case muster.InvalidArgument, muster.InvalidJSON, muster.InvalidDefinition:
		return http.StatusBadRequest
	case muster.Unauthorized:
		return http.StatusUnauthorized
	case muster.NotFound:
		return http.StatusNotFound
	case muster.Conflict:
		return http.StatusConflict
	case muster.Stale:
		return http.StatusPreconditionFailed
	case muster.TooLarge:
		return http.StatusRequestEntityTooLarge
	case muster.RateLimited:
		return http.StatusTooManyRequests
	case muster.Unavailable:
		return http.StatusServiceUnavailable
	case muster.Timeout:
		return http.StatusGatewayTimeout
	case muster.Internal:
	}
	return http.StatusInternalServerError
}
