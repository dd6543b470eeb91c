package queries

// leaf is what a plan computes: a set of users by a positive condition. Nothing in a leaf is relative any more, and leaves
// of the language that mean the same are the same leaf. Every pass from the plan on switches over these types.
type leaf interface{ leaf() }

type (
	// identifiedLeaf is the users with a user id.
	identifiedLeaf struct{}
	// importLeaf is the users who were in an import.
	importLeaf struct{ id string }
	// attributeLeaf is the users of whom a fact compares as asked. Its operator is a positive one.
	attributeLeaf struct {
		name string
		test Comparison
	}
	// eventLeaf is the users who did something as measured, counting only events that match where and lie in window.
	eventLeaf struct {
		name    string
		where   Predicate // nil for any
		window  interval
		measure measure
	}
	// sequenceLeaf is the users who did its steps in order.
	sequenceLeaf struct {
		steps    []Step
		complete Duration
		window   interval
	}
)

// events returns the event of each step.
func (l sequenceLeaf) events() []string {
	names := make([]string, len(l.steps))
	for i, step := range l.steps {
		names[i] = step.Event
	}
	return names
}

func (identifiedLeaf) leaf() {}
func (importLeaf) leaf()     {}
func (attributeLeaf) leaf()  {}
func (eventLeaf) leaf()      {}
func (sequenceLeaf) leaf()   {}

// measure is what is asked of a user's matching events. It never holds for a user without any.
type measure struct {
	kind      measureKind
	fn        Fn        // of countedMeasure and aggregateMeasure
	property  string    // that fn is over
	counts    counts    // of counted and countedMeasure
	threshold Threshold // of aggregateMeasure
	test      Predicate // of latestMeasure: what holds for the last of the events
}

type measureKind uint8

const (
	happened         measureKind = iota // there is one
	counted                             // as many as counts asks
	countedMeasure                      // fn, a whole number, is as counts asks
	aggregateMeasure                    // fn is as the threshold asks
	latestMeasure                       // the last of them passes the test
)
