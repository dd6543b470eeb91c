package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"muster"
	"muster/clickhouse"
)

// NameLimits cap how many names of each sort a project may bring in. Names that begin with '$' are the service's own and
// not counted; a property's name is counted once for all events. Names in use before are always taken.
type NameLimits struct {
	Events, Attributes, Properties int
}

// DefaultNameLimits are far beyond what people name, and far below what an id in the place of a name would make.
func DefaultNameLimits() NameLimits {
	return NameLimits{Events: 5_000, Attributes: 5_000, Properties: 20_000}
}

// vocabulary holds the names in use of every project, so that the door can count new ones without asking ClickHouse. It
// only grows. Several doors count for themselves between two refreshes, so together they may go over a cap by what
// each took in the meantime. Until the first refresh everything is taken: nobody knows yet what is new.
type vocabulary struct {
	limits NameLimits

	mu       sync.RWMutex
	complete bool // it was refreshed once
	projects map[muster.ProjectID]*wordList
}

// wordList are the names of one project; the value tells whether the spool has the name too.
type wordList struct {
	of [propertyName + 1]map[string]bool
}

func newVocabulary(limits NameLimits) (*vocabulary, error) {
	if limits.Events < 1 || limits.Attributes < 1 || limits.Properties < 1 {
		return nil, errors.New("ingest: a cap on names must be at least 1")
	}
	return &vocabulary{limits: limits, projects: map[muster.ProjectID]*wordList{}}, nil
}

// limit is the cap of a kind, the code of going over it, and the word for it.
func (v *vocabulary) limit(kind nameKind) (n int, code RejectCode, word string) {
	switch kind {
	case eventName:
		return v.limits.Events, RejectEventNames, "events"
	case attributeName:
		return v.limits.Attributes, RejectAttributeNames, "attributes"
	case propertyName:
	}
	return v.limits.Properties, RejectPropertyNames, "properties"
}

// admit takes the names a message uses, or rejects the message when they are too many. What it returns is not in the
// spool yet, and must be stored with the message; see [vocabulary.settle].
func (v *vocabulary) admit(m *Message, properties *names) (fresh []newName, rejection *Rejection) {
	v.mu.RLock()
	list := v.projects[m.Project]
	missing := list.missing(m, properties)
	v.mu.RUnlock()
	if len(missing) == 0 {
		return nil, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if list = v.projects[m.Project]; list == nil {
		list = newWordList()
		v.projects[m.Project] = list
	}
	added := [propertyName + 1]int{}
	for _, n := range missing {
		if _, known := list.of[n.kind][n.name]; known {
			continue
		}
		added[n.kind]++
		limit, code, word := v.limit(n.kind)
		if v.complete && len(list.of[n.kind])+added[n.kind] > limit {
			return nil, reject(code, n.pointer(m), "the project has %d %s by name already, which is its cap; %q would be another",
				len(list.of[n.kind]), word, shorten(n.name))
		}
	}
	for _, n := range missing {
		if _, known := list.of[n.kind][n.name]; !known {
			list.of[n.kind][n.name] = false // not in the spool yet
		}
	}
	return missing, nil
}

func newWordList() *wordList {
	l := &wordList{}
	for kind := eventName; kind <= propertyName; kind++ {
		l.of[kind] = map[string]bool{}
	}
	return l
}

// missing lists the names of a message that are not known to be in the spool or the tables.
func (l *wordList) missing(m *Message, properties *names) (all []newName) {
	note := func(kind nameKind, name []byte) {
		if len(name) == 0 || name[0] == '$' || l != nil && l.of[kind][string(name)] {
			return
		}
		all = append(all, newName{m.Project, kind, string(name), m.Time})
	}
	if l == nil || !l.of[eventName][m.Event] {
		note(eventName, []byte(m.Event))
	}
	start := 0
	for _, end := range properties.ends {
		note(propertyName, properties.text[start:end])
		start = end
	}
	for i := range m.Attributes {
		if name := m.Attributes[i].Name; l == nil || !l.of[attributeName][name] {
			note(attributeName, []byte(name))
		}
	}
	return all
}

// pointer leads to where a message has the name, as far as its form tells.
func (n newName) pointer(m *Message) string {
	switch {
	case n.kind == eventName:
		return "/event"
	case n.kind == propertyName:
		return "/properties"
	case m.Type == Group || m.Type == Identify:
		return "/traits"
	}
	return ""
}

// settle notes that names are in the spool.
func (v *vocabulary) settle(stored []newName) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, n := range stored {
		v.projects[n.project].of[n.kind][n.name] = true
	}
}

// refresh adds the names that the tables have.
func (v *vocabulary) refresh(ctx context.Context, db *clickhouse.DB) error {
	rows, err := db.Query(ctx, `
		SELECT project, toUInt8(kind), name FROM names
		UNION DISTINCT SELECT project, toUInt8(1), toString(event) FROM event_names WHERE NOT startsWith(event, '$')
		UNION DISTINCT SELECT project, toUInt8(2), toString(attribute) FROM attribute_names WHERE NOT startsWith(attribute, '$')`)
	if err != nil {
		return fmt.Errorf("read the names in use: %w", err)
	}
	defer rows.Close()
	var all []newName
	for rows.Next() {
		var project uint32
		var kind uint8
		var name string
		if err := rows.Scan(&project, &kind, &name); err != nil {
			return fmt.Errorf("read the names in use: %w", err)
		}
		all = append(all, newName{project: muster.ProjectID(project), kind: nameKind(kind), name: name})
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the names in use: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, n := range all {
		if v.projects[n.project] == nil {
			v.projects[n.project] = newWordList()
		}
		v.projects[n.project].of[n.kind][n.name] = true
	}
	v.complete = true
	return nil
}

// nameColumns are the rows of table names.
func nameColumns(all []newName) []any {
	n := len(all)
	project, kind, name, seen := make([]uint32, n), make([]int8, n), make([]string, n), make([]time.Time, n)
	for i, w := range all {
		project[i], kind[i], name[i], seen[i] = uint32(w.project), int8(w.kind), w.name, time.UnixMilli(w.seen)
	}
	return []any{project, kind, name, seen}
}
