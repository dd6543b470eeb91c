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
		var at string
		if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
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

// At moves the pointers of what is wrong with a definition under its place in a larger body. Other errors stay as they are.
func At(pointer string, err error) error {
	e, ok := errors.AsType[*muster.Error](err)
	if !ok || e.Code != muster.InvalidDefinition {
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

// kinds are the fields that tell what a condition is: each has exactly one of them.
var kinds = []string{
	"all", "any", "at_least", "attribute", "event", "everyone", "experience", "identified", "import", "not", "segment", "sequence", "tag",
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
	for _, kind := range kinds {
		if _, ok := o.fields[kind]; ok {
			found = append(found, kind)
		}
	}
	switch len(found) {
	case 1:
		return d.kind(found[0], o)
	case 0:
		d.noKind(o, "condition", kinds)
	default:
		d.refuse(at, "ambiguous", "a condition is of one kind; this one is "+strings.Join(found, " and "))
	}
	return nil
}

// noKind says that an object is none of the kinds there are, and which of them its first field is nearest to.
func (d *decoder) noKind(o object, what string, kinds []string) {
	for _, field := range slices.Sorted(maps.Keys(o.fields)) {
		d.suggest(o.at+"/"+escape(field), "unknown_field", fmt.Sprintf("%q is no kind of %s", field, what), field, kinds)
		return
	}
	d.refuse(o.at, "empty_condition", fmt.Sprintf("a %s is one of %s", what, strings.Join(kinds, ", ")))
}

func (d *decoder) kind(kind string, o object) Node {
	switch kind {
	case "all":
		return All{d.group(o, "all")}
	case "any":
		return Any{d.group(o, "any")}
	case "at_least":
		return d.atLeast(o)
	case "not":
		d.only(o, "not")
		return Not{d.node(o.fields["not"], o.at+"/not", o.depth+1)}
	}
	d.leaves++
	switch kind {
	case "attribute":
		return d.attribute(o)
	case "event":
		return d.event(o)
	case "everyone":
		return d.everyone(o)
	case "experience":
		return d.experience(o)
	case "identified":
		return d.identified(o)
	case "import":
		d.only(o, "import")
		return Import{d.name(o, "import", maxID)}
	case "segment":
		d.only(o, "segment")
		return Segment{d.name(o, "segment", maxID)}
	case "sequence":
		return d.sequence(o)
	case "tag":
		d.only(o, "tag")
		return Tag{d.name(o, "tag", maxNameLength)}
	default:
		panic(fmt.Sprintf("decode: unknown kind %q", kind))
	}
}

// group reads the conditions of a group.
func (d *decoder) group(o object, field string) []Node {
	d.only(o, field)
	return d.conditions(o, field)
}

func (d *decoder) conditions(o object, field string) []Node {
	items, ok := d.array(o.fields[field], o.at+"/"+field)
	if !ok {
		return nil
	}
	if len(items) == 0 {
		d.refuse(o.at+"/"+field, "empty_group", "a group needs at least one condition; everyone is {\"everyone\":true}")
	}
	of := make([]Node, len(items))
	for i, item := range items {
		of[i] = d.node(item, o.at+"/"+field+"/"+strconv.Itoa(i), o.depth+1)
	}
	return of
}

func (d *decoder) atLeast(o object) Node {
	d.only(o, "at_least", "of")
	if !d.has(o, "of") {
		return nil
	}
	of := d.conditions(o, "of")
	n, ok := d.whole(o.fields["at_least"], o.at+"/at_least")
	if ok && len(of) > 0 && (n < 1 || n > float64(len(of))) {
		d.refuse(o.at+"/at_least", "out_of_range", fmt.Sprintf("at least %.0f of %d conditions always or never holds; write 1 to %d",
			n, len(of), len(of)))
	}
	return AtLeast{int(min(n, MaxLeaves)), of}
}

func (d *decoder) everyone(o object) Node {
	d.only(o, "everyone")
	if is, ok := d.boolean(o.fields["everyone"], o.at+"/everyone"); ok && !is {
		d.refuse(o.at+"/everyone", "invalid_value", "\"everyone\" is only ever true; nobody is {\"not\":{\"everyone\":true}}")
	}
	return Everyone{}
}

func (d *decoder) identified(o object) Node {
	d.only(o, "identified")
	is, _ := d.boolean(o.fields["identified"], o.at+"/identified")
	return Identified{is}
}

func (d *decoder) attribute(o object) Node {
	d.only(o, append([]string{"attribute"}, comparisonFields...)...)
	return Attribute{d.name(o, "attribute", maxNameLength), d.comparison(o)}
}

// Lengths of names and ids, in bytes.
const (
	maxNameLength = 500
	maxID         = 200
)
