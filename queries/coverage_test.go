package queries_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"muster/queries"
)

// The fixtures have everything the language has: every operator, of attributes and of properties, plain and negated, with a user
// whose value it holds for, one whose value it does not hold for, one without a value and one whose value is of another type; and
// every kind of node, window, count, aggregate and unit. It is found by reading them; whether they hold is TestFixtures'.
func TestFixturesCoverTheLanguage(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := covered{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		seen.read(t, string(text))
	}
	for _, on := range []string{"attribute", "property"} {
		for op, operands := range queries.Operators() {
			seen.wantOperator(t, on, op, operands)
		}
	}
	for _, kind := range queries.Kinds() {
		seen.want(t, "node "+kind)
		seen.want(t, "negated "+kind)
	}
	for _, kind := range []string{"count", "aggregate", "sequence", "experience", "answer"} {
		for _, window := range []string{"none", "within", "between", "since"} {
			seen.want(t, "window "+kind+" "+window)
		}
	}
	for _, op := range queries.ThresholdOps() {
		for _, of := range append(queries.Fns(), "count", "experience") {
			seen.want(t, "threshold "+of+" "+op)
		}
	}
	for _, op := range queries.TimeOperators() {
		for _, which := range []string{"first", "last"} {
			seen.want(t, which+" "+op+" no match")
			if op != "within_next" && op != "more_than_ahead" { // nothing has happened after now
				seen.want(t, which+" "+op+" match")
			}
		}
	}
	for _, unit := range queries.Units() {
		seen.want(t, "unit "+unit)
	}
	for _, what := range []string{
		"zero count eq", "zero count lte", "zero count lt", "zero count gte", "zero count between", "zero count neq",
		"latest", "complete_within", "where all", "where any", "where not", "identified false",
	} {
		seen.want(t, what)
	}
}

// The page for people has an example of everything, too.
func TestThePageCoversTheLanguage(t *testing.T) {
	seen := covered{}
	seen.read(t, examples(t))
	for op := range queries.Operators() {
		seen.want(t, "operator "+string(op))
	}
	for _, kind := range queries.Kinds() {
		seen.want(t, "node "+kind)
	}
	for _, fn := range queries.Fns() {
		seen.want(t, "aggregate "+fn)
	}
	for _, op := range queries.ThresholdOps() {
		seen.want(t, "threshold count "+op)
	}
	for _, window := range []string{"none", "within", "between", "since"} {
		seen.want(t, "window count "+window)
	}
	for _, unit := range queries.Units() {
		seen.want(t, "unit "+unit)
	}
	for _, what := range []string{"latest", "complete_within", "where all", "where any", "where not", "first", "last"} {
		seen.want(t, what)
	}
}

// covered is what evaluations have in them.
type covered map[string]bool

func (c covered) want(t *testing.T, what string) {
	t.Helper()
	if !c[what] {
		t.Errorf("there is no evaluation with: %s", what)
	}
}

// operandNames tell the kinds of operands that are compared in different ways.
var operandNames = map[queries.OperandKind]string{
	queries.NoOperand: "nothing", queries.TextOperand: "text", queries.TextsOperand: "texts", queries.NumberOperand: "number",
	queries.NumbersOperand: "numbers", queries.BooleanOperand: "boolean", queries.RangeOperand: "range", queries.MomentOperand: "time",
	queries.MomentsOperand: "times", queries.DurationOperand: "duration",
}

// wantOperator wants a positive operator with every operand it takes, as it is and negated by not; and its negative one.
func (c covered) wantOperator(t *testing.T, on string, op queries.Op, operands []queries.OperandKind) {
	t.Helper()
	for _, operand := range operands {
		for _, value := range []string{"match", "no match", "missing", "wrong type"} {
			if operand == queries.NoOperand && (value == "wrong type" || value == "no match") {
				continue // any value exists
			}
			what := fmt.Sprintf("%s %s %s %s", on, op, operandNames[operand], value)
			c.want(t, what)
			if queries.Positive(op) == "" {
				c.want(t, "not "+what)
			}
		}
		if isText := operand == queries.TextOperand || operand == queries.TextsOperand; isText && queries.Folds(op) {
			c.want(t, fmt.Sprintf("%s %s %s ignoring case", on, op, operandNames[operand]))
		}
	}
}

// read takes in the evaluations of a fixture.
func (c covered) read(t *testing.T, text string) {
	t.Helper()
	fx := &fixture{world: newWorld(), project: project, segments: map[string]queries.Definition{}}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case word == "refuse":
			i++
		case word != "eval":
			if err := fx.loadAll([]string{line}); err != nil {
				t.Fatal(err)
			}
		default:
			var definition object
			if err := json.Unmarshal([]byte(rest), &definition); err != nil {
				t.Fatal(err)
			}
			i++
			c.node(definition, false)
			c.compared(definition, fx.oracle(), strings.Fields(lines[i]))
		}
	}
}

var unitForm = regexp.MustCompile(`^\d+(s|m|h|d|w|mo|y)$`)

// node takes in what stands in a definition.
func (c covered) node(n object, negated bool) {
	for _, kind := range queries.Kinds() {
		if n[kind] == nil {
			continue
		}
		c["node "+kind] = true
		if negated {
			c["negated "+kind] = true
		}
	}
	if n["identified"] == false {
		c["identified false"] = true
	}
	c.leaf(n)
	for _, key := range []string{"all", "any", "of"} {
		parts, _ := n[key].([]any)
		for _, part := range parts {
			c.node(part.(object), false)
		}
	}
	if inner, ok := n["not"].(object); ok {
		c.node(inner, true)
	}
}

func (c covered) leaf(n object) {
	window := "none"
	for _, form := range []string{"within", "between", "since"} {
		if n[form] != nil {
			window = form
		}
	}
	threshold := func(of string, asked object) {
		c["threshold "+of+" "+asked["op"].(string)] = true
		low := asked["value"]
		if ends, ok := low.([]any); ok {
			low = ends[0]
		}
		if of == "count" && low == 0.0 || of == "count" && asked["op"] == "lte" {
			c["zero count "+asked["op"].(string)] = true
		}
	}
	switch count, _ := n["count"].(object); {
	case n["aggregate"] != nil:
		fn := n["aggregate"].(object)["fn"].(string)
		c["window aggregate "+window], c["aggregate "+fn] = true, true
		threshold(fn, n)
	case n["answer"] != nil:
		c["window answer "+window] = true
	case n["experience"] != nil:
		c["window experience "+window] = true
		if count != nil {
			threshold("experience", count)
		}
	case n["sequence"] != nil:
		c["window sequence "+window] = true
	case n["event"] != nil && n["first"] == nil && n["last"] == nil:
		c["window count "+window] = true
		if count != nil {
			threshold("count", count)
		}
	}
	for _, field := range []string{"latest", "complete_within", "first", "last"} {
		c[field] = c[field] || n[field] != nil && n[field] != false
	}
	where, _ := n["where"].(object)
	for _, key := range []string{"all", "any", "not"} {
		c["where "+key] = c["where "+key] || where[key] != nil
	}
	c.words(n)
}

// words takes in the operators and the units that stand anywhere in a leaf.
func (c covered) words(value any) {
	switch v := value.(type) {
	case object:
		if op, ok := v["op"].(string); ok {
			c["operator "+op] = true
		}
		for key, inner := range v {
			if key != "not" && key != "all" && key != "any" && key != "of" {
				c.words(inner)
			}
		}
		for _, key := range []string{"not", "all", "any"} {
			c.words(v[key])
		}
	case []any:
		for _, inner := range v {
			c.words(inner)
		}
	case string:
		if unit := unitForm.FindStringSubmatch(v); unit != nil {
			c["unit "+unit[1]] = true
		}
	}
}

// compared takes in whose values a definition of one comparison holds for. A definition of a property is one over a single event,
// of which each user did one.
func (c covered) compared(n object, o *oracle, held []string) {
	not := ""
	if inner, ok := n["not"].(object); ok {
		n, not = inner, "not "
	}
	on, comparison := "attribute", n
	where, _ := n["where"].(object)
	if inner, ok := where["not"].(object); ok && not == "" {
		where, not = inner, "not "
	}
	switch {
	case n["attribute"] != nil:
	case where["property"] != nil && n["count"] == nil && n["aggregate"] == nil && n["first"] == nil && n["last"] == nil:
		on, comparison = "property", where
	default:
		c.moments(n, o, held, not != "")
		return
	}
	op := comparison["op"].(string)
	operand := operandOf(op, comparison["value"])
	if comparison["ignore_case"] == true {
		c[fmt.Sprintf("%s %s %s ignoring case", on, op, operand)] = true
		return
	}
	negative := queries.Positive(queries.Op(op)) != ""
	for _, u := range o.users {
		var value any
		if on == "attribute" {
			value = o.attribute(n["attribute"].(string), u)
		} else {
			events := o.matching(n["event"].(string), nil, object{}, u)
			if len(events) != 1 {
				continue
			}
			value = events[0].properties[where["property"].(string)]
		}
		outcome := "no match"
		switch {
		case value == nil:
			outcome = "missing"
		case !hasReading(o, value, operand, op):
			outcome = "wrong type"
		case slices.Contains(held, u.name) != ((not != "") != negative): // it holds before it is negated
			outcome = "match"
		}
		c[fmt.Sprintf("%s%s %s %s %s", not, on, op, operand, outcome)] = true
	}
}

// moments takes in for whom a first or last event holds.
func (c covered) moments(n object, o *oracle, held []string, not bool) {
	for _, which := range []string{"first", "last"} {
		asked, ok := n[which].(object)
		if !ok || not {
			continue
		}
		for _, u := range o.users {
			if len(o.matching(n["event"].(string), n["where"], object{}, u)) == 0 {
				continue
			}
			outcome := map[bool]string{true: "match", false: "no match"}[slices.Contains(held, u.name)]
			c[which+" "+asked["op"].(string)+" "+outcome] = true
		}
	}
}

// operandOf names the kind of an operand.
func operandOf(op string, value any) string {
	isTime := slices.Contains(queries.TimeOperators(), op)
	switch v := value.(type) {
	case nil:
		return "nothing"
	case float64:
		return "number"
	case bool:
		return "boolean"
	case object:
		return operandOf(op, []any{v["from"], v["to"]})
	case []any:
		_, numbers := v[0].(float64)
		switch {
		case op == "between" && numbers:
			return "range"
		case op == "between":
			return "times"
		case numbers:
			return "numbers"
		}
		return "texts"
	}
	switch {
	case isTime && unitForm.MatchString(value.(string)):
		return "duration"
	case isTime:
		return "time"
	}
	return "text"
}

// hasReading tells whether a value has the reading that an operand picks.
func hasReading(o *oracle, value any, operand, op string) bool {
	switch operand {
	case "text", "texts":
		if strings.HasPrefix(op, "has_") {
			_, ok := value.([]any)
			return ok
		}
		_, ok := value.(string)
		return ok
	case "number", "numbers", "range":
		_, ok := numberOf(value)
		return ok
	case "boolean":
		_, ok := value.(bool)
		return ok || value == "true" || value == "false"
	case "time", "times", "duration":
		_, ok := o.timeOf(value)
		return ok
	}
	return true
}
