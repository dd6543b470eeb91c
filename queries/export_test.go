package queries

import (
	"maps"
	"slices"
)

// What the language has, for the tests from outside that prove that nothing of it is left out.

// Operators returns the operators of attributes and properties, with the kinds of operands each takes.
func Operators() map[Op][]OperandKind {
	all := map[Op][]OperandKind{}
	for op, o := range operators {
		all[op] = o.operands
	}
	return all
}

// Positive returns the operator that an operator is the complement of, or none.
func Positive(op Op) Op { return operators[op].positive }

// Folds tells whether an operator takes ignore_case.
func Folds(op Op) bool { return operators[op].folds }

// Kinds returns the fields that tell what a condition is.
func Kinds() []string { return slices.Clone(kinds) }

// TimeOperators returns the operators over times.
func TimeOperators() []string { return timeOperators() }

// ThresholdOps returns the operators of counts and aggregates.
func ThresholdOps() []string { return slices.Clone(thresholdOps) }

// Fns returns the functions of aggregates.
func Fns() []string { return slices.Clone(fns) }

// Units returns the units of durations.
func Units() []string { return slices.Sorted(maps.Keys(unitNames)) }

// Presumes tells whether there is a set that is presumed to be empty.
func (p Presumption) Presumes() bool { return len(p.presumed) > 0 }
