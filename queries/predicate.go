package queries

// Predicate is a condition over the properties of one event. Its complements are among events, not among users.
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
