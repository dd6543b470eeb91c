package queries_test

import (
	"encoding/json"
	"slices"
	"time"
)

// world is all that was said in a project, and when it is asked about: what the oracle goes over.
type world struct {
	zone     *time.Location
	now      time.Time
	known    time.Time // zero for all
	actors   []*voice
	segments map[string]object
	imports  map[string]bool
	again    func(received time.Time) // the message before was received again
}

// voice is an actor and what it said. A message sent again stands here once.
type voice struct {
	name, of string // of is empty for one of its own
	events   []happening
	facts    []fact
	removals []removal
	imports  []importing
}

// importing is that an actor was in an import.
type importing struct {
	name           string
	time, received int64 // ms; µs
}

type happening struct {
	event          string
	time, received int64 // ms; µs
	properties     object
}

type fact struct {
	attribute      string
	time, received int64 // ms; µs
	value          any   // string, float64, bool, []any, or nil for unset
	removable      bool  // a removal unsets it
}

// removal is that whatever was said of an actor before, of what is removable, is unset.
type removal struct{ time, received int64 } // ms; µs

func newWorld() world {
	return world{zone: time.UTC, segments: map[string]object{}, imports: map[string]bool{}}
}

func (w *world) segment(id string, definition []byte) error {
	var o object
	err := json.Unmarshal(definition, &o)
	w.segments[id] = o
	return err
}

func (w *world) appears(name, of string) { w.actors = append(w.actors, &voice{name: name, of: of}) }

func (w *world) knows(name string) bool { return w.voice(name) != nil }

// voice returns the actor of a name, or nil.
func (w *world) voice(name string) *voice {
	i := slices.IndexFunc(w.actors, func(v *voice) bool { return v.name == name })
	if i < 0 {
		return nil
	}
	return w.actors[i]
}

func (w *world) happened(name, event string, at time.Time, properties string, received time.Time) {
	var o object
	if err := json.Unmarshal([]byte(properties), &o); err != nil {
		panic(err)
	}
	flat := object{}
	flatten(o, "", flat)
	v := w.voice(name)
	v.events = append(v.events, happening{event, at.UnixMilli(), received.UnixMicro(), flat})
	said := &v.events[len(v.events)-1].received
	w.again = func(at time.Time) { *said = min(*said, at.UnixMicro()) }
}

// root returns the actor that an actor belongs to in the end, which the user is known by.
func (w *world) root(v *voice) *voice {
	for v.of != "" {
		v = w.voice(v.of)
	}
	return v
}

// flatten gives nested properties their dotted names.
func flatten(o object, under string, flat object) {
	for name, value := range o {
		if nested, ok := value.(object); ok {
			flatten(nested, under+name+".", flat)
		} else {
			flat[under+name] = value
		}
	}
}

func (w *world) stated(name, attribute string, value any, removable bool, at, received time.Time) {
	v := w.voice(name)
	v.facts = append(v.facts, fact{attribute, at.UnixMilli(), received.UnixMicro(), value, removable})
	said := &v.facts[len(v.facts)-1].received
	w.again = func(at time.Time) { *said = min(*said, at.UnixMicro()) }
}

func (w *world) removed(name string, at, received time.Time) {
	v := w.voice(name)
	v.removals = append(v.removals, removal{at.UnixMilli(), received.UnixMicro()})
	said := &v.removals[len(v.removals)-1].received
	w.again = func(at time.Time) { *said = min(*said, at.UnixMicro()) }
}

func (w *world) imported(name, actor string, at, received time.Time) {
	w.imports[name] = true
	v := w.voice(actor)
	v.imports = append(v.imports, importing{name, at.UnixMilli(), received.UnixMicro()})
}

// oracle puts the users together from their actors.
func (w *world) oracle() *oracle {
	o := &oracle{zone: w.zone, now: w.now.UnixMilli(), known: 1 << 62, segments: w.segments}
	if !w.known.IsZero() {
		o.known = w.known.UnixMicro()
	}
	users := map[string]*person{}
	for _, v := range w.actors {
		root := w.root(v)
		u := users[root.name]
		if u == nil {
			u = &person{name: root.name}
			users[root.name] = u
			o.users = append(o.users, u)
		}
		if isVisitor(v.name) {
			u.anonymous = append(u.anonymous, v.name)
		} else {
			u.identified = true
		}
		u.events = append(u.events, v.events...)
		u.facts = append(u.facts, v.facts...)
		u.removals = append(u.removals, v.removals...)
		u.imports = append(u.imports, v.imports...)
	}
	return o
}
