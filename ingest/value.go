package ingest

import (
	"bytes"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"muster"
)

// property appends the value that comes next to the properties, under its encoded name. Nulls are left out.
func (d *decoder) property(name []byte) error {
	kind := d.json.PeekKind()
	if kind == jsontext.KindNull {
		return d.json.SkipValue()
	}
	d.propertyName(name)
	if kind == jsontext.KindBeginArray {
		d.properties = append(d.properties, '[')
		start := len(d.properties)
		err := d.list(func(text []byte) error {
			if len(d.properties) > start {
				d.properties = append(d.properties, ',')
			}
			d.properties = append(d.properties, text...)
			return nil
		})
		d.properties = append(d.properties, ']')
		return err
	}
	value, err := d.json.ReadValue()
	if err != nil {
		return err
	}
	if kind != jsontext.KindNumber {
		d.properties = append(d.properties, value...)
		return nil
	}
	var ok bool
	if d.properties, ok = appendNumber(d.properties, value); !ok {
		return d.wrongNumber()
	}
	return nil
}

func (d *decoder) propertyName(name []byte) {
	if len(d.properties) > 1 {
		d.properties = append(d.properties, ',')
	}
	d.properties = append(d.properties, '"')
	if plainKey(name) {
		d.properties = append(d.properties, name...)
	} else {
		d.properties = append(d.properties, muster.PropertyKey(string(name))...)
	}
	d.properties = append(d.properties, '"', ':')
}

// plainKey tells the common names that [muster.PropertyKey] returns unchanged.
func plainKey(name []byte) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '$' && c != '-' && c != ' ' {
			return false
		}
	}
	return true
}

// list reads the list that comes next and calls element with each of its elements as a JSON string: numbers and booleans
// as they are written, nested values as compact JSON. Nulls are left out.
func (d *decoder) list(element func(text []byte) error) error {
	if _, err := d.json.ReadToken(); err != nil {
		return err
	}
	for d.json.PeekKind() != jsontext.KindEndArray {
		kind := d.json.PeekKind()
		value, err := d.json.ReadValue()
		if err != nil {
			return err
		}
		d.element = d.element[:0]
		switch kind { //nolint:exhaustive // The default is nested values.
		case jsontext.KindNull:
			continue
		case jsontext.KindString:
			d.element = append(d.element, value...)
		case jsontext.KindNumber:
			var ok bool
			d.element = append(d.element, '"')
			if d.element, ok = appendNumber(d.element, value); !ok {
				return d.wrongNumber()
			}
			d.element = append(d.element, '"')
		case jsontext.KindTrue, jsontext.KindFalse:
			d.element = append(append(append(d.element, '"'), value...), '"')
		default:
			nested := bytes.Clone(value)
			if err := (*jsontext.Value)(&nested).Compact(); err != nil {
				return err
			}
			if d.element, err = jsontext.AppendQuote(d.element, nested); err != nil {
				return err
			}
		}
		if err := element(d.element); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return err
}

// attribute appends the value that comes next to the attributes. Whose they are is known only when the whole message is.
func (d *decoder) attribute(name []byte) error {
	a := Attribute{Name: string(name), Source: Custom}
	kind := d.json.PeekKind()
	if kind == jsontext.KindBeginArray {
		a.Kind, a.List = List, []string{}
		err := d.list(func(quoted []byte) error {
			text, err := jsontext.AppendUnquote(nil, quoted)
			if err != nil {
				return err
			}
			a.List = append(a.List, string(text))
			return d.checkText(a.List[len(a.List)-1])
		})
		d.attributes = append(d.attributes, a)
		return err
	}
	value, err := d.json.ReadValue()
	if err != nil {
		return err
	}
	switch kind { //nolint:exhaustive // What is left is null, and that is Null.
	case jsontext.KindString:
		a.Kind = Text
		if a.Text, err = d.text(value); err == nil {
			err = d.checkText(a.Text)
		}
	case jsontext.KindNumber:
		a.Kind = Number
		var ok bool
		if a.Number, ok = parseNumber(value); !ok {
			err = d.wrongNumber()
		}
	case jsontext.KindTrue, jsontext.KindFalse:
		a.Kind, a.Text = Boolean, string(value)
	}
	d.attributes = append(d.attributes, a)
	return err
}

func (d *decoder) checkText(text string) error {
	if len(text) > MaxText && utf8.RuneCountInString(text) > MaxText {
		return reject(RejectTooLong, string(d.json.StackPointer()), "an attribute's text may have %d characters", MaxText)
	}
	return nil
}

func (d *decoder) wrongNumber() error {
	return reject(RejectNumber, string(d.json.StackPointer()), "the number is beyond what 64 bits hold")
}
