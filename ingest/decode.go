package ingest

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// decoder reads messages one after another, keeping its buffers. What it returns holds until the next one is read.
type decoder struct {
	json   *jsontext.Decoder
	input  bytes.Buffer
	source string // the message; every text without an escape is a part of it

	fields     fields
	properties []byte // a JSON object, without its closing brace
	attributes []Attribute
	removes    string // the pointer of the option to unset what the traits do not name; empty without
	propertyNames,
	traitNames names

	name, element []byte // scratch: of the name being flattened, of a list's element
}

// fields are the texts a message has by name. An empty one counts as not given, as do nulls.
type fields struct {
	kind, userID, anonymousID, previousID, groupID, event, name, category, messageID, timestamp, context string
	signature, previousSignature                                                                         string
}

func newDecoder() *decoder {
	d := &decoder{}
	d.json = jsontext.NewDecoder(&d.input)
	return d
}

// decode reads one message. path is the type its address says, or 0 where the message itself must say it. The message
// lacks its project and its Received.
func (d *decoder) decode(raw []byte, path Type, r request, inherited *sharedContext) (Message, *Rejection) {
	if len(raw)+len(inherited.raw) > MaxMessage {
		return Message{}, reject(RejectTooLarge, "", "a message may have %d bytes, with the context it shares; this one has %d",
			MaxMessage, len(raw)+len(inherited.raw))
	}
	d.source = string(raw)
	d.input = *bytes.NewBuffer(raw)
	d.json.Reset(&d.input)
	d.fields = fields{}
	d.properties = append(d.properties[:0], '{')
	d.attributes = d.attributes[:0]
	d.removes = ""
	d.propertyNames.reset()
	d.traitNames.reset()

	m, err := d.message(path, r, inherited)
	if err == nil {
		return m, nil
	}
	if rejection, ok := errors.AsType[*Rejection](err); ok {
		return m, rejection
	}
	return m, rejectSyntax(err)
}

// rejectSyntax is the rejection for what the JSON decoder refused.
func rejectSyntax(err error) *Rejection {
	pointer := ""
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		pointer = string(syntax.JSONPointer)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return reject(RejectDuplicateKey, pointer, "the key stands twice in one object")
		}
		err = syntax.Err
	}
	return reject(RejectInvalidJSON, pointer, "not JSON: %s", strings.TrimPrefix(err.Error(), "jsontext: "))
}

func (d *decoder) message(path Type, r request, inherited *sharedContext) (Message, error) {
	m := Message{Type: path}
	if err := d.readFields(); err != nil {
		return m, err
	}
	f := &d.fields
	if err := d.checkType(&m); err != nil {
		return m, err
	}
	if f.userID == "" && f.anonymousID == "" {
		return m, reject(RejectMissingID, "", "a message needs a userId or an anonymousId")
	}
	m.UserID, m.AnonymousID, m.MessageID = f.userID, f.anonymousID, f.messageID
	if m.MessageID == "" {
		m.MessageID = r.messageID
	}
	if m.MessageID == "" {
		m.MessageID = uuid.Must(uuid.NewV7()).String()
	}
	var timestamp int64
	if f.timestamp != "" {
		var ok bool
		if timestamp, ok = parseTimestamp(f.timestamp); !ok {
			return m, reject(RejectTimestamp, "/timestamp",
				"%q is not an ISO 8601 date-time with its offset, such as 2024-05-01T12:00:00.000Z", shorten(f.timestamp))
		}
	}
	if rejection := r.stamp(&m, timestamp, f.timestamp != ""); rejection != nil {
		return m, rejection
	}
	if err := d.say(&m); err != nil {
		return m, err
	}
	if r.signed {
		if rejection := checkSignature(r.secret, &m, f); rejection != nil {
			return m, rejection
		}
	}
	m.Properties = string(append(d.properties, '}'))
	context, err := inherited.merge(f.context)
	m.Context = context
	return m, err
}

func (d *decoder) checkType(m *Message) error {
	named, known := typeOf(d.fields.kind)
	switch {
	case d.fields.kind == "" && m.Type != 0:
	case d.fields.kind == "":
		return reject(RejectMissingField, "", `a message in a batch needs a "type"`)
	case !known:
		return reject(RejectUnknownType, "/type", "%q is none of identify, track, page, screen, group and alias", shorten(d.fields.kind))
	case m.Type != 0 && m.Type != named:
		return reject(RejectUnknownType, "/type", "%q was sent to the address of another type", d.fields.kind)
	}
	if m.Type == 0 {
		m.Type = named
	}
	return nil
}

// readFields reads the message's object into fields, properties and attributes. Fields it has no use for are read over.
func (d *decoder) readFields() error {
	if d.json.PeekKind() != jsontext.KindBeginObject {
		return d.wrongKind("an object")
	}
	if _, err := d.json.ReadToken(); err != nil {
		return err
	}
	f := &d.fields
	for d.json.PeekKind() != jsontext.KindEndObject {
		key, err := d.json.ReadValue()
		if err != nil {
			return err
		}
		switch string(key) {
		case `"type"`:
			f.kind, err = d.textField(0)
		case `"userId"`:
			f.userID, err = d.textField(MaxID)
		case `"anonymousId"`:
			f.anonymousID, err = d.textField(MaxID)
		case `"previousId"`:
			f.previousID, err = d.textField(MaxID)
		case `"groupId"`:
			f.groupID, err = d.textField(MaxID)
		case `"messageId"`:
			f.messageID, err = d.textField(MaxID)
		case `"timestamp"`:
			f.timestamp, err = d.textField(0)
		case `"event"`:
			f.event, err = d.textField(0)
		case `"name"`:
			f.name, err = d.textField(0)
		case `"category"`:
			f.category, err = d.textField(0)
		case `"signature"`:
			f.signature, err = d.textField(MaxID)
		case `"previousSignature"`:
			f.previousSignature, err = d.textField(MaxID)
		case `"context"`:
			f.context, err = d.contextField()
		case `"options"`:
			err = d.optionsField()
		case `"properties"`:
			err = d.flatten(&d.propertyNames, d.property)
		case `"traits"`:
			err = d.flatten(&d.traitNames, d.attribute)
		default:
			err = d.unknownField(key)
		}
		if err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return err
}

// unknownField reads over a field. One spelled with escapes could be a second spelling of a known one; there is no
// honest reason for that.
func (d *decoder) unknownField(key jsontext.Value) error {
	if bytes.IndexByte(key, '\\') >= 0 {
		return reject(RejectInvalidJSON, string(d.json.StackPointer()), "a field's name must be written without escapes")
	}
	return d.json.SkipValue()
}

// textField reads a text of at most limit bytes (0 for any), or a null as none.
func (d *decoder) textField(limit int) (string, error) {
	switch kind := d.json.PeekKind(); {
	case kind == jsontext.KindNull:
		return "", d.json.SkipValue()
	case kind != jsontext.KindString:
		return "", d.wrongKind("a string")
	}
	value, err := d.json.ReadValue()
	if err != nil {
		return "", err
	}
	text, err := d.text(value)
	if err == nil && limit > 0 && len(text) > limit {
		err = reject(RejectTooLong, string(d.json.StackPointer()), "it may have %d bytes; it has %d", limit, len(text))
	}
	return text, err
}

// contextField reads an object as it stands, or a null as none.
func (d *decoder) contextField() (string, error) {
	switch kind := d.json.PeekKind(); {
	case kind == jsontext.KindNull:
		return "", d.json.SkipValue()
	case kind != jsontext.KindBeginObject:
		return "", d.wrongKind("an object")
	}
	value, err := d.json.ReadValue()
	return d.part(0, value), err
}

// optionsField reads over the options some clients send beside a message. One of them changes what the message says:
// removeUnspecified, that every custom attribute its traits do not name is unset.
func (d *decoder) optionsField() error {
	if d.json.PeekKind() != jsontext.KindBeginObject {
		return d.json.SkipValue()
	}
	value, err := d.json.ReadValue()
	if err != nil {
		return err
	}
	members, err := membersOf(value)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.name == "removeUnspecified" && strings.HasSuffix(m.text, ":true") {
			d.removes = string(d.json.StackPointer()) + "/removeUnspecified"
		}
	}
	return nil
}

// text is what the string value just read says.
func (d *decoder) text(value jsontext.Value) (string, error) {
	if bytes.IndexByte(value, '\\') >= 0 {
		text, err := jsontext.AppendUnquote(nil, value)
		return string(text), err
	}
	return d.part(1, value), nil
}

// part is the value just read, without so many bytes at both its ends, as a part of the source.
func (d *decoder) part(without int, value jsontext.Value) string {
	end := int(d.json.InputOffset())
	return d.source[end-len(value)+without : end-without]
}

// wrongKind is the rejection of the value that comes next, or its syntax error if it is no value at all.
func (d *decoder) wrongKind(want string) error {
	if err := d.json.SkipValue(); err != nil {
		return err
	}
	return reject(RejectInvalidType, string(d.json.StackPointer()), "it must be %s", want)
}

// shorten cuts a text from outside for an error.
func shorten(text string) string {
	const limit = 60
	if len(text) <= limit {
		return text
	}
	cut := limit
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
