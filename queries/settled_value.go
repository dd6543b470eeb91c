package queries

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"muster"
)

// tests are what is asked of one value: what must hold, and what must not.
type tests struct{ positive, negative []Comparison }

func (t *tests) add(c Comparison, positive bool) {
	if p := operators[c.Op].positive; p != "" {
		c.Op, positive = p, !positive
	}
	if positive {
		t.positive = append(t.positive, c)
	} else {
		t.negative = append(t.negative, c)
	}
}

// impossible tells whether no value can be as asked. Numbers and times of it are within a range.
func (t *tests) impossible(within numberSet) bool {
	if len(t.positive) == 0 {
		return false // the value may be missing
	}
	if slices.ContainsFunc(t.negative, func(c Comparison) bool { return c.Op == OpExists }) {
		return true // every positive test takes a value
	}
	if all, ok := t.candidates(); ok {
		return !slices.ContainsFunc(all, t.possible)
	}
	return t.mixed() || t.numbersImpossible(within, numbersOf) || t.numbersImpossible(within, timesOf) || t.listImpossible() ||
		t.booleansImpossible()
}

// mixed tells whether readings are asked for that no value has together: a list has no other, and of numbers, times and
// booleans a value has one.
func (t *tests) mixed() bool {
	var list, number, instant, boolean, text bool
	for _, c := range t.positive {
		_, isNumber := numbersOf(c)
		_, isTime := timesOf(c)
		number, instant = number || isNumber, instant || isTime
		list = list || c.Op == OpHasAny || c.Op == OpHasAll
		boolean = boolean || c.Operand.Kind == BooleanOperand
		text = text || c.Operand.Kind == TextOperand
	}
	count := 0
	for _, is := range []bool{number, instant, boolean} {
		if is {
			count++
		}
	}
	return count > 1 || list && (count > 0 || text)
}

// numbersImpossible tells whether no number, or no time, is as asked, where one is asked for.
func (t *tests) numbersImpossible(within numberSet, of func(Comparison) (numberSet, bool)) bool {
	set, asked := within, false
	for _, c := range t.positive {
		if part, ok := of(c); ok {
			set, asked = set.and(part), true
		}
	}
	for _, c := range t.negative {
		if part, ok := of(c); ok {
			set = set.and(part.complement())
		}
	}
	return asked && len(set) == 0
}

func (t *tests) booleansImpossible() bool {
	var is [2]bool // false and true can be
	asked := false
	for k, value := range []bool{false, true} {
		is[k] = true
		for _, c := range t.positive {
			if c.Operand.Kind == BooleanOperand {
				asked, is[k] = true, is[k] && c.Operand.Boolean == value
			}
		}
		for _, c := range t.negative {
			if c.Operand.Kind == BooleanOperand {
				is[k] = is[k] && c.Operand.Boolean != value
			}
		}
	}
	return asked && !is[0] && !is[1]
}

// listImpossible tells whether a list cannot have what it must without having what it must not.
func (t *tests) listImpossible() bool {
	var all []string // it must have
	for _, c := range t.positive {
		if c.Op == OpHasAll {
			all = append(all, c.Operand.Texts...)
		}
	}
	has := func(text string) bool { return slices.Contains(all, text) }
	for _, c := range t.negative {
		if c.Op == OpHasAny {
			if slices.ContainsFunc(c.Operand.Texts, has) {
				return true
			}
			for _, p := range t.positive {
				if p.Op == OpHasAny && !slices.ContainsFunc(p.Operand.Texts, func(text string) bool { return !slices.Contains(c.Operand.Texts, text) }) {
					return true
				}
			}
		}
		if c.Op == OpHasAll && !slices.ContainsFunc(c.Operand.Texts, func(text string) bool { return !has(text) }) {
			return true
		}
	}
	return false
}

// candidate is a text that the value may be, or in any case.
type candidate struct {
	text   string
	folded bool
}

// candidates returns the texts of which the value is one, where there is a test that says so.
func (t *tests) candidates() ([]candidate, bool) {
	for _, c := range t.positive {
		texts := c.Operand.Texts
		switch {
		case c.Operand.Kind == TextOperand && c.Op == OpEquals:
			texts = []string{c.Operand.Text}
		case c.Operand.Kind == TextsOperand && c.Op == OpIn:
		default:
			continue
		}
		all := make([]candidate, len(texts))
		for i, text := range texts {
			all[i] = candidate{text, c.IgnoreCase}
		}
		return all, true
	}
	return nil, false
}

// possible tells whether the value can be a text by the tests.
func (t *tests) possible(v candidate) bool {
	for _, c := range t.positive {
		if is, sure := v.is(c); sure && !is {
			return false
		}
	}
	for _, c := range t.negative {
		if is, sure := v.is(c); sure && is {
			return false
		}
	}
	return true
}

// is tells whether a test holds for the text, and whether that is sure: what folding letters' case does beyond ASCII is
// for ClickHouse to say.
func (v candidate) is(c Comparison) (is, sure bool) {
	if set, ok := numbersOf(c); ok {
		n, reads := muster.ReadNumber(v.text)
		return reads && set.has(n), !v.folded || !reads && isASCII(v.text)
	}
	if _, ok := timesOf(c); ok || !utf8.ValidString(v.text) {
		return false, false
	}
	fold := v.folded || c.IgnoreCase
	holds := func(of func(text, operand string) bool, operand string) (is, sure bool) {
		if !fold {
			return of(v.text, operand), true
		}
		if !isASCII(v.text) || !isASCII(operand) {
			return false, false
		}
		is = of(strings.ToLower(v.text), strings.ToLower(operand))
		// A text in some case may differ from an operand in its own.
		return is, c.IgnoreCase || !is
	}
	equal := func(a, b string) bool { return a == b }
	switch {
	case c.Op == OpExists:
		return true, true
	case c.Op == OpEquals && c.Operand.Kind == TextOperand:
		return holds(equal, c.Operand.Text)
	case c.Op == OpIn:
		sure = true
		for _, text := range c.Operand.Texts {
			one, known := holds(equal, text)
			if one && known {
				return true, true
			}
			sure = sure && known
		}
		return false, sure
	case c.Op == OpContains:
		return holds(strings.Contains, c.Operand.Text)
	case c.Op == OpStartsWith:
		return holds(strings.HasPrefix, c.Operand.Text)
	case c.Op == OpEndsWith:
		return holds(strings.HasSuffix, c.Operand.Text)
	case c.Op == OpMatches:
		if fold {
			return false, false
		}
		expression, err := regexp.Compile(c.Operand.Text)
		return err == nil && expression.MatchString(v.text), err == nil
	case c.Op == OpHasAny || c.Op == OpHasAll:
		return false, true // a text is no list
	}
	return false, false
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
}

// numbersOf returns the numbers a test over numbers holds for.
func numbersOf(c Comparison) (numberSet, bool) {
	at := func(n float64, after bool) cut { return cut{n, after} }
	switch c.Operand.Kind {
	case NumberOperand:
		n := c.Operand.Number
		set, ok := map[Op]numberSet{
			OpEquals: {{at(n, false), at(n, true)}},
			OpLt:     {{lowest, at(n, false)}},
			OpLte:    {{lowest, at(n, true)}},
			OpGt:     {{at(n, true), highest}},
			OpGte:    {{at(n, false), highest}},
		}[c.Op]
		return set, ok
	case NumbersOperand:
		var set numberSet
		for _, n := range c.Operand.Numbers {
			set = set.or(numberSet{{at(n, false), at(n, true)}})
		}
		return set, true
	case RangeOperand:
		return numberSet{{at(c.Operand.Numbers[0], false), at(c.Operand.Numbers[1], true)}}, true
	case NoOperand, TextOperand, TextsOperand, BooleanOperand, MomentOperand, MomentsOperand, DurationOperand, intervalOperand:
	}
	return nil, false
}

// timesOf returns the times a test over times holds for, as milliseconds.
func timesOf(c Comparison) (numberSet, bool) {
	if c.Op != opDuring {
		return nil, false
	}
	span := c.Operand.span
	if span.empty() {
		return nil, true
	}
	set := numberSet{{lowest, highest}}
	if span.from != beginning {
		set[0].low = cut{float64(span.from), false}
	}
	if span.to != forever {
		set[0].high = cut{float64(span.to), false}
	}
	return set, true
}

// failsAlways tells whether no event's properties are as a predicate asks.
func failsAlways(p Predicate) bool {
	switch p := p.(type) {
	case nil:
		return false
	case AllOf:
		return slices.ContainsFunc(p.Of, failsAlways) || propertiesImpossible(p.Of, true)
	case AnyOf:
		return !slices.ContainsFunc(p.Of, func(q Predicate) bool { return !failsAlways(q) })
	case NotOf:
		return holdsAlways(p.Of)
	case Property:
		return propertiesImpossible([]Predicate{p}, true)
	default:
		panic(fmt.Sprintf("settled: unknown predicate %T", p))
	}
}

// holdsAlways tells whether every event's properties are as a predicate asks.
func holdsAlways(p Predicate) bool {
	switch p := p.(type) {
	case AllOf:
		return !slices.ContainsFunc(p.Of, func(q Predicate) bool { return !holdsAlways(q) })
	case AnyOf:
		return slices.ContainsFunc(p.Of, holdsAlways) || propertiesImpossible(p.Of, false)
	case NotOf:
		return failsAlways(p.Of)
	case Property:
		return propertiesImpossible([]Predicate{p}, false)
	default:
		panic(fmt.Sprintf("settled: unknown predicate %T", p))
	}
}

// propertiesImpossible tells whether tests of properties cannot all hold, or cannot all fail.
func propertiesImpossible(of []Predicate, hold bool) bool {
	byPath := map[string]*tests{}
	for _, p := range of {
		property, ok := p.(Property)
		if !ok {
			continue
		}
		t := byPath[property.Path]
		if t == nil {
			t = &tests{}
			byPath[property.Path] = t
		}
		t.add(property.Comparison, hold)
	}
	for _, t := range byPath {
		if t.impossible(anyNumber) {
			return true
		}
	}
	return false
}

// cut is a place between numbers: before a number or after it.
type cut struct {
	at    float64
	after bool
}

var (
	lowest    = cut{math.Inf(-1), false}
	highest   = cut{math.Inf(1), true}
	anyNumber = numberSet{{lowest, highest}}
)

func (c cut) less(o cut) bool { return c.at < o.at || c.at == o.at && !c.after && o.after }

// numberSet is a set of numbers: ranges between cuts, in their order, none empty and none touching the next.
type numberSet []struct{ low, high cut }

func (s numberSet) has(n float64) bool {
	for _, r := range s {
		if !(cut{n, false}).less(r.low) && r.low.less(cut{n, true}) && (cut{n, false}).less(r.high) {
			return true
		}
	}
	return false
}

func (s numberSet) and(o numberSet) numberSet {
	var both numberSet
	for _, a := range s {
		for _, b := range o {
			low, high := a.low, a.high
			if low.less(b.low) {
				low = b.low
			}
			if b.high.less(high) {
				high = b.high
			}
			if low.less(high) {
				both = append(both, struct{ low, high cut }{low, high})
			}
		}
	}
	return both
}

func (s numberSet) complement() numberSet {
	var rest numberSet
	from := lowest
	for _, r := range s {
		if from.less(r.low) {
			rest = append(rest, struct{ low, high cut }{from, r.low})
		}
		from = r.high
	}
	if from.less(highest) {
		rest = append(rest, struct{ low, high cut }{from, highest})
	}
	return rest
}

func (s numberSet) or(o numberSet) numberSet { return s.complement().and(o.complement()).complement() }
