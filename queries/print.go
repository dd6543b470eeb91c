package queries

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Print returns the definition as canonical JSON: decoding it gives the same definition, and equal definitions print
// the same.
func Print(d Definition) []byte {
	return printJSON(func(p printer) { p.node(d.root) })
}

// printJSON returns the value that a function writes.
func printJSON(write func(printer)) []byte {
	var b bytes.Buffer
	write(printer{jsontext.NewEncoder(&b)})
	return bytes.TrimSpace(b.Bytes())
}

// Hash returns the SHA-256 of the canonical JSON, in hexadecimal.
func Hash(d Definition) string {
	sum := sha256.Sum256(Print(d))
	return hex.EncodeToString(sum[:])
}

// printer writes tokens to memory; every token is one the decoder would take, so none can be refused.
type printer struct{ enc *jsontext.Encoder }

func (p printer) token(t jsontext.Token) {
	if err := p.enc.WriteToken(t); err != nil {
		panic(fmt.Sprintf("print a definition: %v", err))
	}
}

func (p printer) number(n float64) { p.token(jsontext.Float(n)) }

func (p printer) text(s string) { p.token(jsontext.String(s)) }

func (p printer) field(name, value string) {
	p.text(name)
	p.text(value)
}

// object writes an object whose fields the function writes.
func (p printer) object(fields func()) {
	p.token(jsontext.BeginObject)
	fields()
	p.token(jsontext.EndObject)
}

func printArray[T any](p printer, items []T, item func(T)) {
	p.token(jsontext.BeginArray)
	for _, i := range items {
		item(i)
	}
	p.token(jsontext.EndArray)
}

func (p printer) node(n Node) {
	p.object(func() {
		switch n := n.(type) {
		case All:
			p.text("all")
			printArray(p, n.Of, p.node)
		case Any:
			p.text("any")
			printArray(p, n.Of, p.node)
		case Not:
			p.text("not")
			p.node(n.Of)
		case AtLeast:
			p.text("at_least")
			p.token(jsontext.Int(int64(n.Count)))
			p.text("of")
			printArray(p, n.Of, p.node)
		case Everyone:
			p.text("everyone")
			p.token(jsontext.True)
		case Identified:
			p.text("identified")
			p.token(jsontext.Bool(n.Is))
		case Attribute:
			p.field("attribute", n.Name)
			p.comparison(n.Comparison)
		case Event:
			p.field("event", n.Name)
			p.where(n.Where)
			p.count(n.Count)
			p.window(n.Window)
		case EventAggregate:
			p.field("event", n.Name)
			p.where(n.Where)
			p.aggregate(n.Aggregate)
			p.threshold(n.Threshold)
			p.window(n.Window)
		case EventTime:
			p.field("event", n.Name)
			p.where(n.Where)
			p.text(map[bool]string{true: "last", false: "first"}[n.Last])
			p.object(func() { p.comparison(n.Comparison) })
		case Sequence:
			p.sequence(n)
		case Experience:
			p.field("experience", n.ID)
			if n.Interaction != "" {
				p.field("interaction", n.Interaction)
			}
			p.count(n.Count)
			p.window(n.Window)
		case Answer:
			p.field("experience", n.Experience)
			p.field("question", n.Question)
			p.text("answer")
			p.object(func() { p.comparison(n.Comparison) })
			if n.Latest {
				p.text("latest")
				p.token(jsontext.True)
			}
			p.window(n.Window)
		case Tag:
			p.field("tag", n.Name)
		case Segment:
			p.field("segment", n.ID)
		case Import:
			p.field("import", n.ID)
		default:
			panic(fmt.Sprintf("print: unknown node %T", n))
		}
	})
}

func (p printer) where(where Predicate) {
	if where != nil {
		p.text("where")
		p.predicate(where)
	}
}

// count writes how often something must have happened, unless that is what is meant without.
func (p printer) count(t Threshold) {
	if t != once {
		p.text("count")
		p.object(func() { p.threshold(t) })
	}
}

// threshold writes the fields of a threshold.
func (p printer) threshold(t Threshold) {
	p.field("op", string(t.Op))
	p.text("value")
	if t.Op == OpWithin {
		printArray(p, []float64{t.N, t.M}, p.number)
		return
	}
	p.number(t.N)
}

func (p printer) aggregate(a Aggregate) {
	p.text("aggregate")
	p.object(func() {
		p.field("fn", string(a.Fn))
		if a.Property != "" {
			p.field("property", a.Property)
		}
	})
}

func (p printer) sequence(s Sequence) {
	p.text("sequence")
	printArray(p, s.Steps, func(step Step) {
		p.object(func() {
			p.field("event", step.Event)
			p.where(step.Where)
		})
	})
	if s.CompleteWithin != (Duration{}) {
		p.field("complete_within", s.CompleteWithin.String())
	}
	p.window(s.Window)
}

// window writes the fields of a window.
func (p printer) window(w Window) {
	switch {
	case w.Within != Duration{}:
		p.field("within", w.Within.String())
	case w.To != "":
		p.text("between")
		p.object(func() {
			p.field("from", string(w.From))
			p.field("to", string(w.To))
		})
	case w.From != "":
		p.field("since", string(w.From))
	}
}

func (p printer) predicate(n Predicate) {
	p.object(func() {
		switch n := n.(type) {
		case AllOf:
			p.text("all")
			printArray(p, n.Of, p.predicate)
		case AnyOf:
			p.text("any")
			printArray(p, n.Of, p.predicate)
		case NotOf:
			p.text("not")
			p.predicate(n.Of)
		case Property:
			p.field("property", n.Path)
			p.comparison(n.Comparison)
		default:
			panic(fmt.Sprintf("print: unknown predicate %T", n))
		}
	})
}

// comparison writes the fields of a comparison.
func (p printer) comparison(c Comparison) {
	p.field("op", string(c.Op))
	if c.Operand.Kind != NoOperand {
		p.text("value")
		p.operand(c.Operand)
	}
	if c.IgnoreCase {
		p.text("ignore_case")
		p.token(jsontext.True)
	}
}

func (p printer) operand(o Operand) {
	switch o.Kind {
	case NoOperand:
	case TextOperand:
		p.text(o.Text)
	case TextsOperand:
		printArray(p, o.Texts, p.text)
	case NumberOperand:
		p.number(o.Number)
	case NumbersOperand, RangeOperand:
		printArray(p, o.Numbers, p.number)
	case BooleanOperand:
		p.token(jsontext.Bool(o.Boolean))
	case MomentOperand:
		p.text(string(o.From))
	case MomentsOperand:
		printArray(p, []string{string(o.From), string(o.To)}, p.text)
	case DurationOperand:
		p.text(o.Duration.String())
	case intervalOperand:
		panic("print: an interval is not in the language")
	}
}
