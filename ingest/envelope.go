package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"muster"
)

// envelope is what a request's body says about its messages, and where they are in it.
type envelope struct {
	writeKey string
	sentAt   string
	context  jsontext.Value   // or nil
	batch    []jsontext.Value // parts of the body
	hasBatch bool
}

// openEnvelope reads the top of a body. It checks the syntax of all of it, but not the keys and texts inside messages:
// what is wrong there harms only its own message.
func openEnvelope(body []byte) (envelope, error) {
	var e envelope
	d := jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if kind := d.PeekKind(); kind != jsontext.KindBeginObject {
		if err := d.SkipValue(); err != nil {
			return e, brokenBody(err)
		}
		return e, invalidBody("", "the body must be a JSON object")
	}
	if _, err := d.ReadToken(); err != nil {
		return e, brokenBody(err)
	}
	seen := map[string]bool{}
	for d.PeekKind() != jsontext.KindEndObject {
		key, err := d.ReadValue()
		if err != nil {
			return e, brokenBody(err)
		}
		name, err := jsontext.AppendUnquote(nil, key)
		if err != nil || seen[string(name)] {
			return e, invalidBody(string(d.StackPointer()), "the key stands twice, or is not UTF-8")
		}
		seen[string(name)] = true
		switch string(name) {
		case "writeKey":
			e.writeKey, err = topText(d)
		case "sentAt":
			e.sentAt, err = topText(d)
		case "context":
			e.context, err = topValue(d, body)
		case "batch":
			e.hasBatch = true
			e.batch, err = splitBatch(d, body)
		default:
			err = d.SkipValue()
		}
		if err != nil {
			return e, brokenBody(err)
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return e, brokenBody(err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return e, invalidBody("", "something follows the JSON object")
	}
	return e, nil
}

func splitBatch(d *jsontext.Decoder, body []byte) ([]jsontext.Value, error) {
	if d.PeekKind() != jsontext.KindBeginArray {
		if err := d.SkipValue(); err != nil {
			return nil, err
		}
		return nil, invalidBody("/batch", "it must be a list of messages")
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	var batch []jsontext.Value
	for d.PeekKind() != jsontext.KindEndArray {
		message, err := topValue(d, body)
		if err != nil {
			return nil, err
		}
		if len(batch) == MaxMessages {
			return nil, &muster.Error{
				Code: muster.TooLarge, Detail: fmt.Sprintf("a batch may have %d messages", MaxMessages),
				Hint: "send smaller batches",
			}
		}
		batch = append(batch, message)
	}
	_, err := d.ReadToken()
	return batch, err
}

// topValue reads the value that comes next as a part of the body, which holds longer than what the decoder returns.
func topValue(d *jsontext.Decoder, body []byte) (jsontext.Value, error) {
	value, err := d.ReadValue()
	if err != nil {
		return nil, err
	}
	end := int(d.InputOffset())
	return jsontext.Value(body[end-len(value) : end : end]), nil
}

// topText reads a text, or a null as none.
func topText(d *jsontext.Decoder) (string, error) {
	token, err := d.ReadToken()
	switch {
	case err != nil:
		return "", err
	case token.Kind() == jsontext.KindNull:
		return "", nil
	case token.Kind() != jsontext.KindString:
		return "", invalidBody(string(d.StackPointer()), "it must be a string")
	}
	return token.String(), nil
}

// brokenBody is the error of a body whose syntax is broken. An error that already says more is returned as it is.
func brokenBody(err error) error {
	if _, ok := errors.AsType[*muster.Error](err); ok {
		return err
	}
	pointer, offset := "", int64(0)
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		pointer, offset, err = string(syntax.JSONPointer), syntax.ByteOffset, syntax.Err
	}
	return invalidBody(pointer, fmt.Sprintf("not JSON at byte %d: %s", offset, strings.TrimPrefix(err.Error(), "jsontext: ")))
}

func invalidBody(pointer, detail string) error {
	return &muster.Error{
		Code: muster.InvalidJSON, Detail: "the body was not accepted",
		Issues: []muster.Issue{{Pointer: pointer, Code: string(muster.InvalidJSON), Detail: detail}},
		Hint:   "send one JSON object; nothing of this request was stored",
	}
}

// request reads when the client sent the messages.
func (e envelope) request(received time.Time) (request, error) {
	r := request{received: received}
	if e.sentAt == "" {
		return r, nil
	}
	if r.sentAt, r.hasSent = parseTimestamp(e.sentAt); !r.hasSent {
		return r, invalidField("/sentAt", fmt.Sprintf("%q is not an ISO 8601 date-time with its offset", shorten(e.sentAt)))
	}
	return r, nil
}

func invalidField(pointer, detail string) error {
	return &muster.Error{
		Code: muster.InvalidArgument, Detail: "the body was not accepted",
		Issues: []muster.Issue{{Pointer: pointer, Code: string(muster.InvalidArgument), Detail: detail}},
		Hint:   "nothing of this request was stored",
	}
}
