package queries

// Definition is a decoded definition of a set of users. The zero value is none.
type Definition struct {
	root Node
}

// Node is a condition: a group of conditions or a leaf. The language's nodes are exactly the types of this package that
// implement it; every pass switches over all of them.
type Node interface{ node() }

// Groups.
type (
	// All holds for users in every condition.
	All struct{ Of []Node }
	// Any holds for users in at least one condition.
	Any struct{ Of []Node }
	// Not holds for the users of the project that are not in the condition.
	Not struct{ Of Node }
	// AtLeast holds for users in at least Count of the conditions.
	AtLeast struct {
		Count int
		Of    []Node
	}
)

// Leaves.
type (
	// Everyone holds for every user of the project.
	Everyone struct{}
	// Identified holds for users with a user id.
	Identified struct{ Is bool }
	// Attribute compares a fact about the user.
	Attribute struct {
		Name string
		Comparison
	}
	// Event holds for users who did something as often as Count asks, inside Window.
	Event struct {
		Name   string
		Where  Predicate // nil for any
		Count  Count
		Window Window
	}
	// Segment holds for the users of another segment, as it is currently defined.
	Segment struct{ ID string }
)

func (All) node()        {}
func (Any) node()        {}
func (Not) node()        {}
func (AtLeast) node()    {}
func (Everyone) node()   {}
func (Identified) node() {}
func (Attribute) node()  {}
func (Event) node()      {}
func (Segment) node()    {}

// Predicate is a condition over the properties of one event.
type Predicate interface{ predicate() }

// The predicates.
type (
	// AllOf holds when every predicate does.
	AllOf struct{ Of []Predicate }
	// AnyOf holds when at least one predicate does.
	AnyOf struct{ Of []Predicate }
	// NotOf holds when the predicate does not.
	NotOf struct{ Of Predicate }
	// Property compares a property, by its dotted path.
	Property struct {
		Path string
		Comparison
	}
)

func (AllOf) predicate()    {}
func (AnyOf) predicate()    {}
func (NotOf) predicate()    {}
func (Property) predicate() {}

// Count asks how often something must have happened. The zero value asks for at least once.
type Count struct {
	Op   CountOp
	N, M uint64 // M is the upper end of between
}

// CountOp compares a count.
type CountOp string

// The operators of counts.
const (
	CountEq      CountOp = "eq"
	CountNeq     CountOp = "neq"
	CountLt      CountOp = "lt"
	CountLte     CountOp = "lte"
	CountGt      CountOp = "gt"
	CountGte     CountOp = "gte"
	CountBetween CountOp = "between"
)

// Window is the time in which events count: the last Within, or from From (in) to To (out), or since From. The zero
// value is all time up to now.
type Window struct {
	Within   Duration
	From, To Moment
}

// References lists the segments a definition names, each once, in the order they stand in.
func References(d Definition) []string {
	var ids []string
	seen := map[string]bool{}
	walk(d.root, func(n Node) {
		if s, ok := n.(Segment); ok && !seen[s.ID] {
			seen[s.ID] = true
			ids = append(ids, s.ID)
		}
	})
	return ids
}

// Names are the names a definition uses, each once.
type Names struct {
	Attributes, Events []string
}

// NamesOf lists the custom attributes and the events a definition compares.
func NamesOf(d Definition) Names {
	var names Names
	seen := map[Node]bool{}
	walk(d.root, func(n Node) {
		switch n := n.(type) {
		case Attribute:
			if _, native := nativeAttributes[n.Name]; !native && !seen[Segment{"a" + n.Name}] {
				seen[Segment{"a" + n.Name}] = true
				names.Attributes = append(names.Attributes, n.Name)
			}
		case Event:
			if !seen[Segment{"e" + n.Name}] {
				seen[Segment{"e" + n.Name}] = true
				names.Events = append(names.Events, n.Name)
			}
		default:
		}
	})
	return names
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

// EveryoneDefinition is the definition of every user.
func EveryoneDefinition() Definition { return Definition{Everyone{}} }
