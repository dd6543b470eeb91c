package queries

// References lists the segments a definition names, each once, in the order they stand in.
func References(d Definition) []string {
	var ids unique
	walk(d.root, func(n Node) {
		if s, ok := n.(Segment); ok {
			ids.add(s.ID)
		}
	})
	return ids.all
}

// Names are the names a definition uses, each once, in the order they stand in.
type Names struct {
	Attributes  []string // custom ones
	Events      []string
	Experiences []string
}

// NamesOf lists the names a definition uses that traffic may never have used.
func NamesOf(d Definition) Names {
	var attributes, events, experiences unique
	walk(d.root, func(n Node) {
		switch n := n.(type) {
		case Attribute:
			if _, native := nativeAttributes[n.Name]; !native {
				attributes.add(n.Name)
			}
		case Event:
			events.add(n.Name)
		case EventAggregate:
			events.add(n.Name)
		case EventTime:
			events.add(n.Name)
		case Sequence:
			for _, step := range n.Steps {
				events.add(step.Event)
			}
		case Experience:
			experiences.add(n.ID)
		case Answer:
			experiences.add(n.Experience)
		case All, Any, Not, AtLeast, Everyone, Identified, Tag, Segment, Import:
		}
	})
	return Names{attributes.all, events.all, experiences.all}
}

// unique keeps words in the order they came, each once.
type unique struct {
	all  []string
	seen map[string]bool
}

func (u *unique) add(word string) {
	if u.seen[word] {
		return
	}
	if u.seen == nil {
		u.seen = map[string]bool{}
	}
	u.seen[word] = true
	u.all = append(u.all, word)
}

// walk visits every node, parents first.
func walk(n Node, visit func(Node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, child := range children(n) {
		walk(child, visit)
	}
}

// children returns the conditions directly under a node.
func children(n Node) []Node {
	switch n := n.(type) {
	case All:
		return n.Of
	case Any:
		return n.Of
	case AtLeast:
		return n.Of
	case Not:
		return []Node{n.Of}
	default:
		return nil
	}
}
