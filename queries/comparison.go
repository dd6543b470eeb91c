package queries

// Comparison asks something of a value: an operator and its operand.
type Comparison struct {
	Op         Op
	IgnoreCase bool
	Operand    Operand
}

// Operand is what a value is compared with. Its Kind tells which of the other fields are set, and picks the reading of the
// stored value: a number compares numbers, a text compares text.
type Operand struct {
	Kind     OperandKind
	Text     string
	Texts    []string
	Number   float64
	Numbers  []float64 // a list, or the two ends of a range
	Boolean  bool
	From, To Moment // From alone for one moment
	Duration Duration
	span     interval // what every time becomes when now is pinned
}

// OperandKind tells what an operand is.
type OperandKind uint8

// The kinds of operands.
const (
	NoOperand OperandKind = iota
	TextOperand
	TextsOperand
	NumberOperand
	NumbersOperand
	BooleanOperand
	RangeOperand   // of numbers, both ends in
	MomentOperand  // an instant or a day
	MomentsOperand // from, in, to another, out
	DurationOperand

	intervalOperand // of opDuring
)

// isTime tells whether the operand is one or two times, or lies a time from now.
func (k OperandKind) isTime() bool {
	return k == MomentOperand || k == MomentsOperand || k == DurationOperand
}

// Op is an operator of attributes and properties.
type Op string

// The operators.
const (
	OpExists      Op = "exists"
	OpEquals      Op = "equals"
	OpIn          Op = "in"
	OpContains    Op = "contains"
	OpStartsWith  Op = "starts_with"
	OpEndsWith    Op = "ends_with"
	OpMatches     Op = "matches"
	OpLt          Op = "lt"
	OpLte         Op = "lte"
	OpGt          Op = "gt"
	OpGte         Op = "gte"
	OpBetween     Op = "between"
	OpBefore      Op = "before"
	OpAfter       Op = "after"
	OpOn          Op = "on"
	OpWithinLast  Op = "within_last"
	OpMoreThanAgo Op = "more_than_ago"
	OpWithinNext  Op = "within_next"
	OpMoreAhead   Op = "more_than_ahead"
	OpHasAny      Op = "has_any"
	OpHasAll      Op = "has_all"

	OpNotExists     Op = "not_exists"
	OpNotEquals     Op = "not_equals"
	OpNotIn         Op = "not_in"
	OpNotContains   Op = "not_contains"
	OpNotStartsWith Op = "not_starts_with"
	OpNotEndsWith   Op = "not_ends_with"
	OpNotMatches    Op = "not_matches"
	OpHasNone       Op = "has_none"

	// opDuring is every operator over times once now is pinned. The language does not have it.
	opDuring Op = "during"
)

// operator is what the language says of an operator.
type operator struct {
	operands []OperandKind // those it takes
	folds    bool          // whether it takes ignore_case, with text
	phrase   string        // how a sentence says it
	positive Op            // the operator this one is the complement of, or none
}

var operators = map[Op]operator{
	OpExists:      {operands: []OperandKind{NoOperand}, phrase: "is known"},
	OpEquals:      {operands: []OperandKind{TextOperand, NumberOperand, BooleanOperand}, folds: true, phrase: "is"},
	OpIn:          {operands: []OperandKind{TextsOperand, NumbersOperand}, folds: true, phrase: "is one of"},
	OpContains:    {operands: []OperandKind{TextOperand}, folds: true, phrase: "contains"},
	OpStartsWith:  {operands: []OperandKind{TextOperand}, folds: true, phrase: "starts with"},
	OpEndsWith:    {operands: []OperandKind{TextOperand}, folds: true, phrase: "ends with"},
	OpMatches:     {operands: []OperandKind{TextOperand}, folds: true, phrase: "matches"},
	OpLt:          {operands: []OperandKind{NumberOperand}, phrase: "is less than"},
	OpLte:         {operands: []OperandKind{NumberOperand}, phrase: "is at most"},
	OpGt:          {operands: []OperandKind{NumberOperand}, phrase: "is more than"},
	OpGte:         {operands: []OperandKind{NumberOperand}, phrase: "is at least"},
	OpBetween:     {operands: []OperandKind{RangeOperand, MomentsOperand}, phrase: "is between"},
	OpBefore:      {operands: []OperandKind{MomentOperand}, phrase: "is before"},
	OpAfter:       {operands: []OperandKind{MomentOperand}, phrase: "is after"},
	OpOn:          {operands: []OperandKind{MomentOperand}, phrase: "is on"},
	OpWithinLast:  {operands: []OperandKind{DurationOperand}, phrase: "is in the last"},
	OpMoreThanAgo: {operands: []OperandKind{DurationOperand}, phrase: "is longer ago than"},
	OpWithinNext:  {operands: []OperandKind{DurationOperand}, phrase: "is in the next"},
	OpMoreAhead:   {operands: []OperandKind{DurationOperand}, phrase: "is further ahead than"},
	OpHasAny:      {operands: []OperandKind{TextsOperand}, phrase: "has any of"},
	OpHasAll:      {operands: []OperandKind{TextsOperand}, phrase: "has all of"},

	OpNotExists:     {operands: []OperandKind{NoOperand}, phrase: "is not known", positive: OpExists},
	OpNotEquals:     {operands: []OperandKind{TextOperand, NumberOperand, BooleanOperand}, folds: true, phrase: "is not", positive: OpEquals},
	OpNotIn:         {operands: []OperandKind{TextsOperand, NumbersOperand}, folds: true, phrase: "is none of", positive: OpIn},
	OpNotContains:   {operands: []OperandKind{TextOperand}, folds: true, phrase: "does not contain", positive: OpContains},
	OpNotStartsWith: {operands: []OperandKind{TextOperand}, folds: true, phrase: "does not start with", positive: OpStartsWith},
	OpNotEndsWith:   {operands: []OperandKind{TextOperand}, folds: true, phrase: "does not end with", positive: OpEndsWith},
	OpNotMatches:    {operands: []OperandKind{TextOperand}, folds: true, phrase: "does not match", positive: OpMatches},
	OpHasNone:       {operands: []OperandKind{TextsOperand}, phrase: "has none of", positive: OpHasAny},
}
