package queries

// experience reads a leaf over an experience: how often there was an interaction, or what was answered to a question.
func (d *decoder) experience(o object) Node {
	id := d.name(o, "experience", maxNameLength)
	_, question := o.fields["question"]
	_, answer := o.fields["answer"]
	if question || answer {
		return d.answer(id, o)
	}
	d.only(o, append([]string{"experience", "interaction", "count", "question", "answer"}, windowFields...)...)
	e := Experience{ID: id, Count: d.count(o), Window: d.window(o)}
	if _, ok := o.fields["interaction"]; ok {
		e.Interaction = d.name(o, "interaction", maxNameLength)
	}
	return e
}

func (d *decoder) answer(id string, o object) Node {
	d.only(o, append([]string{"experience", "question", "answer", "latest"}, windowFields...)...)
	a := Answer{Experience: id, Question: d.name(o, "question", maxNameLength), Window: d.window(o)}
	if d.has(o, "answer") {
		if inner, ok := d.object(o.fields["answer"], o.at+"/answer", o.depth); ok {
			d.only(inner, comparisonFields...)
			a.Comparison = d.comparison(inner)
		}
	}
	if value, ok := o.fields["latest"]; ok {
		a.Latest, _ = d.boolean(value, o.at+"/latest")
	}
	return a
}
