package ingest

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// sharedContext is the context at the top of a batch. Its members are part of every message's context, except those the
// message's own context has.
type sharedContext struct {
	raw     string // an object, or empty
	members []member
}

// member is one member of an object; text is its name and value as they stand.
type member struct{ name, text string }

// newSharedContext reads the context of a batch: an object, a null or nothing.
func newSharedContext(raw jsontext.Value) (*sharedContext, *Rejection) {
	c := &sharedContext{}
	if raw == nil || raw.Kind() == jsontext.KindNull {
		return c, nil
	}
	if raw.Kind() != jsontext.KindBeginObject {
		return nil, reject(RejectInvalidType, "/context", "it must be an object")
	}
	if len(raw) > MaxMessage {
		return nil, reject(RejectTooLarge, "/context", "it may have %d bytes; it has %d", MaxMessage, len(raw))
	}
	var err error
	if c.members, err = membersOf(raw); err != nil {
		rejection := rejectSyntax(err)
		rejection.Pointer = "/context" + rejection.Pointer
		return nil, rejection
	}
	c.raw = string(raw)
	return c, nil
}

// merge returns the context of a message whose own is given, or empty.
func (c *sharedContext) merge(own string) (string, error) {
	switch {
	case own == "" && c.raw == "":
		return "{}", nil
	case own == "":
		return c.raw, nil
	case c.raw == "":
		return own, nil
	}
	members, err := membersOf(jsontext.Value(own))
	if err != nil {
		return "", err
	}
	texts := make([]string, 0, len(members)+len(c.members))
	owned := make(map[string]bool, len(members))
	for _, m := range members {
		texts = append(texts, m.text)
		owned[m.name] = true
	}
	for _, m := range c.members {
		if !owned[m.name] {
			texts = append(texts, m.text)
		}
	}
	return "{" + strings.Join(texts, ",") + "}", nil
}

func membersOf(object jsontext.Value) ([]member, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(object))
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	var members []member
	for d.PeekKind() != jsontext.KindEndObject {
		key, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		quoted := string(key)
		name, err := jsontext.AppendUnquote(nil, key)
		if err != nil {
			return nil, err
		}
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		members = append(members, member{name: string(name), text: quoted + ":" + string(value)})
	}
	_, err := d.ReadToken()
	return members, err
}
