package queries

import (
	"fmt"
	"maps"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// comparisonFields are those a comparison adds to its leaf.
var comparisonFields = []string{"op", "value", "ignore_case"}

// operatorNames are all operators, for suggestions.
func operatorNames() []string {
	var names []string
	for op := range maps.Keys(operators) {
		names = append(names, string(op))
	}
	slices.Sort(names)
	return names
}

// comparison reads op, value and ignore_case of a leaf.
func (d *decoder) comparison(o object) Comparison {
	if !d.has(o, "op") {
		return Comparison{}
	}
	name, ok := d.text(o.fields["op"], o.at+"/op")
	if !ok {
		return Comparison{}
	}
	op, known := operators[Op(name)]
	if !known {
		d.suggest(o.at+"/op", "unknown_operator", fmt.Sprintf("%q is no operator", name), name, operatorNames())
		return Comparison{}
	}
	c := Comparison{Op: Op(name)}
	value, given := o.fields["value"]
	at := o.at + "/value"
	switch {
	case op.operands[0] == NoOperand && given:
		d.refuse(at, "unknown_field", fmt.Sprintf("%q takes no value", name))
		return c
	case op.operands[0] == NoOperand:
	case !given:
		d.refuse(at, "required", fmt.Sprintf("%q needs a value", name))
		return c
	default:
		c.Operand = d.operand(value, at, name, op.operands)
	}
	if fold, ok := o.fields["ignore_case"]; ok {
		c.IgnoreCase, _ = d.boolean(fold, o.at+"/ignore_case")
		isText := c.Operand.Kind == TextOperand || c.Operand.Kind == TextsOperand
		if !op.folds || !isText && c.Operand.Kind != NoOperand {
			d.refuse(o.at+"/ignore_case", "unknown_field", fmt.Sprintf("%q compares no letters here, so it has no case to ignore", name))
		}
	}
	if (c.Op == OpMatches || c.Op == OpNotMatches) && c.Operand.Kind == TextOperand {
		d.expression(c.Operand.Text, c.IgnoreCase, at)
	}
	return c
}

// expression refuses what is no RE2 expression, and one so large that ClickHouse would refuse it.
func (d *decoder) expression(text string, ignoreCase bool, at string) {
	parsed, err := parseExpression(text, ignoreCase)
	if err != nil {
		d.refuse(at, "invalid_regexp", fmt.Sprintf("this is no RE2 expression: %v", err))
		return
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		d.refuse(at, "invalid_regexp", fmt.Sprintf("this is no RE2 expression: %v", err))
		return
	}
	size := 0
	for _, instruction := range program.Inst {
		size += 1 + len(instruction.Rune)
	}
	if size > maxExpression {
		d.refuse(at, "too_large", "the expression is too large: write shorter repetitions, or smaller classes of letters")
	}
}

// maxExpression bounds instructions and ranges of letters. ClickHouse takes about four times as much.
const maxExpression = 50_000

// operandNames say in an error what an operator takes.
var operandNames = map[OperandKind]string{
	TextOperand: "a text", TextsOperand: "a list of texts", NumberOperand: "a number", NumbersOperand: "a list of numbers",
	BooleanOperand: "true or false", RangeOperand: "two numbers, such as [1, 10]",
	MomentOperand: "a time, such as \"2026-01-31\" or \"2026-01-31T09:00:00Z\"", MomentsOperand: "two times, from and to",
	DurationOperand: "a duration, such as \"30d\"",
}

// operand reads a value as the first of the kinds that fits.
func (d *decoder) operand(value jsontext.Value, at, op string, kinds []OperandKind) Operand {
	takes := func(k OperandKind) bool { return slices.Contains(kinds, k) }
	wrong := func() Operand {
		var names []string
		for _, k := range kinds {
			names = append(names, operandNames[k])
		}
		d.refuse(at, "wrong_type", fmt.Sprintf("%q takes %s, not %s", op, strings.Join(names, " or "), kindName(value)))
		return Operand{}
	}
	switch value.Kind() {
	case '"':
		switch {
		case takes(TextOperand):
			text, _ := d.text(value, at)
			return Operand{Kind: TextOperand, Text: text}
		case takes(MomentOperand):
			return Operand{Kind: MomentOperand, From: d.moment(value, at)}
		case takes(DurationOperand):
			return Operand{Kind: DurationOperand, Duration: d.duration(value, at)}
		}
	case '0':
		if takes(NumberOperand) {
			n, _ := d.number(value, at)
			return Operand{Kind: NumberOperand, Number: n}
		}
	case 't', 'f':
		if takes(BooleanOperand) {
			return Operand{Kind: BooleanOperand, Boolean: value.Kind() == 't'}
		}
	case '[', '{':
		switch {
		case takes(RangeOperand):
			return d.ends(value, at)
		case value.Kind() == '[' && takes(TextsOperand):
			return d.list(value, at, takes(NumbersOperand))
		}
	case jsontext.KindInvalid, jsontext.KindNull, jsontext.KindEndObject, jsontext.KindEndArray:
	}
	return wrong()
}

// list reads a list of texts, or of numbers where those are taken.
func (d *decoder) list(value jsontext.Value, at string, numbers bool) Operand {
	items, ok := d.array(value, at)
	if !ok {
		return Operand{}
	}
	switch {
	case len(items) == 0:
		d.refuse(at, "empty_list", "the list needs at least one value")
		return Operand{}
	case len(items) > MaxValues:
		d.refuse(at, "too_many_values", fmt.Sprintf("the list has %d values; at most %d are taken", len(items), MaxValues))
		return Operand{}
	}
	o := Operand{Kind: TextsOperand}
	if numbers && items[0].Kind() == '0' {
		o.Kind = NumbersOperand
	}
	for i, item := range items {
		at := at + "/" + strconv.Itoa(i)
		if o.Kind == NumbersOperand {
			n, _ := d.number(item, at)
			o.Numbers = append(o.Numbers, n)
			continue
		}
		text, _ := d.text(item, at)
		o.Texts = append(o.Texts, text)
	}
	return o
}

// ends reads a range: two numbers or two times, as [low, high] or {"from":…,"to":…}.
func (d *decoder) ends(value jsontext.Value, at string) Operand {
	low, high, lowAt, highAt, ok := d.pair(value, at)
	if !ok {
		return Operand{}
	}
	if low.Kind() == '"' {
		from, to := d.orderedMoments(low, high, lowAt, highAt, at)
		return Operand{Kind: MomentsOperand, From: from, To: to}
	}
	a, okA := d.number(low, lowAt)
	b, okB := d.number(high, highAt)
	if okA && okB && a > b {
		d.refuse(at, "reversed_range", fmt.Sprintf("the range from %s to %s is empty; swap its ends", low, high))
	}
	return Operand{Kind: RangeOperand, Numbers: []float64{a, b}}
}

// pair reads two values, as a list of two or as an object with from and to.
func (d *decoder) pair(value jsontext.Value, at string) (low, high jsontext.Value, lowAt, highAt string, ok bool) {
	if value.Kind() == '[' {
		items, ok := d.array(value, at)
		if ok && len(items) != 2 {
			d.refuse(at, "wrong_type", fmt.Sprintf("a range has two ends; this one has %d", len(items)))
			return nil, nil, "", "", false
		}
		if !ok {
			return nil, nil, "", "", false
		}
		return items[0], items[1], at + "/0", at + "/1", true
	}
	o, ok := d.object(value, at, 0)
	if !ok {
		return nil, nil, "", "", false
	}
	d.only(o, "from", "to")
	for _, end := range []string{"from", "to"} {
		if _, ok := o.fields[end]; !ok {
			d.refuse(at+"/"+end, "required", fmt.Sprintf("a range needs %q", end))
			return nil, nil, "", "", false
		}
	}
	return o.fields["from"], o.fields["to"], at + "/from", at + "/to", true
}

func (d *decoder) moments(value jsontext.Value, at string) (from, to Moment) {
	low, high, lowAt, highAt, ok := d.pair(value, at)
	if !ok {
		return "", ""
	}
	return d.orderedMoments(low, high, lowAt, highAt, at)
}
