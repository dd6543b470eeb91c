package ingest

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// names keeps the dotted names one object was flattened to, to tell when one is reached twice. The decoder has already
// refused a key standing twice in one object, so that takes a nested object and a key with a dot of its own.
type names struct {
	text   []byte
	ends   []int
	nested bool
	dotted bool
}

func (n *names) reset() { *n = names{text: n.text[:0], ends: n.ends[:0]} }

func (n *names) add(name []byte) {
	n.text = append(n.text, name...)
	n.ends = append(n.ends, len(n.text))
}

func (n *names) all() [][]byte {
	all, start := make([][]byte, 0, len(n.ends)), 0
	for _, end := range n.ends {
		all = append(all, n.text[start:end])
		start = end
	}
	return all
}

// has reports whether the object has the name.
func (n *names) has(name string) bool {
	start := 0
	for _, end := range n.ends {
		if string(n.text[start:end]) == name {
			return true
		}
		start = end
	}
	return false
}

// repeated returns a name reached twice, or nil.
func (n *names) repeated() []byte {
	if !n.nested || !n.dotted {
		return nil
	}
	all := n.all()
	slices.SortFunc(all, bytes.Compare)
	for i := 1; i < len(all); i++ {
		if bytes.Equal(all[i-1], all[i]) {
			return all[i]
		}
	}
	return nil
}

// flatten reads the object that comes next and calls leaf with the decoder before each value that is not an object, and
// its dotted name. A null stands for an empty object.
func (d *decoder) flatten(seen *names, leaf func(name []byte) error) error {
	seen.reset()
	switch kind := d.json.PeekKind(); {
	case kind == jsontext.KindNull:
		return d.json.SkipValue()
	case kind != jsontext.KindBeginObject:
		return d.wrongKind("an object")
	}
	d.name = d.name[:0]
	if err := d.flattenObject(seen, leaf); err != nil {
		return err
	}
	if name := seen.repeated(); name != nil {
		return reject(RejectDuplicateName, string(d.json.StackPointer()), "nested and dotted keys both spell %q", name)
	}
	return nil
}

func (d *decoder) flattenObject(seen *names, leaf func(name []byte) error) error {
	if _, err := d.json.ReadToken(); err != nil {
		return err
	}
	prefix := len(d.name)
	for d.json.PeekKind() != jsontext.KindEndObject {
		key, err := d.json.ReadValue()
		if err != nil {
			return err
		}
		start := len(d.name)
		if d.name, err = jsontext.AppendUnquote(d.name, key); err != nil {
			return err
		}
		seen.dotted = seen.dotted || bytes.IndexByte(d.name[start:], '.') >= 0
		if len(d.name) > MaxName {
			return reject(RejectTooLong, string(d.json.StackPointer()), "a name may have %d bytes, its parts and dots together", MaxName)
		}
		if d.json.PeekKind() == jsontext.KindBeginObject {
			seen.nested = true
			d.name = append(d.name, '.')
			err = d.flattenObject(seen, leaf)
		} else {
			if err = d.checkName(seen); err == nil {
				err = leaf(d.name)
			}
		}
		if err != nil {
			return err
		}
		d.name = d.name[:prefix]
	}
	_, err := d.json.ReadToken()
	return err
}

func (d *decoder) checkName(seen *names) error {
	if len(d.name) == 0 {
		return reject(RejectEmptyName, string(d.json.StackPointer()), "a name must not be empty")
	}
	if seen.add(d.name); len(seen.ends) > MaxProperties {
		return reject(RejectTooMany, string(d.json.StackPointer()), "a message may have %d properties", MaxProperties)
	}
	return nil
}
