package queries

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"muster"
)

// Limits of one definition.
const (
	MaxBytes  = 64 << 10
	MaxDepth  = 16
	MaxLeaves = 256
	MaxValues = 1000 // in one list
)

// Decode reads a definition. Its error is a [muster.Error] with code InvalidDefinition that names every place that is
// wrong, as JSON Pointers into the definition.
func Decode(text []byte) (Definition, error) {
	d := &decoder{}
	if len(text) > MaxBytes {
		d.refuse("", "too_large", fmt.Sprintf("the definition has %d bytes; at most %d are taken", len(text), MaxBytes))
		return Definition{}, d.err()
	}
	if len(bytes.TrimSpace(text)) == 0 {
		d.refuse("", "required", "a definition is needed")
		return Definition{}, d.err()
	}
	var value jsontext.Value
	if err := json.Unmarshal(text, &value); err != nil {
		var syntax *jsontext.SyntacticError
		var at string
		if errors.As(err, &syntax) {
			at = string(syntax.JSONPointer)
		}
		d.refuse(at, "invalid_json", "this is not valid JSON: "+err.Error())
		return Definition{}, d.err()
	}
	root := d.node(value, "", 1)
	if d.leaves > MaxLeaves {
		d.refuse("", "too_many_leaves", fmt.Sprintf("the definition has %d leaves; at most %d are taken", d.leaves, MaxLeaves))
	}
	return Definition{root}, d.err()
}

// At moves the pointers of an error's issues under a place in a larger body.
func At(pointer string, err error) error {
	e, ok := errors.AsType[*muster.Error](err)
	if !ok {
		return err
	}
	moved := *e
	moved.Issues = slices.Clone(e.Issues)
	for i := range moved.Issues {
		moved.Issues[i].Pointer = pointer + moved.Issues[i].Pointer
	}
	return &moved
}

// decoder collects what is wrong, so that one answer names every place.
type decoder struct {
	issues []muster.Issue
	leaves int
}

func (d *decoder) refuse(at, code, detail string) {
	d.issues = append(d.issues, muster.Issue{Pointer: at, Code: code, Detail: detail})
}

func (d *decoder) suggest(at, code, detail, given string, known []string) {
	d.issues = append(d.issues, muster.Issue{Pointer: at, Code: code, Detail: detail, Suggestion: Nearest(given, known)})
}

func (d *decoder) err() error {
	if len(d.issues) == 0 {
		return nil
	}
	return &muster.Error{
		Code: muster.InvalidDefinition, Detail: "the definition is refused", Issues: d.issues,
		Hint: "the language is described in docs/segments.md",
	}
}

// nodeKinds tells a node's kind by the field that only it has, and decodes it.
var nodeKinds = map[string]func(*decoder, object) Node{}

func init() {
	nodeKinds["all"] = func(d *decoder, o object) Node { return All{d.group(o, "all")} }
	nodeKinds["any"] = func(d *decoder, o object) Node { return Any{d.group(o, "any")} }
	nodeKinds["not"] = func(d *decoder, o object) Node {
		d.only(o, "not")
		return Not{d.node(o.fields["not"], o.at+"/not", o.depth+1)}
	}
	nodeKinds["at_least"] = (*decoder).atLeast
	nodeKinds["everyone"] = (*decoder).everyone
	nodeKinds["identified"] = (*decoder).identified
	nodeKinds["attribute"] = (*decoder).attribute
	nodeKinds["event"] = (*decoder).event
	nodeKinds["segment"] = (*decoder).segment
}

// node reads one condition.
func (d *decoder) node(value jsontext.Value, at string, depth int) Node {
	if depth > MaxDepth {
		d.refuse(at, "too_deep", fmt.Sprintf("conditions are nested more than %d deep", MaxDepth))
		return nil
	}
	o, ok := d.object(value, at, depth)
	if !ok {
		return nil
	}
	var found []string
	for field := range o.fields {
		if nodeKinds[field] != nil {
			found = append(found, field)
		}
	}
	slices.Sort(found)
	kinds := slices.Sorted(maps.Keys(nodeKinds))
	switch len(found) {
	case 1:
		return nodeKinds[found[0]](d, o)
	case 0:
		for _, field := range slices.Sorted(maps.Keys(o.fields)) {
			d.suggest(at+"/"+escape(field), "unknown_field", fmt.Sprintf("%q is no kind of condition", field), field, kinds)
			return nil
		}
		d.refuse(at, "empty_condition", "a condition is one of "+strings.Join(kinds, ", "))
	default:
		d.refuse(at, "ambiguous", "a condition is of one kind; this one is "+strings.Join(found, " and "))
	}
	return nil
}

func (d *decoder) group(o object, field string) []Node {
	d.only(o, field, "of")
	if field != "of" {
		if _, ok := o.fields["of"]; ok {
			d.refuse(o.at+"/of", "unknown_field", `"of" belongs to "at_least"`)
		}
	}
	items, ok := d.array(o.fields[field], o.at+"/"+field)
	if !ok {
		return nil
	}
	if len(items) == 0 {
		d.refuse(o.at+"/"+field, "empty_group", "a group needs at least one condition; everyone is {\"everyone\":true}")
	}
	var of []Node
	for i, item := range items {
		of = append(of, d.node(item, o.at+"/"+field+"/"+strconv.Itoa(i), o.depth+1))
	}
	return of
}

func (d *decoder) atLeast(o object) Node {
	d.only(o, "at_least", "of")
	if _, ok := o.fields["of"]; !ok {
		d.refuse(o.at+"/of", "required", "\"at_least\" needs the conditions it counts, in \"of\"")
		return nil
	}
	of := d.group(object{fields: map[string]jsontext.Value{"of": o.fields["of"]}, at: o.at, depth: o.depth}, "of")
	n, ok := d.whole(o.fields["at_least"], o.at+"/at_least")
	if ok && (n < 1 || n > uint64(len(of))) {
		d.refuse(o.at+"/at_least", "out_of_range", fmt.Sprintf("at least %d of %d conditions can never or always hold; write 1 to %d",
			n, len(of), len(of)))
		return nil
	}
	return AtLeast{int(min(n, MaxLeaves)), of}
}

func (d *decoder) everyone(o object) Node {
	d.leaves++
	d.only(o, "everyone")
	if is, ok := d.boolean(o.fields["everyone"], o.at+"/everyone"); ok && !is {
		d.refuse(o.at+"/everyone", "invalid_value", "\"everyone\" is only ever true; nobody is {\"not\":{\"everyone\":true}}")
	}
	return Everyone{}
}

func (d *decoder) identified(o object) Node {
	d.leaves++
	d.only(o, "identified")
	is, _ := d.boolean(o.fields["identified"], o.at+"/identified")
	return Identified{is}
}

func (d *decoder) segment(o object) Node {
	d.leaves++
	d.only(o, "segment")
	return Segment{d.name(o, "segment", maxID)}
}

func (d *decoder) attribute(o object) Node {
	d.leaves++
	d.only(o, append([]string{"attribute"}, comparisonFields...)...)
	return Attribute{d.name(o, "attribute", maxNameLength), d.comparison(o)}
}

// Lengths of names and ids, in bytes.
const (
	maxNameLength = 500
	maxID         = 200
)
