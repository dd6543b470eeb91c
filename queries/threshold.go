package queries

import (
	"fmt"
	"math"
)

// Threshold compares a number that is computed: a count or an aggregate.
type Threshold struct {
	Op   ThresholdOp
	N, M float64 // M is the upper end of between
}

// ThresholdOp compares a computed number.
type ThresholdOp string

// The operators of counts and aggregates.
const (
	OpEq     ThresholdOp = "eq"
	OpNeq    ThresholdOp = "neq"
	OpLess   ThresholdOp = "lt"
	OpAtMost ThresholdOp = "lte"
	OpMore   ThresholdOp = "gt"
	OpLeast  ThresholdOp = "gte"
	OpWithin ThresholdOp = "between" // both ends in

	// opOutside is the complement of between. The language does not have it.
	opOutside ThresholdOp = "outside"
)

// thresholdOps are those of the language.
var thresholdOps = []string{
	string(OpEq), string(OpNeq), string(OpLess), string(OpAtMost), string(OpMore), string(OpLeast), string(OpWithin),
}

// once is the count that is meant when none is given.
var once = Threshold{Op: OpLeast, N: 1}

// complement returns the threshold that holds for exactly the other numbers.
func (t Threshold) complement() Threshold {
	t.Op = map[ThresholdOp]ThresholdOp{
		OpEq: OpNeq, OpNeq: OpEq, OpLess: OpLeast, OpLeast: OpLess, OpMore: OpAtMost, OpAtMost: OpMore,
		OpWithin: opOutside, opOutside: OpWithin,
	}[t.Op]
	return t
}

// holdsForZero tells whether zero is as asked, and with it everybody who has nothing to count.
func (t Threshold) holdsForZero() bool {
	switch t.Op {
	case OpEq:
		return t.N == 0
	case OpNeq:
		return t.N != 0
	case OpLess:
		return 0 < t.N
	case OpAtMost:
		return 0 <= t.N
	case OpMore:
		return 0 > t.N
	case OpLeast:
		return 0 >= t.N
	case OpWithin:
		return t.N <= 0 && 0 <= t.M
	case opOutside:
		return 0 < t.N || t.M < 0
	default:
		panic(fmt.Sprintf("threshold: unknown operator %q", t.Op))
	}
}

// zeroOnly tells whether a count as asked is zero.
func (t Threshold) zeroOnly() bool {
	return t.holdsForZero() && (t.Op == OpEq || t.Op == OpAtMost && t.N < 1 || t.Op == OpLess && t.N <= 1 || t.Op == OpWithin && t.M < 1)
}

// counts is a range of counts, both ends in.
type counts struct{ least, most uint64 }

// atLeastOnce is the range of every count but zero.
var atLeastOnce = counts{1, math.MaxUint64}

// counts returns the counts for which a threshold holds that does not hold for zero. They are one range, since numbers of
// times end at zero; least above most is an empty one.
func (t Threshold) counts() counts {
	n, m := uint64(max(t.N, 0)), uint64(max(t.M, 0))
	switch t.Op {
	case OpEq:
		return counts{n, n}
	case OpNeq, OpMore: // not zero, or more than n
		return counts{n + 1, math.MaxUint64}
	case OpLeast:
		return counts{n, math.MaxUint64}
	case OpLess, OpAtMost: // of which zero is not one, so none is
		return counts{1, 0}
	case OpWithin:
		return counts{n, m}
	case opOutside: // more than m, since zero is not
		return counts{m + 1, math.MaxUint64}
	default:
		panic(fmt.Sprintf("threshold: unknown operator %q", t.Op))
	}
}

// Aggregate is a number made of a user's matching events.
type Aggregate struct {
	Fn       Fn
	Property string // by its dotted path; empty for distinct days
}

// Fn is how an aggregate is made.
type Fn string

// The functions.
const (
	Sum          Fn = "sum"           // of a property's numbers; zero without any
	Min          Fn = "min"           // missing without any
	Max          Fn = "max"           // missing without any
	Avg          Fn = "avg"           // missing without any
	Distinct     Fn = "distinct"      // how many different values a property has; zero without any
	DistinctDays Fn = "distinct_days" // on how many days of the project's zone
)

// fns are all functions, for suggestions.
var fns = []string{string(Sum), string(Min), string(Max), string(Avg), string(Distinct), string(DistinctDays)}

// counted tells whether the function's result is a whole number from zero.
func (f Fn) counted() bool { return f == Distinct || f == DistinctDays }
