package queries

import (
	"fmt"
	"strconv"
)

// Mention is a name or a value that a definition uses and that traffic may never have used.
type Mention struct {
	Kind    MentionKind
	Pointer string // where it stands in the definition
	// Attribute is the attribute, or the one whose value it is.
	Attribute string
	// Event and Property are the event, or the one whose property it is, or the property whose value it is.
	Event, Property string
	Value           string // a text, or an element of a list
	IgnoreCase      bool
	List            bool // it is the value of a list
}

// MentionKind tells what is mentioned.
type MentionKind uint8

// The kinds of mentions.
const (
	AttributeMention MentionKind = iota
	EventMention
	ExperienceMention // Value is its id
	TagMention        // Value is the tag
	PropertyMention
	ValueMention
)

// Mentions lists what a definition mentions, in the order it stands there. Native attributes are always known; the segments
// it names are not gone into.
func Mentions(d Definition) []Mention {
	var m mentions
	m.node(d.root, "")
	return m.all
}

type mentions struct{ all []Mention }

func (m *mentions) nodes(of []Node, at string) {
	for i, n := range of {
		m.node(n, at+"/"+strconv.Itoa(i))
	}
}

func (m *mentions) node(n Node, at string) {
	switch n := n.(type) {
	case All:
		m.nodes(n.Of, at+"/all")
	case Any:
		m.nodes(n.Of, at+"/any")
	case AtLeast:
		m.nodes(n.Of, at+"/of")
	case Not:
		m.node(n.Of, at+"/not")
	case Attribute:
		if _, native := nativeAttributes[n.Name]; !native {
			m.all = append(m.all, Mention{Kind: AttributeMention, Pointer: at + "/attribute", Attribute: n.Name})
			m.values(n.Comparison, at, Mention{Attribute: n.Name})
		}
	case Tag:
		m.all = append(m.all, Mention{Kind: TagMention, Pointer: at + "/tag", Attribute: tagsAttribute, Value: n.Name, List: true})
	case Event:
		m.event(n.Name, n.Where, at)
	case EventAggregate:
		m.event(n.Name, n.Where, at)
		if n.Aggregate.Property != "" {
			m.all = append(m.all, Mention{
				Kind: PropertyMention, Pointer: at + "/aggregate/property", Event: n.Name, Property: n.Aggregate.Property,
			})
		}
	case EventTime:
		m.event(n.Name, n.Where, at)
	case Sequence:
		for i, step := range n.Steps {
			m.event(step.Event, step.Where, at+"/sequence/"+strconv.Itoa(i))
		}
	case Experience:
		m.experience(n.ID, at)
		if n.Interaction != "" {
			m.said("interaction", n.Interaction, at)
		}
	case Answer:
		m.experience(n.Experience, at)
		m.said("question", n.Question, at)
		m.values(n.Comparison, at+"/answer", Mention{Event: experienceEvent, Property: "answer"})
	case Everyone, Identified, Segment, Import:
	default:
		panic(fmt.Sprintf("mentions: unknown node %T", n))
	}
}

func (m *mentions) event(name string, where Predicate, at string) {
	m.all = append(m.all, Mention{Kind: EventMention, Pointer: at + "/event", Event: name})
	m.predicate(name, where, at+"/where")
}

func (m *mentions) experience(id, at string) {
	m.all = append(m.all, Mention{
		Kind: ExperienceMention, Pointer: at + "/experience", Event: experienceEvent, Property: "experience", Value: id,
	})
}

// said mentions what is said of an experience.
func (m *mentions) said(field, value, at string) {
	m.all = append(m.all, Mention{Kind: ValueMention, Pointer: at + "/" + field, Event: experienceEvent, Property: field, Value: value})
}

func (m *mentions) predicate(event string, p Predicate, at string) {
	group := func(of []Predicate, field string) {
		for i, q := range of {
			m.predicate(event, q, at+"/"+field+"/"+strconv.Itoa(i))
		}
	}
	switch p := p.(type) {
	case nil:
	case AllOf:
		group(p.Of, "all")
	case AnyOf:
		group(p.Of, "any")
	case NotOf:
		m.predicate(event, p.Of, at+"/not")
	case Property:
		m.all = append(m.all, Mention{Kind: PropertyMention, Pointer: at + "/property", Event: event, Property: p.Path})
		m.values(p.Comparison, at, Mention{Event: event, Property: p.Path})
	default:
		panic(fmt.Sprintf("mentions: unknown predicate %T", p))
	}
}

// values mentions the texts that a value is compared with as wholes.
func (m *mentions) values(c Comparison, at string, of Mention) {
	op := c.Op
	if positive := operators[op].positive; positive != "" {
		op = positive
	}
	of.Kind, of.IgnoreCase = ValueMention, c.IgnoreCase
	switch {
	case op == OpEquals && c.Operand.Kind == TextOperand:
		of.Pointer, of.Value = at+"/value", c.Operand.Text
		m.all = append(m.all, of)
	case c.Operand.Kind == TextsOperand:
		of.List = op != OpIn
		for i, text := range c.Operand.Texts {
			of.Pointer, of.Value = at+"/value/"+strconv.Itoa(i), text
			m.all = append(m.all, of)
		}
	}
}
