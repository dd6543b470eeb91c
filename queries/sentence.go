package queries

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Sentence says a definition in one English sentence, without a full stop.
func Sentence(d Definition) string { return sentence(d.root, false) }

// sentence says a node. Inside another group, a group of several is bracketed.
func sentence(n Node, inside bool) string {
	switch n := n.(type) {
	case All:
		return joined(n.Of, " and ", inside)
	case Any:
		return joined(n.Of, " or ", inside)
	case AtLeast:
		return fmt.Sprintf("at least %d of (%s)", n.Count, joined(n.Of, "; ", false))
	case Not:
		return "not (" + sentence(n.Of, false) + ")"
	case Everyone:
		return "everyone"
	case Identified:
		if n.Is {
			return "is identified"
		}
		return "is anonymous"
	case Attribute:
		return quoted(n.Name) + " " + comparisonPhrase(n.Comparison)
	case Event:
		return countedPhrase("did "+quoted(n.Name)+wherePhrase(n.Where), n.Count) + windowPhrase(n.Window)
	case EventAggregate:
		return aggregatePhrase(n)
	case EventTime:
		return map[bool]string{true: "last", false: "first"}[n.Last] + " did " + quoted(n.Name) + wherePhrase(n.Where) + " " +
			strings.TrimPrefix(comparisonPhrase(n.Comparison), "is ")
	case Sequence:
		return sequencePhrase(n)
	case Experience:
		what := "interacted with "
		if n.Interaction != "" {
			what = quoted(n.Interaction) + " "
		}
		return countedPhrase(what+quoted(n.ID), n.Count) + windowPhrase(n.Window)
	case Answer:
		which := "an answer"
		if n.Latest {
			which = "the latest answer"
		}
		return which + " to " + quoted(n.Question) + " of " + quoted(n.Experience) + " " + comparisonPhrase(n.Comparison) +
			windowPhrase(n.Window)
	case Tag:
		return "is tagged " + quoted(n.Name)
	case Import:
		return "was in import " + quoted(n.ID)
	case Segment:
		return "is in segment " + n.ID
	default:
		panic(fmt.Sprintf("sentence: unknown node %T", n))
	}
}

func joined(of []Node, word string, inside bool) string {
	var parts []string
	for _, n := range of {
		parts = append(parts, sentence(n, len(of) > 1))
	}
	text := strings.Join(parts, word)
	if inside && len(of) > 1 {
		return "(" + text + ")"
	}
	return text
}

func wherePhrase(where Predicate) string {
	if where == nil {
		return ""
	}
	return " where " + predicateSentence(where, true)
}

// countedPhrase says how often something was done.
func countedPhrase(what string, t Threshold) string {
	times := func(word string) string {
		if t.N == 1 {
			return what + " " + word + " once"
		}
		return what + " " + word + " " + decimalText(t.N) + " times"
	}
	switch {
	case t == once:
		return what
	case t.zeroOnly():
		return "never " + what
	}
	switch t.Op {
	case OpEq:
		return times("exactly")
	case OpNeq:
		return what + " a number of times other than " + decimalText(t.N)
	case OpLess:
		return times("less than")
	case OpAtMost:
		return times("at most")
	case OpMore:
		return times("more than")
	case OpLeast:
		return times("at least")
	case OpWithin, opOutside:
	}
	return what + " between " + decimalText(t.N) + " and " + decimalText(t.M) + " times"
}

func aggregatePhrase(n EventAggregate) string {
	of := " of " + quoted(n.Aggregate.Property)
	var what string
	switch n.Aggregate.Fn {
	case Sum:
		what = "the sum" + of
	case Min:
		what = "the least" + of
	case Max:
		what = "the greatest" + of
	case Avg:
		what = "the average" + of
	case Distinct:
		what = "the number of different values" + of
	case DistinctDays:
		what = "the number of days"
	}
	return what + " over " + quoted(n.Name) + wherePhrase(n.Where) + windowPhrase(n.Window) + " " + thresholdPhrase(n.Threshold)
}

func thresholdPhrase(t Threshold) string {
	words := map[ThresholdOp]string{
		OpEq: "is", OpNeq: "is not", OpLess: "is less than", OpAtMost: "is at most", OpMore: "is more than", OpLeast: "is at least",
	}
	if word, ok := words[t.Op]; ok {
		return word + " " + decimalText(t.N)
	}
	return "is between " + decimalText(t.N) + " and " + decimalText(t.M)
}

func sequencePhrase(s Sequence) string {
	steps := make([]string, len(s.Steps))
	for i, step := range s.Steps {
		steps[i] = quoted(step.Event) + wherePhrase(step.Where)
	}
	text := "did " + strings.Join(steps, ", then ")
	if s.CompleteWithin != (Duration{}) {
		text += ", all within " + s.CompleteWithin.phrase()
	}
	return text + windowPhrase(s.Window)
}

func windowPhrase(w Window) string {
	switch {
	case w.Within != Duration{}:
		return " in the last " + w.Within.phrase()
	case w.To != "":
		return " from " + string(w.From) + " to " + string(w.To)
	case w.From != "":
		return " since " + string(w.From)
	default:
		return ""
	}
}

func predicateSentence(p Predicate, inside bool) string {
	group := func(of []Predicate, word string) string {
		var parts []string
		for _, q := range of {
			parts = append(parts, predicateSentence(q, len(of) > 1))
		}
		text := strings.Join(parts, word)
		if inside && len(of) > 1 {
			return "(" + text + ")"
		}
		return text
	}
	switch p := p.(type) {
	case AllOf:
		return group(p.Of, " and ")
	case AnyOf:
		return group(p.Of, " or ")
	case NotOf:
		return "not (" + predicateSentence(p.Of, false) + ")"
	case Property:
		return quoted(p.Path) + " " + comparisonPhrase(p.Comparison)
	default:
		panic(fmt.Sprintf("sentence: unknown predicate %T", p))
	}
}

func comparisonPhrase(c Comparison) string {
	if c.Op == opDuring {
		return "is" + c.Operand.span.phrase()
	}
	text := operators[c.Op].phrase
	if operand := operandPhrase(c.Operand); operand != "" {
		text += " " + operand
	}
	if c.IgnoreCase {
		text += " (any case)"
	}
	return text
}

func operandPhrase(o Operand) string {
	switch o.Kind {
	case TextOperand:
		return quoted(o.Text)
	case TextsOperand:
		var parts []string
		for _, text := range o.Texts {
			parts = append(parts, quoted(text))
		}
		return strings.Join(parts, ", ")
	case NumberOperand:
		return decimalText(o.Number)
	case NumbersOperand:
		var parts []string
		for _, n := range o.Numbers {
			parts = append(parts, decimalText(n))
		}
		return strings.Join(parts, ", ")
	case BooleanOperand:
		return strconv.FormatBool(o.Boolean)
	case RangeOperand:
		return decimalText(o.Numbers[0]) + " and " + decimalText(o.Numbers[1])
	case MomentOperand:
		return string(o.From)
	case MomentsOperand:
		return string(o.From) + " and " + string(o.To)
	case DurationOperand:
		return o.Duration.phrase()
	case NoOperand, intervalOperand:
	}
	return ""
}

// decimalText prints a number without an exponent where people would.
func decimalText(n float64) string {
	if size := math.Abs(n); size != 0 && (size < 1e-6 || size >= 1e15) {
		return strconv.FormatFloat(n, 'g', -1, 64)
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// quoted puts quotation marks around a text that a sentence would otherwise swallow.
func quoted(text string) string {
	if text == "" || strings.ContainsAny(text, " ,\"()") {
		return strconv.Quote(text)
	}
	return text
}
