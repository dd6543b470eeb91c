package queries

import (
	"fmt"
	"slices"
	"strings"
)

// count reads how often something must have happened; at least once where nothing is said.
func (d *decoder) count(o object) Threshold {
	value, ok := o.fields["count"]
	if !ok {
		return once
	}
	count, ok := d.object(value, o.at+"/count", o.depth)
	if !ok {
		return once
	}
	d.only(count, "op", "value")
	return d.threshold(count, true)
}

// threshold reads op and value of an object: what is asked of a number, which is a whole one if it is counted.
func (d *decoder) threshold(o object, counted bool) Threshold {
	if !d.has(o, "op") || !d.has(o, "value") {
		return once
	}
	op, ok := d.text(o.fields["op"], o.at+"/op")
	if !ok {
		return once
	}
	if !slices.Contains(thresholdOps, op) {
		d.suggest(o.at+"/op", "unknown_operator", fmt.Sprintf("%q is no operator of counts; write one of %s", op, strings.Join(thresholdOps, ", ")), op, thresholdOps)
		return once
	}
	read := d.number
	if counted {
		read = d.whole
	}
	t, at := Threshold{Op: ThresholdOp(op)}, o.at+"/value"
	if t.Op != OpWithin {
		t.N, _ = read(o.fields["value"], at)
		return t
	}
	low, high, lowAt, highAt, ok := d.pair(o.fields["value"], at)
	if !ok {
		return t
	}
	n, okN := read(low, lowAt)
	m, okM := read(high, highAt)
	if okN && okM && n > m {
		d.refuse(at, "reversed_range", fmt.Sprintf("the range from %s to %s is empty; swap its ends", low, high))
	}
	t.N, t.M = n, m
	return t
}

// aggregate reads what is computed of the matching events.
func (d *decoder) aggregate(o object) Aggregate {
	inner, ok := d.object(o.fields["aggregate"], o.at+"/aggregate", o.depth)
	if !ok || !d.has(inner, "fn") {
		return Aggregate{Fn: Sum}
	}
	fn, ok := d.text(inner.fields["fn"], inner.at+"/fn")
	if !ok {
		return Aggregate{Fn: Sum}
	}
	if !slices.Contains(fns, fn) {
		d.suggest(inner.at+"/fn", "unknown_function", fmt.Sprintf("%q is no aggregate", fn), fn, fns)
		return Aggregate{Fn: Sum}
	}
	a := Aggregate{Fn: Fn(fn)}
	if a.Fn == DistinctDays {
		d.only(inner, "fn")
		return a
	}
	d.only(inner, "fn", "property")
	a.Property = d.name(inner, "property", maxNameLength)
	return a
}

// timeComparison reads an operator over times, in an object of its own.
func (d *decoder) timeComparison(o object, field string) Comparison {
	inner, ok := d.object(o.fields[field], o.at+"/"+field, o.depth)
	if !ok {
		return Comparison{}
	}
	d.only(inner, "op", "value")
	c := d.comparison(inner)
	switch {
	case c.Op == "" || c.Operand.Kind.isTime():
	case spans[c.Op] == nil:
		d.suggest(inner.at+"/op", "unknown_operator", fmt.Sprintf("%q compares no times", c.Op), string(c.Op), timeOperators())
	case c.Operand.Kind == RangeOperand:
		d.refuse(inner.at+"/value", "wrong_type", "two times are expected here, not two numbers")
	}
	return c
}

// timeOperators are those that compare times, for suggestions.
func timeOperators() []string {
	var names []string
	for op := range spans {
		names = append(names, string(op))
	}
	slices.Sort(names)
	return names
}
