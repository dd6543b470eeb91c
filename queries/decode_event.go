package queries

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

func (d *decoder) event(o object) Node {
	d.leaves++
	d.only(o, "event", "where", "count", "within", "between", "since")
	e := Event{Name: d.name(o, "event", maxNameLength), Count: Count{Op: CountGte, N: 1}}
	if where, ok := o.fields["where"]; ok {
		e.Where = d.predicate(where, o.at+"/where", o.depth+1)
	}
	if count, ok := o.fields["count"]; ok {
		e.Count = d.count(count, o.at+"/count")
	}
	e.Window = d.window(o)
	return e
}

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
	for _, kind := range []string{"all", "any"} {
		if _, ok := o.fields[kind]; !ok {
			continue
		}
		d.only(o, kind)
		items, ok := d.array(o.fields[kind], at+"/"+kind)
		if ok && len(items) == 0 {
			d.refuse(at+"/"+kind, "empty_group", "a group needs at least one condition")
		}
		var of []Predicate
		for i, item := range items {
			of = append(of, d.predicate(item, at+"/"+kind+"/"+strconv.Itoa(i), depth+1))
		}
		if kind == "all" {
			return AllOf{of}
		}
		return AnyOf{of}
	}
	if _, ok := o.fields["not"]; ok {
		d.only(o, "not")
		return NotOf{d.predicate(o.fields["not"], at+"/not", depth+1)}
	}
	if _, ok := o.fields["property"]; ok {
		d.leaves++
		d.only(o, append([]string{"property"}, comparisonFields...)...)
		return Property{d.name(o, "property", maxNameLength), d.comparison(o)}
	}
	for _, field := range slices.Sorted(maps.Keys(o.fields)) {
		d.suggest(at+"/"+escape(field), "unknown_field", fmt.Sprintf("%q is no condition over properties", field), field,
			[]string{"all", "any", "not", "property"})
		return nil
	}
	d.refuse(at, "empty_condition", "a condition over properties is one of all, any, not, property")
	return nil
}

var countOps = []string{
	string(CountEq), string(CountNeq), string(CountLt), string(CountLte), string(CountGt), string(CountGte), string(CountBetween),
}

func (d *decoder) count(value jsontext.Value, at string) Count {
	o, ok := d.object(value, at, 0)
	if !ok {
		return Count{}
	}
	d.only(o, "op", "value")
	op, ok := d.text(o.fields["op"], at+"/op")
	if !ok {
		return Count{}
	}
	if !slices.Contains(countOps, op) {
		d.suggest(at+"/op", "unknown_operator", fmt.Sprintf("%q is no operator of counts", op), op, countOps)
		return Count{}
	}
	c := Count{Op: CountOp(op)}
	if c.Op != CountBetween {
		c.N, _ = d.whole(o.fields["value"], at+"/value")
		return c
	}
	ends, ok := d.array(o.fields["value"], at+"/value")
	if !ok {
		return c
	}
	if len(ends) != 2 {
		d.refuse(at+"/value", "wrong_type", "\"between\" takes two whole numbers, such as [2, 5]")
		return c
	}
	c.N, _ = d.whole(ends[0], at+"/value/0")
	c.M, _ = d.whole(ends[1], at+"/value/1")
	if c.N > c.M {
		d.refuse(at+"/value", "reversed_range", fmt.Sprintf("the range from %d to %d is empty; swap its ends", c.N, c.M))
	}
	return c
}

// window reads at most one of within, between and since.
func (d *decoder) window(o object) Window {
	var w Window
	var found []string
	for _, field := range []string{"within", "between", "since"} {
		value, ok := o.fields[field]
		if !ok {
			continue
		}
		found = append(found, field)
		at := o.at + "/" + field
		switch field {
		case "within":
			w.Within = d.duration(value, at)
		case "between":
			w.From, w.To = d.moments(value, at)
		case "since":
			w.From = d.moment(value, at)
		}
	}
	if len(found) > 1 {
		d.refuse(o.at+"/"+found[1], "ambiguous", fmt.Sprintf("the window is given twice, as %q and as %q", found[0], found[1]))
	}
	return w
}
