package queries

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// sqlPrinter prints one plan. The statement is made of common table expressions:
//
//	read_…   how a text is read as a number or a time, where a leaf needs it
//	apart    the users who have to be told apart from the others
//	leaves   one row per leaf: its number and the bitmap of the users it holds for; one branch per source
//	wide     one row with a column per leaf
//	sets     one row with a column per distinct set of the algebra
//	results  one row per target: its members, and everyone
type sqlPrinter struct {
	builder
	scope    Scope
	project  string // the place of the project's number
	now      string // the place of the pinned now, as a time
	among    string // the condition that a row is of a user who is evaluated; empty for all
	readings map[string]bool
	looks    []apartLook
	told     func(Apart) bool // who is told apart where a set may be presumed to be empty; nil tells all
	presumed []Apart
}

func newPrinter(scope Scope) *sqlPrinter {
	s := &sqlPrinter{builder: newBuilder(scope), scope: scope, readings: map[string]bool{}}
	s.project = "{project:UInt32}"
	s.now = "fromUnixTimestamp64Milli({now:Int64}, 'UTC')"
	if !scope.KnownAt.IsZero() {
		s.parameters["known"] = strconv.FormatInt(scope.KnownAt.UnixMicro(), 10)
	}
	if scope.Actors != nil {
		s.among = " AND actor IN " + s.bind("Array(UInt64)", unsigned(scope.Actors))
	}
	return s
}

// uidOf resolves identity: the user an actor is, or zero while the actor is not indexed.
const uidOf = "dictGet('actor_uids', 'uid', actor)"

// sighting is when a message was seen: never later than its receipt, whatever the client's clock said.
const sighting = "least(time, toDateTime64(received, 3, 'UTC'))"

// print returns the printer and the text of the plan up to results; a statement's head follows it. Every result has more columns,
// which are made of everyone.
func (p *Plan) print(more ...named) (*sqlPrinter, string) {
	s := newPrinter(p.scope)
	return s, p.printWith(s, more)
}

func (p *Plan) printWith(s *sqlPrinter, more []named) string {
	branches, columns := s.everyone(0, len(p.leaves)+1)
	for _, src := range p.sources {
		branches = append(branches, s.branch(src, src.leaves, p.numbered(src.leaves)))
	}
	for n := range p.leaves {
		columns = append(columns, fmt.Sprintf("groupBitmapMergeStateIf(bitmap, leaf = %d) AS l%d", n+1, n+1))
	}
	var passed []string
	if len(s.presumed) > 0 {
		branch, column := s.presumption(len(p.leaves) + 2)
		branches, columns, passed = append(branches, branch), append(columns, column.expression+" AS "+column.name), []string{column.name}
	}
	tables := append(s.definitions(),
		"leaves AS (\n"+indent(joinBranches(branches))+"\n)",
		"wide AS (\n  SELECT\n    "+strings.Join(columns, ",\n    ")+"\n  FROM leaves\n)")
	return "WITH\n" + strings.Join(append(tables, p.algebra(passed, more)...), ",\n") + "\n"
}

// branch prints the branch of a source, given its leaves and their numbers.
func (s *sqlPrinter) branch(src source, numbers []int, leaves []leaf) string {
	switch src.kind {
	case actorSource:
		return s.identified(numbers[0])
	case importSource:
		return scan(numbers, "SELECT "+uidOf+" AS uid\nFROM import_members\nWHERE project = "+s.project+" AND import = "+s.text(src.names[0])+
			" AND time <= "+s.now+s.known("received")+s.among, []string{"true"})
	case attributeSource:
		conditions := s.attributeConditions(leavesOf[attributeLeaf](leaves))
		rows := s.attributeRows(src.names[0], someHold(conditions))
		return scan(numbers, rows, conditions)
	case eventSource:
		rows, conditions := s.eventRows(src.names[0], leavesOf[eventLeaf](leaves))
		return scan(numbers, rows, conditions)
	case sequenceSource:
		rows, conditions := s.sequenceRows(src.names, leavesOf[sequenceLeaf](leaves))
		return scan(numbers, rows, conditions)
	default:
		panic(fmt.Sprintf("sql: unknown source %d", src.kind))
	}
}

// scan prints one branch of leaves: one pass over the rows, one bitmap per condition.
func scan(numbers []int, rows string, conditions []string) string {
	if len(numbers) == 1 {
		return fmt.Sprintf("SELECT toUInt16(%d) AS leaf, %s AS bitmap\nFROM (\n%s\n)", numbers[0], stateIf(conditions[0]), indent(rows))
	}
	var states, leaves, bitmaps []string
	for i, n := range numbers {
		states = append(states, fmt.Sprintf("%s AS b%d", stateIf(conditions[i]), n))
		leaves = append(leaves, fmt.Sprintf("toUInt16(%d)", n))
		bitmaps = append(bitmaps, fmt.Sprintf("b%d", n))
	}
	return "SELECT leaf, bitmap\nFROM (\n  SELECT\n    " + strings.Join(states, ",\n    ") + "\n  FROM (\n" +
		indent(indent(rows)) + "\n  )\n)\nARRAY JOIN [" + strings.Join(leaves, ", ") + "] AS leaf, [" +
		strings.Join(bitmaps, ", ") + "] AS bitmap"
}

// stateIf prints the bitmap of the users of the rows where a condition holds.
func stateIf(condition string) string {
	if condition == "true" {
		return "groupBitmapState(uid)"
	}
	return "groupBitmapStateIf(uid, " + condition + ")"
}

// someHold prints the condition, to be added to others, that one of some conditions holds at least: the other rows need not be
// looked at. Where the conditions are all the same they become true, so that they are not asked twice.
func someHold(conditions []string) string {
	distinct := slices.Compact(slices.Sorted(slices.Values(conditions)))
	if slices.Contains(distinct, "true") || len(distinct) > fewLeaves {
		return ""
	}
	if len(distinct) > 1 {
		return "\n  AND " + joinedConditions(distinct, "OR")
	}
	for i := range conditions {
		conditions[i] = "true"
	}
	return "\n  AND " + distinct[0]
}

// fewLeaves is up to how many conditions rows are left out first for which none holds. Of more, one holds for most rows.
const fewLeaves = 8

// known prints the condition that a row was received by the time things are known at, where there is one.
func (s *sqlPrinter) known(column string) string {
	if s.scope.KnownAt.IsZero() {
		return ""
	}
	return " AND " + column + " <= fromUnixTimestamp64Micro({known:Int64}, 'UTC')"
}

// leavesOf returns the leaves of a source as what they are; all of a source are of one type.
func leavesOf[L leaf](leaves []leaf) []L {
	all := make([]L, len(leaves))
	for i, l := range leaves {
		all[i] = l.(L)
	}
	return all
}

// statement ends a text. Where only some users are evaluated, rows of others are told by the keys before anything else of them
// is read.
func (s *sqlPrinter) statement(text string) Statement {
	if s.scope.Actors != nil {
		text += "\nSETTINGS optimize_move_to_prewhere_if_final = 1"
	}
	return Statement{SQL: text, Parameters: s.parameters}
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
