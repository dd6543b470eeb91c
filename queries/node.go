package queries

// Definition is a decoded definition of a set of users. The zero value is none.
type Definition struct {
	root Node
}

// EveryoneDefinition is the definition of every user.
func EveryoneDefinition() Definition { return Definition{Everyone{}} }

// Node is a condition: a group of conditions or a leaf. The nodes of the language are exactly the types of this file that
// implement it; every pass switches over all of them, and a test proves that none forgets one.
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
	// Identified holds for users with a user id, or for those without.
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
		Count  Threshold
		Window Window
	}
	// EventAggregate holds for users of whom an aggregate over the matching events is as asked.
	EventAggregate struct {
		Name      string
		Where     Predicate // nil for any
		Aggregate Aggregate
		Threshold Threshold
		Window    Window
	}
	// EventTime compares when the first or the last matching event was, of all time up to now.
	EventTime struct {
		Name  string
		Where Predicate // nil for any
		Last  bool      // or the first
		Comparison
	}
	// Sequence holds for users who did its steps one after the other, each strictly later than the one before.
	Sequence struct {
		Steps          []Step   // 2 to 8
		CompleteWithin Duration // from the first to the last; the zero value sets no bound
		Window         Window
	}
	// Experience holds for users who had an experience, and interacted with it, as often as Count asks.
	Experience struct {
		ID          string
		Interaction string // empty for any
		Count       Threshold
		Window      Window
	}
	// Answer compares the answers to a question of an experience: any of those in Window, or the latest of them.
	Answer struct {
		Experience, Question string
		Comparison
		Latest bool
		Window Window
	}
	// Tag holds for users whom people have given a tag.
	Tag struct{ Name string }
	// Segment holds for the users of another segment, as it is currently defined.
	Segment struct{ ID string }
	// Import holds for the users who were in an import.
	Import struct{ ID string }
)

func (All) node()            {}
func (Any) node()            {}
func (Not) node()            {}
func (AtLeast) node()        {}
func (Everyone) node()       {}
func (Identified) node()     {}
func (Attribute) node()      {}
func (Event) node()          {}
func (EventAggregate) node() {}
func (EventTime) node()      {}
func (Sequence) node()       {}
func (Experience) node()     {}
func (Answer) node()         {}
func (Tag) node()            {}
func (Segment) node()        {}
func (Import) node()         {}

// Step is one step of a sequence.
type Step struct {
	Event string
	Where Predicate // nil for any
}

// Window is the time in which events count: the last Within, or from From (in) to To (out), or since From. The zero
// value is all time up to now.
type Window struct {
	Within   Duration
	From, To Moment
}
