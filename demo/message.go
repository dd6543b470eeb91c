package demo

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Message is one message of the tracking API. Empty fields are not sent.
type Message struct {
	Type        string // identify, track or page
	UserID      string
	AnonymousID string
	Event       string // of a track
	Name        string // of a page
	Category    string // of a page
	Properties  []Field
	Traits      []Field // of an identify
	Timestamp   time.Time
	MessageID   string
	Context     string // a JSON object
}

// Field is a named value: a string, int, bool or list of strings, or nil, which unsets a trait.
type Field struct {
	Name  string
	Value any
}

// MarshalJSON writes the message as the tracking API takes it.
func (m Message) MarshalJSON() ([]byte, error) { return m.AppendJSON(nil) }

// AppendJSON appends what [Message.MarshalJSON] returns to b.
func (m Message) AppendJSON(b []byte) ([]byte, error) {
	b = appendText(append(b, `{"type":`...), m.Type)
	for _, f := range [...]struct{ key, text string }{
		{`,"userId":`, m.UserID},
		{`,"anonymousId":`, m.AnonymousID},
		{`,"event":`, m.Event},
		{`,"name":`, m.Name},
		{`,"category":`, m.Category},
	} {
		if f.text != "" {
			b = appendText(append(b, f.key...), f.text)
		}
	}
	var err error
	if b, err = appendObject(b, `,"properties":{`, m.Properties); err != nil {
		return b, err
	}
	if b, err = appendObject(b, `,"traits":{`, m.Traits); err != nil {
		return b, err
	}
	b = m.Timestamp.UTC().AppendFormat(append(b, `,"timestamp":"`...), "2006-01-02T15:04:05.000Z")
	b = appendText(append(b, `","messageId":`...), m.MessageID)
	if m.Context != "" {
		b = append(append(b, `,"context":`...), m.Context...)
	}
	return append(b, '}'), nil
}

func appendObject(b []byte, head string, fields []Field) ([]byte, error) {
	if len(fields) == 0 {
		return b, nil
	}
	b = append(b, head...)
	for i, f := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, f.Name), ':')
		var err error
		if b, err = appendValue(b, f.Value); err != nil {
			return b, fmt.Errorf("demo: field %s: %w", f.Name, err)
		}
	}
	return append(b, '}'), nil
}

func appendValue(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		return appendText(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case []string:
		b = append(b, '[')
		for i, text := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(b, text)
		}
		return append(b, ']'), nil
	}
	return b, fmt.Errorf("a %T is none of the values a field has", value)
}

// appendText appends a JSON string. Most texts are plain ASCII, and those are fast.
func appendText(b []byte, text string) []byte {
	if !slices.ContainsFunc([]byte(text), func(c byte) bool { return c < ' ' || c == '"' || c == '\\' || c >= 0x7f }) {
		return append(append(append(b, '"'), text...), '"')
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		panic("demo: a string is always JSON: " + err.Error())
	}
	return append(b, quoted...)
}
