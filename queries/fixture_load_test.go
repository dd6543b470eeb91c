package queries_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"muster"
	"muster/queries"
)

func (fx *fixture) loadAll(lines []string) error {
	for _, line := range lines {
		word, rest, _ := strings.Cut(line, " ")
		if err := fx.load(word, rest); err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
	}
	return nil
}

func (fx *fixture) load(word, rest string) (err error) {
	fields := strings.Fields(rest)
	switch word {
	case "zone":
		fx.zone, err = time.LoadLocation(rest)
	case "now":
		fx.now, err = time.Parse(time.RFC3339, rest)
	case "known":
		if fx.known = (time.Time{}); rest != "all" {
			fx.known, err = time.Parse(time.RFC3339, rest)
		}
	case "user":
		for _, name := range fields {
			fx.appears(name, "")
			fx.happened(name, "$seen", longAgo, "{}", longAgo)
		}
	case "visitor", "newcomer":
		of := ""
		if len(fields) == 3 {
			of = fields[2]
		}
		if of != "" && !fx.knows(of) {
			return fmt.Errorf("nobody is named %q", of)
		}
		fx.appears(fields[0], of)
		if word == "visitor" {
			fx.happened(fields[0], "$seen", longAgo, "{}", longAgo)
		}
	case "set":
		return fx.set(rest)
	case "only":
		return fx.only(rest)
	case "did":
		return fx.did(rest)
	case "again":
		var received time.Time
		if received, err = time.Parse(time.RFC3339, rest); err == nil {
			err = fx.repeat(received)
		}
	case "imported":
		if !fx.knows(fields[1]) {
			return fmt.Errorf("nobody is named %q", fields[1])
		}
		var at, received time.Time
		at, received, err = said(fields[2:], longAgo)
		fx.imported(fields[0], fields[1], at, received)
		fx.add("import_members", uint32(fx.project), fields[0], uint64(fx.actor(fields[1])), at, received)
	case "segment":
		definition := []byte(strings.TrimPrefix(rest, fields[0]))
		if fx.segments[fields[0]], err = queries.Decode(definition); err == nil {
			err = fx.segment(fields[0], definition)
		}
	default:
		return fmt.Errorf("%q is no word of fixtures", word)
	}
	return err
}

// isVisitor tells whether a name is an anonymous actor's: those begin with v and a digit.
func isVisitor(name string) bool {
	return len(name) > 1 && name[0] == 'v' && name[1] >= '0' && name[1] <= '9'
}

func (fx *fixture) actor(name string) muster.Actor {
	if isVisitor(name) {
		return muster.NewActor(fx.project, muster.Anonymous, name)
	}
	return muster.NewActor(fx.project, muster.Identified, name)
}

// appears makes an actor, of its own or of another.
func (fx *fixture) appears(name, of string) {
	kind, link := muster.Identified, int8(2)
	if isVisitor(name) {
		kind, link = muster.Anonymous, 1
	}
	var linked muster.Actor
	if of == "" {
		link = 0
	} else {
		linked = fx.actor(of)
	}
	fx.world.appears(name, of)
	fx.indexed = false
	fx.add("identities", uint32(fx.project), uint64(fx.actor(name)), int8(kind), link, uint64(linked), name, longAgo)
}

func (fx *fixture) happened(name, event string, at time.Time, properties string, received time.Time) {
	fx.message++
	fx.world.happened(name, event, at, properties, received)
	fx.add("events", uint32(fx.project), event, uint64(fx.actor(name)), at, uint64(fx.message), at, fmt.Sprint(fx.message), properties, received)
}

// repeat adds the row before once more, as received at a time.
func (fx *fixture) repeat(received time.Time) error {
	if len(fx.waiting) == 0 || fx.waiting[len(fx.waiting)-1].table == "identities" {
		return errors.New("there is no message before this line")
	}
	last := fx.waiting[len(fx.waiting)-1]
	again := row{last.table, slices.Clone(last.values)}
	again.values[len(again.values)-1] = received
	fx.waiting = append(fx.waiting, again)
	fx.again(received)
	return nil
}

func (fx *fixture) add(table string, values ...any) {
	fx.waiting = append(fx.waiting, row{table, values})
}

// insert inserts what is waiting, a table at a time.
func (fx *fixture) insert(ctx context.Context) error {
	for table, columns := range tables {
		if !slices.ContainsFunc(fx.waiting, func(r row) bool { return r.table == table }) {
			continue
		}
		batch, err := fx.db.PrepareBatch(ctx, "INSERT INTO "+table+" ("+columns+")")
		if err != nil {
			return err
		}
		for _, row := range fx.waiting {
			if row.table != table {
				continue
			}
			if err := batch.Append(row.values...); err != nil {
				return err
			}
		}
		if err := batch.Send(); err != nil {
			return err
		}
	}
	fx.waiting = nil
	return nil
}

// parts splits what follows a word: names, then a JSON value, then times.
func parts(rest string, names int) (fields []string, value string, times []string, err error) {
	for range names {
		var field string
		field, rest, _ = strings.Cut(rest, " ")
		fields = append(fields, field)
	}
	if rest == "" {
		return fields, "", nil, nil
	}
	decoder := json.NewDecoder(strings.NewReader(rest))
	var raw json.RawMessage
	if err := decoder.Decode(&raw); err != nil {
		return nil, "", nil, fmt.Errorf("%q: %w", rest, err)
	}
	return fields, string(raw), strings.Fields(rest[decoder.InputOffset():]), nil
}

// said reads when something was said and received: [time] [received time].
func said(words []string, at time.Time) (said, received time.Time, err error) {
	if len(words) > 0 && words[0] != "received" {
		if at, err = time.Parse(time.RFC3339Nano, words[0]); err != nil {
			return at, at, err
		}
		words = words[1:]
	}
	received = at
	if len(words) == 2 {
		received, err = time.Parse(time.RFC3339Nano, words[1])
	}
	return at, received, err
}

func (fx *fixture) did(rest string) error {
	head, properties, found := strings.Cut(rest, "{")
	if !found {
		properties = "}"
	}
	fields := strings.Fields(head)
	_, properties, words, err := parts("{"+properties, 0)
	if err != nil {
		return err
	}
	if len(fields) > 3 { // received, without properties
		words = fields[3:]
	}
	at, err := time.Parse(time.RFC3339Nano, fields[2])
	if err != nil {
		return err
	}
	_, received, err := said(words, at)
	if !fx.knows(fields[0]) {
		return fmt.Errorf("nobody is named %q", fields[0])
	}
	fx.happened(fields[0], fields[1], at, properties, received)
	return err
}

func (fx *fixture) set(rest string) error {
	rest, integrated := strings.CutSuffix(rest, " from integration")
	fields, raw, words, err := parts(rest, 2)
	if err != nil {
		return err
	}
	if !fx.knows(fields[0]) {
		return fmt.Errorf("nobody is named %q", fields[0])
	}
	at, received, err := said(words, longAgo)
	if err != nil {
		return err
	}
	var value any
	if err := json.Unmarshal([]byte(raw), &value); err != nil {
		return err
	}
	source := "custom"
	switch {
	case integrated:
		source = "integration"
	case fields[1] == "tags":
		source = "native"
	}
	fx.message++
	fx.says(fields[0], fields[1], source, value, at, received)
	return nil
}

// only reads attributes of one message, and that it removes the others.

func (fx *fixture) only(rest string) error {
	fields, raw, words, err := parts(rest, 1)
	if err != nil {
		return err
	}
	if !fx.knows(fields[0]) {
		return fmt.Errorf("nobody is named %q", fields[0])
	}
	at, received, err := said(words, longAgo)
	if err != nil {
		return err
	}
	var values map[string]any
	if err := json.Unmarshal([]byte(raw), &values); err != nil {
		return err
	}
	fx.message++
	for _, attribute := range slices.Sorted(maps.Keys(values)) {
		fx.says(fields[0], attribute, "custom", values[attribute], at, received)
	}
	fx.removed(fields[0], at, received)
	fx.snapshot(fields[0], "", "custom", "null", "", nil, nil, nil, at, received)
	return nil
}

// stated adds a message with a custom attribute.
func (fx *fixture) stated(name, attribute string, value any, at, received time.Time) {
	fx.message++
	fx.says(name, attribute, "custom", value, at, received)
}

// says adds a snapshot of an attribute to the message, with the readings of its value.
func (fx *fixture) says(name, attribute, source string, value any, at, received time.Time) {
	fx.world.stated(name, attribute, value, source == "custom" && !strings.HasPrefix(attribute, "group."), at, received)
	var kind, text string
	var number *float64
	var instant *int64
	list := []string{}
	switch v := value.(type) {
	case nil:
		kind = "null"
	case string:
		kind, text = "text", v
		if n, ok := muster.ReadNumber(v); ok {
			number = &n
		}
		if ms, ok := muster.ReadInstant(v); ok {
			instant = &ms
		}
	case float64:
		kind, number = "number", &v
	case bool:
		kind, text = "boolean", fmt.Sprint(v)
	case []any:
		kind = "list"
		for _, item := range v {
			list = append(list, fmt.Sprint(item))
		}
	}
	fx.snapshot(name, attribute, source, kind, text, number, instant, list, at, received)
}

// snapshot adds one of the message's rows.
func (fx *fixture) snapshot(name, attribute, source, kind, text string, number *float64, instant *int64, list []string, at, received time.Time) {
	fx.add("attribute_snapshots", uint32(fx.project), attribute, uint64(fx.actor(name)), at, uint64(fx.message), at, source, kind, text,
		number, instant, list, received)
}
