package queries

import (
	"fmt"
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
		return n.Name + " " + comparisonPhrase(n.Comparison)
	case Event:
		return eventPhrase(n)
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

func eventPhrase(e Event) string {
	verb := "did "
	if e.Count.zeroOnly() {
		verb = "never did "
	}
	text := verb + e.Name
	if e.Where != nil {
		text += " where " + predicateSentence(e.Where, false)
	}
	return text + countPhrase(e.Count) + windowPhrase(e.Window)
}

func countPhrase(c Count) string {
	n := strconv.FormatUint(c.N, 10)
	times := func(word string) string {
		if c.N == 1 {
			return " " + word + " once"
		}
		return " " + word + " " + n + " times"
	}
	switch {
	case c.zeroOnly(), c.Op == CountGte && c.N == 1:
		return ""
	case c.Op == CountEq:
		return times("exactly")
	case c.Op == CountNeq:
		return " a number of times other than " + n
	case c.Op == CountLt:
		return times("less than")
	case c.Op == CountLte:
		return times("at most")
	case c.Op == CountGt:
		return times("more than")
	case c.Op == CountGte:
		return times("at least")
	default:
		return fmt.Sprintf(" between %d and %d times", c.N, c.M)
	}
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
		return p.Path + " " + comparisonPhrase(p.Comparison)
	default:
		panic(fmt.Sprintf("sentence: unknown predicate %T", p))
	}
}

func comparisonPhrase(c Comparison) string {
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
	number := func(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }
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
		return number(o.Number)
	case NumbersOperand:
		var parts []string
		for _, n := range o.Numbers {
			parts = append(parts, number(n))
		}
		return strings.Join(parts, ", ")
	case BooleanOperand:
		return strconv.FormatBool(o.Boolean)
	case RangeOperand:
		return number(o.Numbers[0]) + " and " + number(o.Numbers[1])
	case MomentOperand:
		return string(o.From)
	case MomentsOperand:
		return string(o.From) + " and " + string(o.To)
	case DurationOperand:
		return o.Duration.phrase()
	case NoOperand:
	}
	return ""
}

// quoted puts quotation marks around a text that a sentence would otherwise swallow.
func quoted(text string) string {
	if text == "" || strings.ContainsAny(text, " ,\"()") {
		return strconv.Quote(text)
	}
	return text
}
