package segments

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/go-json-experiment/json/jsontext"

	"muster"
	"muster/projects"
	"muster/queries"
)

// EventSeen is one event of a user.
type EventSeen struct {
	Event      string
	Actor      muster.Actor
	Time       time.Time  // by the client's clock, corrected
	Received   time.Time  // by ours
	Timestamp  *time.Time // the client's own, or nil
	MessageID  string
	Properties string // JSON, with the names they are stored under
	Context    string // JSON
}

// EventsRequest asks for a part of a user's events.
type EventsRequest struct {
	Event  string // only those of this name; empty for all
	Cursor string
	Limit  int
}

// eventPlace is where a list of events goes on: after an event, as of the time the first page was asked for.
type eventPlace struct {
	After queries.EventKey `json:"k"`
	AsOf  int64            `json:"n"` // milliseconds
	Event string           `json:"f,omitempty"`
}

// UserEvents lists what a user did, newest first. All pages are as of the same time.
func (e *Evaluator) UserEvents(ctx context.Context, project projects.Project, user muster.Actor, at At, request EventsRequest) ([]EventSeen, *string, error) {
	from, err := readCursor[eventPlace](request.Cursor)
	if err != nil {
		return nil, nil, err
	}
	var after *queries.EventKey
	if from != nil {
		asOf := instant(from.AsOf)
		after, at.AsOf, request.Event = &from.After, &asOf, from.Event
	}
	scope, _, err := e.profileScope(ctx, project, user, at)
	if err != nil {
		return nil, nil, err
	}
	var keys []queries.EventKey
	err = e.each(ctx, "list events", queries.EventKeys(scope, request.Event, after, request.Limit+1), func(rows driver.Rows) error {
		var k queries.EventKey
		err := rows.Scan(&k.Time, &k.Message, &k.Event, &k.Actor, &k.TS)
		keys = append(keys, k)
		return err
	})
	if err != nil || len(keys) == 0 {
		return nil, nil, err
	}
	var next *string
	if len(keys) > request.Limit {
		keys = keys[:request.Limit]
		next = printCursor(eventPlace{keys[request.Limit-1], scope.Now.UnixMilli(), request.Event})
	}
	asked := make(map[queries.EventKey]bool, len(keys))
	for _, k := range keys {
		asked[k] = true
	}
	var all []EventSeen
	err = e.each(ctx, "list events", queries.Events(scope, keys), func(rows driver.Rows) error {
		var v EventSeen
		var k queries.EventKey
		if err := rows.Scan(&k.Time, &v.Received, &k.Message, &k.Event, &k.Actor, &k.TS, &v.MessageID, &v.Properties, &v.Context); err != nil {
			return err
		}
		if !asked[k] {
			return nil // the parts of one place and another can be those of a third event
		}
		v.Event, v.Actor, v.Time = k.Event, muster.Actor(k.Actor), instant(k.Time)
		var err error
		if v.Properties, err = flatProperties(v.Properties); err != nil {
			return err
		}
		if k.TS != 0 {
			ts := instant(k.TS)
			v.Timestamp = &ts
		}
		all = append(all, v)
		return nil
	})
	return all, next, err
}

// flatProperties turns stored properties, in which dotted names are nested and encoded, into one object by dotted names.
func flatProperties(stored string) (string, error) {
	var b strings.Builder
	out := jsontext.NewEncoder(&b)
	if err := out.WriteToken(jsontext.BeginObject); err != nil {
		return "", err
	}
	in := jsontext.NewDecoder(strings.NewReader(stored))
	if err := flattenInto(out, in, ""); err != nil {
		return "", fmt.Errorf("read the properties of an event: %w", err)
	}
	err := out.WriteToken(jsontext.EndObject)
	return strings.TrimSpace(b.String()), err
}

// flattenInto writes the members of the object that comes next, their names after a prefix.
func flattenInto(out *jsontext.Encoder, in *jsontext.Decoder, prefix string) error {
	if _, err := in.ReadToken(); err != nil {
		return err
	}
	for in.PeekKind() != jsontext.KindEndObject {
		token, err := in.ReadToken()
		if err != nil {
			return err
		}
		name := prefix + muster.PropertyName(token.String())
		if in.PeekKind() == jsontext.KindBeginObject {
			if err := flattenInto(out, in, name+"."); err != nil {
				return err
			}
			continue
		}
		value, err := in.ReadValue()
		if err != nil {
			return err
		}
		if err := out.WriteToken(jsontext.String(name)); err != nil {
			return err
		}
		if err := out.WriteValue(value); err != nil {
			return err
		}
	}
	_, err := in.ReadToken()
	return err
}
