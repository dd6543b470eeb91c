package queries

// Where experiences and tags are kept.
const (
	experienceEvent = "$experience"
	answerProperty  = "answer"
	tagsAttribute   = "tags"
)

// hasTag is what a tag asks of the tags.
func hasTag(n Tag) Comparison {
	return Comparison{Op: OpHasAny, Operand: Operand{Kind: TextsOperand, Texts: []string{n.Name}}}
}

// interactions is which events are of an experience, and of an interaction with it.
func interactions(n Experience) Predicate {
	where := []Predicate{textProperty("experience", n.ID)}
	if n.Interaction != "" {
		where = append(where, textProperty("interaction", n.Interaction))
	}
	return AllOf{where}
}

// asking is which events are of a question.
func asking(n Answer) []Predicate {
	return []Predicate{textProperty("experience", n.Experience), textProperty("question", n.Question)}
}

// answered is the condition that an event has an answer.
var answered = Property{answerProperty, Comparison{Op: OpExists}}

func textProperty(path, value string) Predicate {
	return Property{path, Comparison{Op: OpEquals, Operand: Operand{Kind: TextOperand, Text: value}}}
}

// sequence pins what a sequence asks.
func (c clock) sequence(n Sequence) sequenceLeaf {
	steps := make([]Step, len(n.Steps))
	for i, step := range n.Steps {
		steps[i] = Step{step.Event, c.predicate(step.Where)}
	}
	return sequenceLeaf{steps, n.CompleteWithin, c.window(n.Window)}
}
