package queries

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Membership names the kept members of a segment at a run.
type Membership struct {
	Segment string
	Run     uuid.UUID
}

// Table is the members of a run with attributes as of the scope's now, native ones included, as cells: (uid, column,
// value). Column i is the i-th attribute, numbered from 1; column 0 is the actor the user is known by, in hexadecimal.
type Table struct {
	scope      Scope
	membership Membership
	attributes []string
}

// NewTable describes a table.
func NewTable(scope Scope, m Membership, attributes []string) Table {
	return Table{scope, m, attributes}
}

// Kinds returns the statement for which kinds of values each column has: column, kinds.
func (t Table) Kinds() Statement {
	s, cells := t.cells("")
	return s.statement(cells + "SELECT column, groupUniqArray(kind) AS kinds\nFROM cells\nGROUP BY column\nORDER BY column")
}

// Buckets returns the statement for the buckets of uids that have members.
func (t Table) Buckets() Statement {
	s := newPrinter(t.scope)
	return s.statement("SELECT DISTINCT bucket FROM segment_members WHERE " + s.membership(t.membership) +
		" AND bitmapCardinality(members) > 0 ORDER BY bucket")
}

// Rows returns the statement for the rows of one bucket: the uid, and as parallel arrays its cells' columns, kinds, texts, numbers,
// instants in milliseconds, and lists.
func (t Table) Rows(bucket uint16) Statement {
	s, cells := t.cells(strconv.Itoa(int(bucket)))
	return s.statement(cells + "SELECT uid, groupArray(column), groupArray(kind), groupArray(text), groupArray(ifNull(number, 0)),\n" +
		"  groupArray(ifNull(instant, 0)), groupArray(list)\nFROM cells\nGROUP BY uid\nORDER BY uid")
}

// cells prints the cells of the members, all or those of one bucket.
func (t Table) cells(bucket string) (*sqlPrinter, string) {
	s := newPrinter(t.scope)
	of := s.membership(t.membership)
	if bucket != "" {
		of += " AND bucket = " + s.bind("UInt16", bucket)
	}
	branches := []string{
		"SELECT uid, toUInt16(0) AS column, 'text' AS kind, leftPad(lower(hex(argMin(actor, rank))), 16, '0') AS text,\n" +
			"  CAST(NULL AS Nullable(Float64)) AS number, CAST(NULL AS Nullable(Int64)) AS instant, emptyArrayString() AS list\n" +
			"FROM actors FINAL\nWHERE project = " + s.project + " AND bitmapContains(members, uid)\nGROUP BY uid",
	}
	for i, name := range t.attributes {
		branches = append(branches, fmt.Sprintf("SELECT uid, toUInt16(%d) AS column, toString(kind) AS kind, text, number, instant, list\n"+
			"FROM (\n%s\n)\nWHERE kind != 'null' AND bitmapContains(members, uid)", i+1, indent(s.attributeRows(name, ""))))
	}
	return s, "WITH\n(SELECT groupBitmapMergeState(members) FROM segment_members WHERE " + of + ") AS members,\ncells AS (\n" +
		indent(strings.Join(branches, "\nUNION ALL\n")) + "\n)\n"
}

func (s *sqlPrinter) membership(m Membership) string {
	return "project = " + s.project + " AND segment = " + s.text(m.Segment) + " AND run = " + s.bind("UUID", m.Run.String())
}
