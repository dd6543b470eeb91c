package queries

import (
	"fmt"
	"math"
	"strconv"

	"muster"
)

// Explanation is how a definition comes out for the users of a scope, one user as a rule: the tree of its conditions, each
// of which is a target of one plan, and what is read to show why a leaf holds or not.
type Explanation struct {
	Root  *Condition
	Plan  *Plan // its targets are numbered by [Condition.Target]; [Everybody] is one too
	scope Scope
	seen  []evidence
}

// Everybody is the target of an explanation's plan that holds for every user there was.
const Everybody = 0

// Condition is a node of a definition as it was written, and what is asked by it.
type Condition struct {
	Kind       string     // as the field that tells the kind in JSON
	Pointer    string     // JSON Pointer from the definition the node stands in
	Definition Definition // the node alone
	Target     int        // of the plan: whether the condition holds; equal conditions share one
	Of         []*Condition

	// Of leaves.
	Asked    []byte   // JSON: the operator and the operand or threshold; nil where there is none
	Span     *Span    // when a value or an event must be; nil where that is not asked
	Show     Show     // what there is to show of the leaf
	Evidence int      // the number of the rows to show; see [Explanation.Seen]
	Segment  string   // the id of a segment; Of then has its definition alone
	Events   []string // of the steps of a sequence
}

// Show is what there is to show of a leaf.
type Show uint8

// What leaves show.
const (
	ShowNothing   Show = iota
	ShowUserID         // the user's id, which its actors tell
	ShowValue          // one value
	ShowSince          // a time that was recorded
	ShowCount          // how many events counted, and the last of them
	ShowAggregate      // an aggregate of the events that counted, and the last of them
	ShowMoment         // when the first or the last of the events that counted was, and the last of them
	ShowSteps          // how far the best chain of a sequence came
	ShowAnswers        // answers to a question
)

// Explain prepares the explanation of a definition. Its error is a [muster.Error] when the definition names a segment that
// is unknown or comes back to itself.
func Explain(scope Scope, d Definition) (*Explanation, error) {
	// The plan resolves every target; resolving the whole first puts errors where the definition names what is wrong.
	if _, err := resolve(d, scope.Lookup, scope.Imports); err != nil {
		return nil, err
	}
	scope = scope.pinned()
	e := explainer{
		clock: clock{scope.Now, scope.Zone}, lookup: scope.Lookup, numbers: map[string]int{}, read: map[string]int{},
		x: &Explanation{scope: scope},
	}
	e.target(EveryoneDefinition())
	e.x.Root = e.node(d.root, "")
	if n := len(e.targets); n > math.MaxUint16 {
		return nil, &muster.Error{
			Code:   muster.InvalidDefinition,
			Detail: fmt.Sprintf("with all the segments it names, the definition has %d conditions, too many to explain", n),
		}
	}
	var err error
	e.x.Plan, err = Compile(scope, e.targets)
	return e.x, err
}

// explainer builds the tree of an explanation.
type explainer struct {
	clock

	lookup  Lookup
	targets []Target
	numbers map[string]int // of targets, by canonical JSON
	read    map[string]int // the numbers of what is read, by canonical JSON or attribute
	x       *Explanation
}

// target numbers a definition.
func (e *explainer) target(d Definition) int {
	key := string(Print(d))
	if _, ok := e.numbers[key]; !ok {
		e.numbers[key] = len(e.targets)
		e.targets = append(e.targets, Target{Definition: d})
	}
	return e.numbers[key]
}

// evidence numbers what is read of a leaf; a key stands for the same reading.
func (e *explainer) evidence(key string, of evidence) int {
	if _, ok := e.read[key]; !ok {
		e.read[key] = len(e.x.seen)
		e.x.seen = append(e.x.seen, of)
	}
	return e.read[key]
}

func (e *explainer) nodes(of []Node, at string) []*Condition {
	all := make([]*Condition, len(of))
	for i, n := range of {
		all[i] = e.node(n, at+"/"+strconv.Itoa(i))
	}
	return all
}

// node explains a node that stands at a pointer.
func (e *explainer) node(n Node, at string) *Condition {
	c := &Condition{Pointer: at, Definition: Definition{n}, Target: e.target(Definition{n})}
	var read func(*sqlPrinter) string
	switch n := n.(type) {
	case All:
		c.Kind, c.Of = "all", e.nodes(n.Of, at+"/all")
	case Any:
		c.Kind, c.Of = "any", e.nodes(n.Of, at+"/any")
	case AtLeast:
		c.Kind, c.Of = "at_least", e.nodes(n.Of, at+"/of")
	case Not:
		c.Kind, c.Of = "not", []*Condition{e.node(n.Of, at+"/not")}
	case Everyone:
		c.Kind = "everyone"
	case Identified:
		c.Kind, c.Show = "identified", ShowUserID
		c.Asked = printed(func(p printer) { p.comparison(Comparison{Op: existence(n.Is)}) })
	case Attribute:
		c.Kind, c.Show = "attribute", ShowValue
		c.Asked, c.Span = comparisonJSON(n.Comparison), e.comparisonSpan(n.Comparison)
		c.Evidence = e.evidence("attribute "+n.Name, evidence{attribute: n.Name})
	case Event:
		c.Kind, c.Show = "event", ShowCount
		c.Asked = thresholdJSON(n.Count)
		read = e.counting(c, eventLeaf{name: n.Name, where: n.Where}, n.Window)
	case EventAggregate:
		c.Kind, c.Show = "aggregate", ShowAggregate
		c.Asked = thresholdJSON(n.Threshold)
		read = e.counting(c, eventLeaf{
			name: n.Name, where: n.Where, measure: measure{kind: aggregateMeasure, fn: n.Aggregate.Fn, property: n.Aggregate.Property},
		}, n.Window)
	case EventTime:
		c.Kind, c.Show = map[bool]string{true: "last", false: "first"}[n.Last], ShowMoment
		c.Asked = comparisonJSON(n.Comparison)
		read = e.timing(n)
		c.Span = e.comparisonSpan(n.Comparison)
	case Sequence:
		c.Kind, c.Show = "sequence", ShowSteps
		for _, step := range n.Steps {
			c.Events = append(c.Events, step.Event)
		}
		c.Asked, c.Span = thresholdJSON(Threshold{Op: OpLeast, N: float64(len(n.Steps))}), e.windowSpan(n.Window)
		l := e.sequence(n)
		read = func(s *sqlPrinter) string { return s.seenSteps(l) }
	case Experience:
		c.Kind, c.Show = "experience", ShowCount
		c.Asked = thresholdJSON(n.Count)
		read = e.counting(c, eventLeaf{name: experienceEvent, where: interactions(n)}, n.Window)
	case Answer:
		c.Kind, c.Show = "answer", ShowAnswers
		c.Asked, c.Span = comparisonJSON(n.Comparison), e.windowSpan(n.Window)
		read = e.answers(n)
	case Tag:
		c.Kind, c.Show, c.Asked = "tag", ShowValue, comparisonJSON(hasTag(n))
		c.Evidence = e.evidence("attribute "+tagsAttribute, evidence{attribute: tagsAttribute})
	case Import:
		c.Kind, c.Show = "import", ShowSince
		read = func(s *sqlPrinter) string { return s.seenImport(n.ID) }
	case Segment:
		c.Kind, c.Segment = "segment", n.ID
		d, _ := e.lookup(n.ID) // it is there, for it was resolved
		c.Of = []*Condition{e.node(d.root, "")}
	default:
		panic(fmt.Sprintf("explain: unknown node %T", n))
	}
	if read != nil {
		c.Evidence = e.evidence(string(Print(c.Definition)), evidence{read: read})
	}
	return c
}

func existence(is bool) Op {
	if is {
		return OpExists
	}
	return OpNotExists
}

// printed returns an object whose fields the function writes, as JSON.
func printed(fields func(printer)) []byte {
	return printJSON(func(p printer) { p.object(func() { fields(p) }) })
}

func comparisonJSON(c Comparison) []byte { return printed(func(p printer) { p.comparison(c) }) }

func thresholdJSON(t Threshold) []byte { return printed(func(p printer) { p.threshold(t) }) }
