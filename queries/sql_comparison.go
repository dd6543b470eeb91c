package queries

import (
	"fmt"
	"math"
	"regexp/syntax"
	"strconv"
	"strings"
)

// compare prints a positive comparison as a condition that is true or false, never NULL.
func (s *sqlPrinter) compare(c Comparison, r reading) string {
	condition, ok := conditions[c.Op]
	if !ok {
		panic(fmt.Sprintf("sql: %q is no positive operator", c.Op))
	}
	return condition(s, c, r)
}

// conditions are what the positive operators mean in SQL. Those over times are one by now.
var conditions = map[Op]func(*sqlPrinter, Comparison, reading) string{
	OpExists: func(_ *sqlPrinter, _ Comparison, r reading) string { return r.exists },
	OpEquals: (*sqlPrinter).equal,
	OpIn:     (*sqlPrinter).equal,
	OpContains: func(s *sqlPrinter, c Comparison, r reading) string {
		return r.ofText("position(" + folded(c, r.text) + ", " + folded(c, s.text(c.Operand.Text)) + ") > 0")
	},
	OpStartsWith: func(s *sqlPrinter, c Comparison, r reading) string {
		return r.ofText("startsWith(" + folded(c, r.text) + ", " + folded(c, s.text(c.Operand.Text)) + ")")
	},
	OpEndsWith: func(s *sqlPrinter, c Comparison, r reading) string {
		return r.ofText("endsWith(" + folded(c, r.text) + ", " + folded(c, s.text(c.Operand.Text)) + ")")
	},
	OpMatches: func(s *sqlPrinter, c Comparison, r reading) string {
		return r.ofText("match(toValidUTF8(" + r.text + "), " + s.text(expression(c.Operand.Text, c.IgnoreCase)) + ")")
	},
	OpLt:  numeric("<"),
	OpLte: numeric("<="),
	OpGt:  numeric(">"),
	OpGte: numeric(">="),
	OpBetween: func(s *sqlPrinter, c Comparison, r reading) string {
		return never(r.number() + " BETWEEN " + s.number(c.Operand.Numbers[0]) + " AND " + s.number(c.Operand.Numbers[1]))
	},
	opDuring: func(s *sqlPrinter, c Comparison, r reading) string {
		return r.during(c.Operand.span)
	},
	OpHasAny: func(s *sqlPrinter, c Comparison, r reading) string {
		return "hasAny(" + r.list + ", " + s.texts(c.Operand.Texts) + ")"
	},
	OpHasAll: func(s *sqlPrinter, c Comparison, r reading) string {
		return "hasAll(" + r.list + ", " + s.texts(c.Operand.Texts) + ")"
	},
}

func numeric(sign string) func(*sqlPrinter, Comparison, reading) string {
	return func(s *sqlPrinter, c Comparison, r reading) string {
		return never(r.number() + " " + sign + " " + s.number(c.Operand.Number))
	}
}

// never takes NULL for what it means: the value has no such reading, and the condition does not hold.
func never(condition string) string { return "ifNull(" + condition + ", false)" }

// ofText prints a condition over the text, which does not hold without one.
func (r reading) ofText(condition string) string {
	if r.isText == "" {
		return never(condition)
	}
	return "(" + r.isText + " AND " + condition + ")"
}

// within prints that a value is in an interval, whose ends print says.
func within(value string, in interval, print func(int64) string) string {
	switch {
	case in.from == beginning && in.to == forever:
		return "isNotNull(" + value + ")"
	case in.from == beginning:
		return value + " < " + print(in.to)
	case in.to == forever:
		return value + " >= " + print(in.from)
	}
	return value + " >= " + print(in.from) + " AND " + value + " < " + print(in.to)
}

// equal compares with one value or with any of a list, in the reading that the operand picks.
func (s *sqlPrinter) equal(c Comparison, r reading) string {
	switch o := c.Operand; o.Kind {
	case TextOperand:
		return r.ofText(folded(c, r.text) + " = " + folded(c, s.text(o.Text)))
	case TextsOperand:
		list := s.texts(o.Texts)
		if c.IgnoreCase {
			list = "arrayMap(x -> " + folded(c, "x") + ", " + list + ")"
		}
		return r.ofText("has(" + list + ", " + folded(c, r.text) + ")")
	case NumberOperand:
		return never(r.number() + " = " + s.number(o.Number))
	case NumbersOperand:
		return "(isNotNull(" + r.number() + ") AND has(" + s.bind("Array(Float64)", numbers(o.Numbers)) + ", " + r.number() + "))"
	case BooleanOperand:
		return never(r.truth + " = " + s.text(strconv.FormatBool(o.Boolean)))
	case NoOperand, RangeOperand, MomentOperand, MomentsOperand, DurationOperand, intervalOperand:
	}
	panic(fmt.Sprintf("sql: equality with operand kind %d", c.Operand.Kind))
}

// folded prints a text with its case folded, where case is ignored: Unicode's full case folding, in which "ß" is "ss". A
// text that is not UTF-8 is folded as what shows of it.
func folded(c Comparison, text string) string {
	if c.IgnoreCase {
		return "caseFoldUTF8(toValidUTF8(" + text + "))"
	}
	return text
}

// expression returns a regular expression as Go's parser understands it, with every flag written out, so that ClickHouse
// understands the same. ClickHouse alone would let a dot match a line's end, and knows fewer names of classes.
func expression(text string, ignoreCase bool) string {
	parsed, err := parseExpression(text, ignoreCase)
	if err != nil {
		panic(fmt.Sprintf("sql: %q was no RE2 expression: %v", text, err)) // it was parsed when it was decoded
	}
	return parsed.String()
}

func parseExpression(text string, ignoreCase bool) (*syntax.Regexp, error) {
	flags := syntax.Perl
	if ignoreCase {
		flags |= syntax.FoldCase
	}
	return syntax.Parse(text, flags)
}

// exceeds prints that a computed number is as a threshold asks; NULL where there is none.
func (s *sqlPrinter) exceeds(number string, t Threshold) string {
	n := s.number(t.N)
	switch t.Op {
	case OpEq:
		return number + " = " + n
	case OpNeq:
		return number + " != " + n
	case OpLess:
		return number + " < " + n
	case OpAtMost:
		return number + " <= " + n
	case OpMore:
		return number + " > " + n
	case OpLeast:
		return number + " >= " + n
	case OpWithin:
		return number + " BETWEEN " + n + " AND " + s.number(t.M)
	case opOutside:
		return number + " NOT BETWEEN " + n + " AND " + s.number(t.M)
	default:
		panic(fmt.Sprintf("sql: unknown threshold %q", t.Op))
	}
}

// counted prints that a whole number is in a range.
func (s *sqlPrinter) counted(number string, c counts) string {
	switch {
	case c.most == math.MaxUint64:
		return number + " >= " + s.count(c.least)
	case c.least == c.most:
		return number + " = " + s.count(c.least)
	default:
		return number + " BETWEEN " + s.count(c.least) + " AND " + s.count(c.most)
	}
}

// joinedConditions prints several conditions as one, in brackets.
func joinedConditions(conditions []string, word string) string {
	return "(" + strings.Join(conditions, " "+word+" ") + ")"
}
