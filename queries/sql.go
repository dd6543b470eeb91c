package queries

import (
	"fmt"
	"strconv"
	"strings"
)

// sqlPrinter prints one plan. The statement is made of common table expressions:
//
//	leaves   one row per leaf: its number and the bitmap of the users it holds for; one branch per source
//	wide     one row with a column per leaf
//	sets     one row with a column per distinct set of the algebra
//	results  one row per target: its members, and everyone
type sqlPrinter struct {
	builder
	scope   Scope
	project string // the place of the project's number
	now     string // the place of the pinned now, as a time
}

// uidOf resolves identity: the user an actor is, or zero while the actor is not indexed.
const uidOf = "dictGet('actor_uids', 'uid', actor)"

// newPrinter returns a printer that has bound what every statement needs.
func newPrinter(scope Scope) *sqlPrinter {
	s := &sqlPrinter{
		builder: builder{parameters: map[string]string{}}, scope: scope,
		project: "{project:UInt32}", now: "fromUnixTimestamp64Milli({now:Int64}, 'UTC')",
	}
	s.parameters["project"] = strconv.FormatUint(uint64(scope.Project), 10)
	s.parameters["now"] = strconv.FormatInt(scope.Now.UnixMilli(), 10)
	if !scope.KnownAt.IsZero() {
		s.parameters["known"] = strconv.FormatInt(scope.KnownAt.UnixMicro(), 10)
	}
	return s
}

// print returns the printer and the text of the plan up to results; a statement's head follows it.
func (p *Plan) print() (*sqlPrinter, string) {
	s := newPrinter(p.scope)
	branches := []string{s.everyone()}
	for _, src := range p.sources {
		leaves := make([]Node, len(src.leaves))
		for i, n := range src.leaves {
			leaves[i] = p.leaves[n-1]
		}
		rows, conditions := s.source(src, leaves)
		branches = append(branches, scan(src.leaves, rows, conditions))
	}
	var b strings.Builder
	b.WriteString("WITH\nleaves AS (\n" + indent(strings.Join(branches, "\nUNION ALL\n")) + "\n),\n")
	columns := make([]string, len(p.leaves)+1)
	for i := range columns {
		columns[i] = fmt.Sprintf("groupBitmapMergeStateIf(bitmap, leaf = %d) AS l%d", i, i)
	}
	b.WriteString("wide AS (\n  SELECT\n    " + strings.Join(columns, ",\n    ") + "\n  FROM leaves\n),\n")
	b.WriteString(p.algebra())
	return s, b.String()
}

// scan prints one branch of leaves: one pass over the rows, one bitmap per condition.
func scan(numbers []int, rows string, conditions []string) string {
	var states, leaves, bitmaps []string
	for i, n := range numbers {
		states = append(states, fmt.Sprintf("groupBitmapStateIf(uid, %s) AS b%d", conditions[i], n))
		leaves = append(leaves, fmt.Sprintf("toUInt16(%d)", n))
		bitmaps = append(bitmaps, fmt.Sprintf("b%d", n))
	}
	return "SELECT leaf, bitmap FROM (\n  SELECT\n    " + strings.Join(states, ",\n    ") + "\n  FROM (\n" +
		indent(indent(rows)) + "\n  )\n)\nARRAY JOIN [" + strings.Join(leaves, ", ") + "] AS leaf, [" +
		strings.Join(bitmaps, ", ") + "] AS bitmap"
}

// everyone prints leaf 0: the users of the project that were seen by now. Those first seen later are few or none, so the
// actors are looked up only where there are any; a user with several actors was seen when the first of them was.
func (s *sqlPrinter) everyone() string {
	if !s.scope.KnownAt.IsZero() {
		rows := "SELECT " + uidOf + " AS uid FROM events WHERE project = " + s.project +
			" AND least(time, toDateTime64(received, 3, 'UTC')) <= " + s.now + s.known("received")
		return scan([]int{0}, rows, []string{"uid != 0"})
	}
	return "SELECT leaf, bitmap FROM (\n" +
		"  WITH\n" +
		"    (SELECT groupBitmapState(" + uidOf + ") FROM activity WHERE project = " + s.project + " AND first_seen > " + s.now + ") AS late,\n" +
		"    (SELECT groupBitmapState(" + uidOf + ") FROM activity WHERE bitmapCardinality(late) > 0 AND project = " + s.project +
		" AND first_seen <= " + s.now + " AND bitmapContains(late, " + uidOf + ")) AS early\n" +
		"  SELECT toUInt16(0) AS leaf, bitmapAndnot(groupBitmapState(uid), bitmapAndnot(late, early)) AS bitmap\n" +
		"  FROM actors FINAL\n  WHERE project = " + s.project + " AND rank = 0\n)"
}

// known prints the condition that a row was received by the time things are known at, where there is one.
func (s *sqlPrinter) known(column string) string {
	if s.scope.KnownAt.IsZero() {
		return ""
	}
	return " AND " + column + " <= fromUnixTimestamp64Micro({known:Int64}, 'UTC')"
}

// source prints the rows of a source, with a column uid, and a condition over them for each leaf.
func (s *sqlPrinter) source(src source, leaves []Node) (rows string, conditions []string) {
	switch src.kind {
	case actorSource:
		return "SELECT uid FROM actors FINAL WHERE project = " + s.project + " AND kind = 'user'", repeated("true", len(leaves))
	case attributeSource:
		return s.attributeRows(src.name), s.attributeConditions(leaves)
	case eventSource:
		return s.eventRows(src.name, leaves)
	default:
		panic(fmt.Sprintf("sql: unknown source %d", src.kind))
	}
}

func repeated(text string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = text
	}
	return all
}

// algebra prints sets and results. A set that several targets share is one column.
func (p *Plan) algebra() string {
	a := algebra{numbers: p.numbers, names: map[string]string{}}
	members := make([]string, len(p.sets))
	targets := make([]string, len(p.sets))
	for i, set := range p.sets {
		members[i] = "bitmapAnd(everyone, " + a.name(set) + ")"
		targets[i] = fmt.Sprintf("toUInt16(%d)", i)
	}
	columns := append([]string{"l0 AS everyone"}, a.columns...)
	return "sets AS (\n  SELECT\n    " + strings.Join(columns, ",\n    ") + "\n  FROM wide\n),\n" +
		"results AS (\n  SELECT target, members, everyone\n  FROM sets\n  ARRAY JOIN\n    [" + strings.Join(targets, ", ") +
		"] AS target,\n    [" + strings.Join(members, ",\n     ") + "] AS members\n)\n"
}

// algebra gives every distinct set a column, after those it is made of.
type algebra struct {
	numbers map[string]int
	names   map[string]string
	columns []string
}

func (a *algebra) name(f formula) string {
	if name, ok := a.names[f.key]; ok {
		return name
	}
	var expr string
	switch f.op {
	case everybody:
		expr = "l0"
	case nobody:
		expr = "bitmapAndnot(l0, l0)"
	case leafSet:
		expr = "l" + strconv.Itoa(a.numbers[f.key])
	case complement:
		expr = "bitmapAndnot(l0, " + a.name(f.of[0]) + ")"
	case intersection:
		expr = a.fold("bitmapAnd", f.of)
	case union:
		expr = a.fold("bitmapOr", f.of)
	case atLeastOf:
		expr = a.atLeast(f)
	}
	name := "s" + strconv.Itoa(len(a.columns))
	a.columns = append(a.columns, expr+" AS "+name)
	a.names[f.key] = name
	return name
}

func (a *algebra) fold(function string, of []formula) string {
	expr := a.name(of[0])
	for _, f := range of[1:] {
		expr = function + "(" + expr + ", " + a.name(f) + ")"
	}
	return expr
}

// atLeast prints "at least n of": who is in at least j of the first i conditions is in at least j of those before, or in
// j-1 of them and in the i-th. Each of these sets is a column.
func (a *algebra) atLeast(f formula) string {
	row := make([]string, f.count+1) // row[j] holds who is in at least j of the conditions so far
	for i, part := range f.of {
		member := a.name(part)
		for j := min(i+1, f.count); j >= 1; j-- {
			both := member
			if j > 1 {
				both = "bitmapAnd(" + row[j-1] + ", " + member + ")"
			}
			if row[j] != "" {
				both = "bitmapOr(" + row[j] + ", " + both + ")"
			}
			row[j] = "s" + strconv.Itoa(len(a.columns))
			a.columns = append(a.columns, both+" AS "+row[j])
		}
	}
	return row[f.count]
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
