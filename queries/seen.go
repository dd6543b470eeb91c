package queries

import (
	"strconv"
	"time"
)

// Look bounds a look for what was ever seen.
type Look struct {
	Since time.Time // how old an event may be; zero for any age
	Rows  int       // at most so many are looked at
}

// SeenTexts returns the statement for which of some texts are values of what a mention is about: how many rows were looked
// at, and the texts that were found.
func SeenTexts(scope Scope, m Mention, texts []string, look Look) Statement {
	s := newPrinter(scope)
	list := s.texts(texts)
	return s.statement("SELECT count() AS looked, groupUniqArrayIf(text, has(" + list + ", text)) AS found\nFROM (\n" +
		indent(s.valueRows(m, look)) + "\n)")
}

// NearTexts returns the statement for values that some texts may have been meant for: how many rows were looked at, the
// values that are one of the texts but for letters' case, and others, up to a thousand.
func NearTexts(scope Scope, m Mention, texts []string, look Look) Statement {
	s := newPrinter(scope)
	folded := "arrayMap(x -> caseFoldUTF8(toValidUTF8(x)), " + s.texts(texts) + ")"
	return s.statement("SELECT\n  count() AS looked,\n  groupUniqArrayIf(1000)(text, has(" + folded + ", caseFoldUTF8(toValidUTF8(text)))) AS folded,\n" +
		"  groupUniqArray(1000)(text) AS others\nFROM (\n" + indent(s.valueRows(m, look)) + "\n)")
}

// valueRows prints the texts that what a mention is about has, one a row: an attribute's latest ones, or an event's.
func (s *sqlPrinter) valueRows(m Mention, look Look) string {
	limit := "\nLIMIT " + s.bind("UInt64", strconv.Itoa(look.Rows))
	if m.Attribute == "" {
		return "SELECT ifNull(" + s.propertyReading(m.Property).text + ", '') AS text\n" + s.someEvents(m.Event, look) + limit
	}
	value, kind := "text", "text"
	if m.List {
		value, kind = "arrayJoin(list)", "list"
	}
	return "SELECT " + value + " AS text\nFROM latest_attributes\nWHERE project = " + s.project + " AND attribute = " + s.text(m.Attribute) +
		" AND kind = '" + kind + "'" + limit
}

func (s *sqlPrinter) someEvents(event string, look Look) string {
	from := "FROM events\nWHERE project = " + s.project + " AND event = " + s.text(event)
	if !look.Since.IsZero() {
		from += " AND time >= " + s.instant(look.Since.UnixMilli())
	}
	return from
}

// SeenProperty returns the statement for whether an event has a property: how many events were looked at, and how many of
// them have it.
func SeenProperty(scope Scope, m Mention, look Look) Statement {
	s := newPrinter(scope)
	return s.statement("SELECT count() AS looked, countIf(has) AS found\nFROM (\n  SELECT " + s.propertyReading(m.Property).exists + " AS has\n" +
		indent(s.someEvents(m.Event, look)) + "\n  LIMIT " + s.bind("UInt64", strconv.Itoa(look.Rows)) + "\n)")
}

// Properties returns the statement for the properties that some of an event's messages have, as muster.PropertyKey writes
// them.
func Properties(scope Scope, event string, look Look) Statement {
	s := newPrinter(scope)
	return s.statement("SELECT distinctJSONPaths(properties) AS paths\nFROM (\n  SELECT properties\n" + indent(s.someEvents(event, look)) +
		"\n  LIMIT " + s.bind("UInt64", strconv.Itoa(look.Rows)) + "\n)")
}

// PropertyName reads what muster.PropertyKey wrote.
func PropertyName(key string) string {
	var name []byte
	for i := 0; i < len(key); i++ {
		if key[i] == '%' && i+2 < len(key) {
			if b, err := strconv.ParseUint(key[i+1:i+3], 16, 8); err == nil {
				name, i = append(name, byte(b)), i+2
				continue
			}
		}
		name = append(name, key[i])
	}
	return string(name)
}
