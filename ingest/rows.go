package ingest

import (
	"cmp"
	"slices"
	"time"

	"muster"
)

// row is a message and what its rows are sorted by.
type row struct {
	*Message

	actor muster.Actor
	hash  uint64
}

func rowsOf(messages []Message) []row {
	rows := make([]row, len(messages))
	for i := range messages {
		rows[i] = row{&messages[i], messages[i].Actor(), messages[i].Hash()}
	}
	return rows
}

// within orders the rows of one name of one project by the rest of the tables' keys.
func (r row) within(o row) int {
	return cmp.Or(cmp.Compare(r.actor, o.actor), cmp.Compare(r.Timestamp, o.Timestamp), cmp.Compare(r.hash, o.hash))
}

// eventColumns are the rows of table events, sorted by its key; nil when nobody did anything.
func eventColumns(all []row) []any {
	rows := slices.DeleteFunc(slices.Clone(all), func(r row) bool { return r.Type == Statement })
	if len(rows) == 0 {
		return nil
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Event, b.Event), a.within(b))
	})
	n := len(rows)
	project, event, actor, message := make([]uint32, n), make([]string, n), make([]uint64, n), make([]uint64, n)
	ts, at, received := make([]time.Time, n), make([]time.Time, n), make([]time.Time, n)
	id, properties, context := make([]string, n), make([]string, n), make([]string, n)
	for i, r := range rows {
		project[i], event[i], actor[i], message[i] = uint32(r.Project), r.Event, uint64(r.actor), r.hash
		ts[i], at[i], received[i] = time.UnixMilli(r.Timestamp), time.UnixMilli(r.Time), time.UnixMicro(r.Received)
		id[i], properties[i], context[i] = r.MessageID, r.Properties, r.Context
	}
	return []any{project, event, actor, ts, message, at, received, id, properties, context}
}

// snapshot is one attribute a message states.
type snapshot struct {
	row

	*Attribute
}

// snapshotColumns are the rows of table attribute_snapshots, sorted by its key; nil when no message states one.
func snapshotColumns(rows []row) []any {
	var all []snapshot
	for _, r := range rows {
		for i := range r.Attributes {
			all = append(all, snapshot{r, &r.Attributes[i]})
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b snapshot) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Name, b.Name), a.within(b.row))
	})
	n := len(all)
	project, name, actor, message := make([]uint32, n), make([]string, n), make([]uint64, n), make([]uint64, n)
	ts, at, received := make([]time.Time, n), make([]time.Time, n), make([]time.Time, n)
	source, kind, text := make([]int8, n), make([]int8, n), make([]string, n)
	number, instant, list := make([]*float64, n), make([]*int64, n), make([][]string, n)
	for i, s := range all {
		project[i], name[i], actor[i], message[i] = uint32(s.Project), s.Name, uint64(s.actor), s.hash
		ts[i], at[i], received[i] = time.UnixMilli(s.Timestamp), time.UnixMilli(s.Time), time.UnixMicro(s.Received)
		source[i], kind[i], text[i] = int8(s.Source), int8(s.Kind), s.Text
		number[i], instant[i] = s.readings()
		list[i] = s.List
	}
	return []any{project, name, actor, ts, message, at, received, source, kind, text, number, instant, list}
}

// readings are the number and the instant (unix milliseconds) a value also has, or nil.
func (a *Attribute) readings() (number *float64, instant *int64) {
	switch a.Kind {
	case Number:
		return &a.Number, nil
	case Text:
		// Both begin with a digit or a sign, and most texts do not.
		if a.Text == "" || a.Text[0] > '9' {
			return nil, nil
		}
		if n, ok := muster.ReadNumber(a.Text); ok {
			return &n, nil
		}
		if ms, ok := muster.ReadInstant(a.Text); ok {
			return nil, &ms
		}
	case Null, Boolean, List:
	}
	return nil, nil
}
