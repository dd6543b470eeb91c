package ingest

import (
	"fmt"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Experience is the one event a sender may track whose name begins with '$': what users did with an experience.
const Experience = "$experience"

// say turns the fields that were read into what a message of its type says.
func (d *decoder) say(m *Message) error {
	if d.removes != "" && m.Type != Identify {
		return reject(RejectUnsupported, d.removes, "only an identify unsets what it does not name")
	}
	switch m.Type {
	case Track:
		m.Event = d.fields.event
		return checkEvent(m.Event)
	case Page, Screen:
		m.Event = "$page"
		if m.Type == Screen {
			m.Event = "$screen"
		}
		return d.nameProperties()
	case Identify:
		m.Event = "$identify"
		return d.identify(m)
	case Group:
		m.Event = "$group"
		return d.group(m)
	case Alias:
		m.Event = "$alias"
		return d.alias(m)
	case Statement: // no sender has a name for it
	}
	return fmt.Errorf("decode: type %d is not handled", m.Type)
}

func checkEvent(event string) error {
	switch {
	case event == "":
		return reject(RejectMissingField, "", `a track needs an "event", the name of what was done`)
	case utf8.RuneCountInString(event) > MaxEvent:
		return reject(RejectTooLong, "/event", "an event's name may have %d characters", MaxEvent)
	case event[0] == '$' && event != Experience:
		return reject(RejectEventReserved, "/event", "names that begin with '$' are reserved; only %s may be sent", Experience)
	}
	return nil
}

// nameProperties adds the name and the category of a page or screen to its properties, where these do not say their own.
func (d *decoder) nameProperties() error {
	for _, p := range []struct{ name, text string }{{"name", d.fields.name}, {"category", d.fields.category}} {
		if p.text == "" || d.propertyNames.has(p.name) {
			continue
		}
		d.propertyName([]byte(p.name))
		var err error
		if d.properties, err = jsontext.AppendQuote(d.properties, p.text); err != nil {
			return fmt.Errorf("decode: %w", err)
		}
	}
	return nil
}

// identify makes the traits the user's attributes.
func (d *decoder) identify(m *Message) error {
	for i := range d.attributes {
		a := &d.attributes[i]
		switch a.Name {
		case "createdAt":
			if d.traitNames.has("created_at") {
				return reject(RejectDuplicateName, "/traits/createdAt", "createdAt and created_at are the same attribute")
			}
			a.Name, a.Source = "created_at", Native
		case "name", "email", "language", "created_at":
			a.Source = Native
		case "user_id", "anonymous_id", "first_seen", "last_seen", "sessions", "tags":
			return reject(RejectAttributeReserved, "/traits/"+a.Name,
				"%s is kept by the service and cannot be sent; use another name", a.Name)
		}
	}
	if d.removes != "" {
		d.attributes = append(d.attributes, removal)
	}
	m.Attributes = d.attributes
	return nil
}

// group makes the traits of the group attributes of the user, under names that begin with "group.".
func (d *decoder) group(m *Message) error {
	if d.fields.groupID == "" {
		return reject(RejectMissingField, "", `a group message needs a "groupId"`)
	}
	id := Attribute{Name: "group.id", Source: Custom, Kind: Text, Text: d.fields.groupID}
	for i := range d.attributes {
		a := &d.attributes[i]
		a.Name = "group." + a.Name
		if a.Name == id.Name && (a.Kind != Text || a.Text != id.Text) {
			return reject(RejectDuplicateName, "/traits/id", "the trait id differs from the groupId; both are the attribute group.id")
		}
	}
	if !d.traitNames.has("id") {
		d.attributes = append(d.attributes, id)
	}
	m.Attributes = d.attributes
	return nil
}

// alias says that a previous id, by default the anonymous one, is another name of the user.
func (d *decoder) alias(m *Message) error {
	switch previous := d.fields.previousID; {
	case m.UserID == "":
		return reject(RejectMissingField, "", `an alias needs a "userId"`)
	case previous == "" && m.AnonymousID == "":
		return reject(RejectMissingField, "", `an alias needs a "previousId", or an "anonymousId" to stand for it`)
	case previous == m.UserID:
		return reject(RejectSelfAlias, "/previousId", "userId and previousId are the same")
	case previous != m.AnonymousID:
		m.PreviousID = previous
	}
	return nil
}
