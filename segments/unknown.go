package segments

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"muster"
	"muster/clickhouse"
	"muster/queries"
)

// How far names and values are looked for. A preview waits for it, so no look is at more than so many rows, and after
// lookTime no new one begins: what was not looked for is not warned of.
const (
	lookRows    = 2_000_000 // of one attribute or of one event
	nearRows    = 200_000   // for what may have been meant
	pathRows    = 20_000    // for properties that may have been meant
	recent      = 30 * 24 * time.Hour
	lookTime    = time.Second
	maxLookedUp = 100_000 // names and values that are remembered
)

// lookup is something that a definition mentions, in a project.
type lookup struct {
	project muster.ProjectID
	mention queries.Mention // without its place
}

// seen remembers what was found once: nothing that was seen becomes unseen, but for what is erased with its user. What was
// not found is looked for each time, since it may come at any time.
type seen struct {
	mu    sync.Mutex
	known map[lookup]bool
}

func (s *seen) has(l lookup) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[l]
}

func (s *seen) add(l lookup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxLookedUp {
		s.known = map[lookup]bool{}
	}
	s.known[l] = true
}

// unknown warns of names and values that were never seen. They may come tomorrow.
func (e *Evaluator) unknown(ctx context.Context, scope queries.Scope, mentions []queries.Mention) ([]Warning, error) {
	u := &unknowns{Evaluator: e, scope: scope, end: time.Now().Add(lookTime)}
	if !slices.ContainsFunc(mentions, func(m queries.Mention) bool { return !u.seen.has(u.key(m)) }) {
		return nil, nil
	}
	err := u.names(ctx)
	if err != nil {
		return nil, err
	}
	groups := map[queries.Mention][]queries.Mention{} // by what the values are of
	var order []queries.Mention
	for _, m := range mentions {
		exists := slices.Contains(u.attributes, m.Attribute) || slices.Contains(u.events, m.Event)
		switch m.Kind {
		case queries.AttributeMention:
			if exists {
				u.seen.add(u.key(m))
			} else {
				u.warn("unknown_attribute", m, nearest(m.Attribute, u.attributes), "no attribute %q was ever seen", m.Attribute)
			}
		case queries.EventMention:
			if exists {
				u.seen.add(u.key(m))
			} else {
				u.warn("unknown_event", m, nearest(m.Event, u.events), "no event %q was ever seen", m.Event)
			}
		case queries.PropertyMention:
			if exists {
				err = u.property(ctx, m)
			}
		case queries.ValueMention, queries.ExperienceMention, queries.TagMention:
			if !exists {
				u.unseen(m, "", "")
				continue
			}
			of := queries.Mention{Attribute: m.Attribute, Event: m.Event, Property: m.Property, List: m.List}
			if groups[of] == nil {
				order = append(order, of)
			}
			groups[of] = append(groups[of], m)
		}
		if err != nil {
			return nil, err
		}
	}
	for _, of := range order {
		if err := u.values(ctx, of, groups[of]); err != nil {
			return nil, err
		}
	}
	return u.found, nil
}

// unknowns collects what is not known.
type unknowns struct {
	*Evaluator

	scope              queries.Scope
	end                time.Time // of looking
	attributes, events []string  // in use
	properties         []queries.Mention
	found              []Warning
}

func (u *unknowns) warn(code string, m queries.Mention, suggestion, detail string, args ...any) {
	u.found = append(u.found, Warning{Code: code, Pointer: m.Pointer, Detail: fmt.Sprintf(detail, args...), Suggestion: suggestion})
}

// unseen warns of a value that was not found, and says among how many it was looked for where those are not all. Of a value
// of what itself was never seen nothing is said.
func (u *unknowns) unseen(m queries.Mention, suggestion, among string) {
	switch {
	case m.Kind == queries.ExperienceMention:
		u.warn("unknown_experience", m, suggestion, "no experience %q was ever seen%s", m.Value, among)
	case m.Kind == queries.TagMention:
		u.warn("unknown_value", m, suggestion, "nobody has the tag %q", m.Value)
	case m.Attribute != "" && slices.Contains(u.attributes, m.Attribute):
		u.warn("unknown_value", m, suggestion, "nobody's %s is %q%s", m.Attribute, m.Value, among)
	case m.Attribute == "" && slices.Contains(u.events, m.Event) && !u.propertyUnseen(m):
		u.warn("unknown_value", m, suggestion, "no %s of %s was ever %q%s", m.Property, m.Event, m.Value, among)
	}
}

func (u *unknowns) propertyUnseen(of queries.Mention) bool {
	return slices.ContainsFunc(u.properties, func(m queries.Mention) bool { return m.Event == of.Event && m.Property == of.Property })
}

// over tells whether there is no time left for another look.
func (u *unknowns) over() bool { return time.Now().After(u.end) }

// key names a mention for what is remembered.
func (u *unknowns) key(m queries.Mention) lookup {
	m.Pointer = ""
	return lookup{u.scope.Project, m}
}

// property warns of a property that no event of its name has.
func (u *unknowns) property(ctx context.Context, m queries.Mention) error {
	if u.seen.has(u.key(m)) || u.over() {
		return nil
	}
	var looked, found uint64
	for _, look := range u.looks() {
		statement := queries.SeenProperty(u.scope, m, look)
		err := u.db.QueryRow(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL).Scan(&looked, &found)
		if err != nil {
			return failed(ctx, "look for a property", err)
		}
		if found > 0 {
			u.seen.add(u.key(m))
			return nil
		}
	}
	var keys, names []string
	statement := queries.Properties(u.scope, m.Event, queries.Look{Rows: pathRows})
	if err := u.db.QueryRow(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL).Scan(&keys); err != nil {
		return failed(ctx, "list an event's properties", err)
	}
	for _, key := range keys {
		names = append(names, queries.PropertyName(key))
	}
	u.properties = append(u.properties, m)
	u.warn("unknown_property", m, nearest(m.Property, names), "no %s ever had a property %q%s", m.Event, m.Property, among(looked))
	return nil
}

// looks are at the recent events first, which tell most of what there is, and then at any.
func (u *unknowns) looks() []queries.Look {
	return []queries.Look{{Since: u.scope.Now.Add(-recent), Rows: lookRows}, {Rows: lookRows}}
}

// among says how many rows something was looked for in, where there are more.
func among(looked uint64) string {
	if looked < lookRows {
		return ""
	}
	return fmt.Sprintf(", among the %s looked at", grouped(looked))
}

// values warns of texts that are no values of an attribute or of a property.
func (u *unknowns) values(ctx context.Context, of queries.Mention, mentions []queries.Mention) error {
	var missing []queries.Mention
	for _, m := range mentions {
		if !u.seen.has(u.key(m)) {
			missing = append(missing, m)
		}
	}
	looks := u.looks()
	if of.Attribute != "" {
		looks = looks[1:] // it is not known since when
	}
	var looked uint64
	for _, look := range looks {
		if len(missing) == 0 || u.over() || u.propertyUnseen(of) {
			return nil
		}
		var found []string
		statement := queries.SeenTexts(u.scope, of, valuesOf(missing), look)
		if err := u.db.QueryRow(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL).Scan(&looked, &found); err != nil {
			return failed(ctx, "look for values", err)
		}
		missing = slices.DeleteFunc(missing, func(m queries.Mention) bool {
			is := slices.Contains(found, m.Value)
			if is {
				u.seen.add(u.key(m))
			}
			return is
		})
	}
	if len(missing) == 0 || u.over() {
		return nil
	}
	var near uint64
	var folded, others []string
	statement := queries.NearTexts(u.scope, of, valuesOf(missing), queries.Look{Rows: nearRows})
	if err := u.db.QueryRow(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL).Scan(&near, &folded, &others); err != nil {
		return failed(ctx, "look for values that were meant", err)
	}
	for _, m := range missing {
		same := slices.IndexFunc(folded, func(text string) bool { return strings.EqualFold(text, m.Value) })
		switch {
		case same >= 0 && m.IgnoreCase:
			u.seen.add(u.key(m))
		case same >= 0:
			u.unseen(m, folded[same], among(looked))
		case m.IgnoreCase && (near == nearRows || len(folded) > 0):
			// In which letters it may be stored is not for Go to say.
		default:
			u.unseen(m, nearest(m.Value, others), among(looked))
		}
	}
	return nil
}

func valuesOf(mentions []queries.Mention) []string {
	values := make([]string, len(mentions))
	for i, m := range mentions {
		values[i] = m.Value
	}
	return values
}

// nearest is the word that was meant, whatever the case of its letters.
func nearest(given string, known []string) string {
	lower := make([]string, len(known))
	for i, word := range known {
		lower[i] = strings.ToLower(word)
	}
	if i := slices.Index(lower, queries.Nearest(strings.ToLower(given), lower)); i >= 0 {
		return known[i]
	}
	return ""
}

// names reads the names in use.
func (u *unknowns) names(ctx context.Context) error {
	rows, err := u.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": number(u.scope.Project)}), `
		SELECT DISTINCT true AS of_attribute, toString(attribute) AS name FROM attribute_names WHERE project = {project:UInt32}
		UNION ALL
		SELECT DISTINCT false AS of_attribute, toString(event) AS name FROM event_names WHERE project = {project:UInt32}`)
	if err != nil {
		return failed(ctx, "read the names in use", err)
	}
	defer rows.Close()
	for rows.Next() {
		var ofAttribute bool
		var name string
		if err := rows.Scan(&ofAttribute, &name); err != nil {
			return failed(ctx, "read the names in use", err)
		}
		if ofAttribute {
			u.attributes = append(u.attributes, name)
		} else {
			u.events = append(u.events, name)
		}
	}
	return rows.Err()
}
