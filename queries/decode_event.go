package queries

import (
	"fmt"
	"strconv"
)

// windowFields are those a window adds to its leaf.
var windowFields = []string{"within", "between", "since"}

// event reads a leaf over one event. What is asked of the event tells which leaf it is.
func (d *decoder) event(o object) Node {
	name := d.name(o, "event", maxNameLength)
	var where Predicate
	if value, ok := o.fields["where"]; ok {
		where = d.predicate(value, o.at+"/where", o.depth+1)
	}
	asked := d.oneOf(o, "count", "aggregate", "first", "last")
	switch asked {
	case "aggregate":
		d.only(o, append([]string{"event", "where", "aggregate", "op", "value"}, windowFields...)...)
		e := EventAggregate{Name: name, Where: where, Aggregate: d.aggregate(o)}
		e.Threshold = d.threshold(o, e.Aggregate.Fn.counted())
		e.Window = d.window(o)
		return e
	case "first", "last":
		d.only(o, "event", "where", asked)
		return EventTime{Name: name, Where: where, Last: asked == "last", Comparison: d.timeComparison(o, asked)}
	default:
		d.only(o, append([]string{"event", "where", "count", "aggregate", "first", "last"}, windowFields...)...)
		return Event{Name: name, Where: where, Count: d.count(o), Window: d.window(o)}
	}
}

// oneOf returns which of the fields an object has, and refuses all but the first.
func (d *decoder) oneOf(o object, fields ...string) string {
	found := ""
	for _, field := range fields {
		if _, ok := o.fields[field]; !ok {
			continue
		}
		if found != "" {
			d.refuse(o.at+"/"+field, "ambiguous", fmt.Sprintf("%q and %q cannot stand together", found, field))
			continue
		}
		found = field
	}
	return found
}

func (d *decoder) sequence(o object) Node {
	d.only(o, append([]string{"sequence", "complete_within"}, windowFields...)...)
	var s Sequence
	at := o.at + "/sequence"
	items, ok := d.array(o.fields["sequence"], at)
	if ok && (len(items) < minSteps || len(items) > maxSteps) {
		d.refuse(at, "out_of_range", fmt.Sprintf("a sequence has %d to %d steps; this one has %d", minSteps, maxSteps, len(items)))
	}
	for i, item := range items {
		step, ok := d.object(item, at+"/"+strconv.Itoa(i), o.depth+1)
		if !ok {
			continue
		}
		d.only(step, "event", "where")
		made := Step{Event: d.name(step, "event", maxNameLength)}
		if where, ok := step.fields["where"]; ok {
			made.Where = d.predicate(where, step.at+"/where", step.depth+1)
		}
		s.Steps = append(s.Steps, made)
	}
	if value, ok := o.fields["complete_within"]; ok {
		s.CompleteWithin = d.duration(value, o.at+"/complete_within")
	}
	s.Window = d.window(o)
	return s
}

// Lengths of a sequence.
const (
	minSteps = 2
	maxSteps = 8
)

// window reads at most one of within, between and since.
func (d *decoder) window(o object) Window {
	var w Window
	given := d.oneOf(o, windowFields...)
	at := o.at + "/" + given
	switch given {
	case "within":
		w.Within = d.duration(o.fields[given], at)
	case "between":
		w.From, w.To = d.moments(o.fields[given], at)
	case "since":
		w.From = d.moment(o.fields[given], at)
	}
	return w
}
