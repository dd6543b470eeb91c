package queries

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// predicateKinds are the fields that tell what a condition over properties is.
var predicateKinds = []string{"all", "any", "not", "property"}

// predicate reads a condition over the properties of one event.
func (d *decoder) predicate(value jsontext.Value, at string, depth int) Predicate {
	if depth > MaxDepth {
		d.refuse(at, "too_deep", fmt.Sprintf("conditions are nested more than %d deep", MaxDepth))
		return nil
	}
	o, ok := d.object(value, at, depth)
	if !ok {
		return nil
	}
	var found []string
	for _, kind := range predicateKinds {
		if _, ok := o.fields[kind]; ok {
			found = append(found, kind)
		}
	}
	switch strings.Join(found, " and ") {
	case "":
		d.noKind(o, "condition over properties", predicateKinds)
		return nil
	case "all":
		return AllOf{d.predicates(o, "all")}
	case "any":
		return AnyOf{d.predicates(o, "any")}
	case "not":
		d.only(o, "not")
		return NotOf{d.predicate(o.fields["not"], at+"/not", depth+1)}
	case "property":
		d.leaves++
		d.only(o, append([]string{"property"}, comparisonFields...)...)
		return Property{d.name(o, "property", maxNameLength), d.comparison(o)}
	default:
		d.refuse(at, "ambiguous", "a condition is of one kind; this one is "+strings.Join(found, " and "))
		return nil
	}
}

// predicates reads a group.
func (d *decoder) predicates(o object, field string) []Predicate {
	d.only(o, field)
	items, ok := d.array(o.fields[field], o.at+"/"+field)
	if !ok {
		return nil
	}
	if len(items) == 0 {
		d.refuse(o.at+"/"+field, "empty_group", "a group needs at least one condition")
	}
	of := make([]Predicate, len(items))
	for i, item := range items {
		of[i] = d.predicate(item, o.at+"/"+field+"/"+strconv.Itoa(i), o.depth+1)
	}
	return of
}
