package segments

// Impatient makes an evaluator tell of leaves with few rows that they are expensive.
func (e *Evaluator) Impatient() { e.impatience = 100_000_000 }
