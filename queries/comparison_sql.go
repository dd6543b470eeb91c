package queries

import (
	"fmt"
	"time"
)

// reading is how the readings of a stored value are written in SQL. A reading the value does not have is NULL; what guards
// a reading must hold before the reading means anything.
type reading struct {
	exists  string
	text    guarded
	truth   guarded // 'true' or 'false'
	number  string  // Nullable(Float64)
	instant string  // Nullable(Int64), milliseconds since the epoch
	list    guarded
}

// guarded is an expression that means something only where the guard holds. Without a guard it is NULL elsewhere.
type guarded struct{ guard, expr string }

func (g guarded) where(condition string) string {
	if g.guard == "" {
		return "ifNull(" + condition + ", false)"
	}
	return "(" + g.guard + " AND " + condition + ")"
}

// compare prints a positive comparison as a condition that is true or false, never NULL.
func (p *sqlPrinter) compare(c Comparison, r reading) string {
	o := c.Operand
	switch c.Op {
	case OpExists:
		return r.exists
	case OpEquals, OpIn:
		return p.equal(c, r)
	case OpContains, OpStartsWith, OpEndsWith, OpMatches:
		return r.text.where(p.textCondition(c, r.text.expr))
	case OpLt:
		return "ifNull(" + r.number + " < " + p.number(o.Number) + ", false)"
	case OpLte:
		return "ifNull(" + r.number + " <= " + p.number(o.Number) + ", false)"
	case OpGt:
		return "ifNull(" + r.number + " > " + p.number(o.Number) + ", false)"
	case OpGte:
		return "ifNull(" + r.number + " >= " + p.number(o.Number) + ", false)"
	case OpBetween:
		if o.Kind == RangeOperand {
			return "ifNull(" + r.number + " BETWEEN " + p.number(o.Numbers[0]) + " AND " + p.number(o.Numbers[1]) + ", false)"
		}
		return p.within(r.instant, o.From.in(p.scope.Zone), o.To.in(p.scope.Zone))
	case OpBefore:
		return "ifNull(" + r.instant + " < " + p.millis(o.From.in(p.scope.Zone)) + ", false)"
	case OpAfter:
		return "ifNull(" + r.instant + " > " + p.millis(o.From.in(p.scope.Zone)) + ", false)"
	case OpOn:
		start, end := o.From.day(p.scope.Zone)
		return p.within(r.instant, start, end)
	case OpWithinLast:
		return p.after(r.instant, o.Duration.before(p.scope.Now, p.scope.Zone), p.scope.Now)
	case OpMoreThanAgo:
		return "ifNull(" + r.instant + " <= " + p.millis(o.Duration.before(p.scope.Now, p.scope.Zone)) + ", false)"
	case OpWithinNext:
		return p.after(r.instant, p.scope.Now, o.Duration.after(p.scope.Now, p.scope.Zone))
	case OpMoreAhead:
		return "ifNull(" + r.instant + " > " + p.millis(o.Duration.after(p.scope.Now, p.scope.Zone)) + ", false)"
	case OpHasAny:
		return r.list.where("hasAny(" + r.list.expr + ", " + p.texts(o.Texts) + ")")
	case OpHasAll:
		return r.list.where("hasAll(" + r.list.expr + ", " + p.texts(o.Texts) + ")")
	default:
		panic(fmt.Sprintf("sql: %q is no positive operator", c.Op))
	}
}

// equal compares with one value or with any of a list, in the reading that the operand picks.
func (p *sqlPrinter) equal(c Comparison, r reading) string {
	switch o := c.Operand; o.Kind {
	case TextOperand:
		return r.text.where(p.folded(c, r.text.expr) + " = " + p.folded(c, p.text(o.Text)))
	case TextsOperand:
		list := p.texts(o.Texts)
		if c.IgnoreCase {
			list = "arrayMap(x -> lowerUTF8(x), " + list + ")"
		}
		return r.text.where("has(" + list + ", " + p.folded(c, r.text.expr) + ")")
	case NumberOperand:
		return "ifNull(" + r.number + " = " + p.number(o.Number) + ", false)"
	case NumbersOperand:
		return "ifNull(has(" + p.bind("Array(Float64)", numbers(o.Numbers)) + ", assumeNotNull(" + r.number + ")) AND isNotNull(" + r.number + "), false)"
	case BooleanOperand:
		return r.truth.where(r.truth.expr + " = " + p.text(fmt.Sprint(o.Boolean)))
	default:
		panic(fmt.Sprintf("sql: equality with operand kind %d", o.Kind))
	}
}

func (p *sqlPrinter) textCondition(c Comparison, text string) string {
	call := map[Op]string{OpContains: "0 < position", OpStartsWith: "startsWith", OpEndsWith: "endsWith"}
	if f, ok := call[c.Op]; ok {
		return f + "(" + p.folded(c, text) + ", " + p.folded(c, p.text(c.Operand.Text)) + ")"
	}
	// Without s a dot does not match a line's end, as in RE2 itself; ClickHouse sets s unless told.
	flags := "(?-s)"
	if c.IgnoreCase {
		flags = "(?i-s)"
	}
	return "match(" + text + ", " + p.text(flags+c.Operand.Text) + ")"
}

// folded prints a text, in lower case when case is ignored: Unicode's simple mapping, on both sides.
func (p *sqlPrinter) folded(c Comparison, text string) string {
	if c.IgnoreCase {
		return "lowerUTF8(" + text + ")"
	}
	return text
}

// within prints from ≤ t < to.
func (p *sqlPrinter) within(instant string, from, to time.Time) string {
	return "ifNull(" + instant + " >= " + p.millis(from) + " AND " + instant + " < " + p.millis(to) + ", false)"
}

// after prints from < t ≤ to.
func (p *sqlPrinter) after(instant string, from, to time.Time) string {
	return "ifNull(" + instant + " > " + p.millis(from) + " AND " + instant + " <= " + p.millis(to) + ", false)"
}
