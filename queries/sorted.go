package queries

import (
	"fmt"
	"strconv"
	"strings"
)

// Sort is an order of users by an attribute, native or custom. Users without it come last, whichever way the others are
// sorted; users with equal values come in the order of their uids.
//
// Numbers come first, then times, booleans, texts and lists. A text that has a number or a time is sorted by that. Letters'
// case decides only between texts that are otherwise equal.
type Sort struct {
	Attribute  string
	Descending bool
}

// Position is where a user stands in a sorted list.
type Position struct {
	Missing bool
	Kind    uint8
	Number  float64
	Text    string
	UID     uint32
}

// Sorted returns the statement for a page of the first target's members in an order, after a position or from the start:
// how many there are in all and, as parallel arrays, what the positions of the first limit are made of.
func (p *Plan) Sorted(by Sort, after *Position, limit int) Statement {
	s, text := p.print()
	way, further := "", ">"
	if by.Descending {
		way, further = " DESC", "<"
	}
	n := s.bind("UInt64", strconv.Itoa(limit))
	valued, from := "", "0"
	if after != nil {
		uid := s.bind("UInt32", strconv.FormatUint(uint64(after.UID), 10))
		if after.Missing {
			valued, from = " AND false", uid+" + 1"
		} else {
			at := fmt.Sprintf("(toUInt8(%d), %s, %s)", after.Kind, s.number(after.Number), s.text(after.Text))
			valued = fmt.Sprintf(" AND ((kind_key, number_key, text_key) %s %s OR (kind_key, number_key, text_key) = %s AND uid > %s)",
				further, at, at, uid)
		}
	}
	rows := s.attributeRows(by.Attribute, "")
	order := "kind_key" + way + ", number_key" + way + ", text_key" + way + ", uid"
	const owned = "kind != 'null' AND bitmapContains(chosen, uid)"
	present := s.sortKeys() + "SELECT uid, false AS missing, kind_key, number_key, text_key\nFROM (\n" + indent(rows) + "\n)\nWHERE " + owned +
		valued + "\nORDER BY " + order + "\nLIMIT " + n
	absent := "SELECT arrayJoin(bitmapToArray(bitmapSubsetLimit(bitmapAndnot(chosen, valued), toUInt32(" + from + "), " + n + "))) AS uid,\n" +
		"  true AS missing, toUInt8(0) AS kind_key, toFloat64(0) AS number_key, '' AS text_key"
	page := "WITH\n" + s.defined() + "  (SELECT members FROM results WHERE target = 0) AS chosen,\n" +
		"  (\n    SELECT groupBitmapState(uid)\n    FROM (\n" + indent(indent(indent(rows))) + "\n    )\n    WHERE " + owned + "\n  ) AS valued\n" +
		"SELECT uid, missing, kind_key, number_key, text_key\nFROM (\n  SELECT * FROM (\n" + indent(indent(present)) + "\n  )\n  UNION ALL\n" +
		indent(absent) + "\n)\nORDER BY missing, " + order + "\nLIMIT " + n
	return s.statement(text + "SELECT\n  (SELECT bitmapCardinality(members) FROM results WHERE target = 0) AS total,\n" +
		"  groupArray(uid), groupArray(missing), groupArray(kind_key), groupArray(number_key), groupArray(text_key)\nFROM (\n" +
		indent(page) + "\n)")
}

// sortKeys prints what rows of an attribute are sorted by.
func (s *sqlPrinter) sortKeys() string {
	r := s.attributeReading()
	keys := []string{
		r.number() + " AS as_number",
		r.instant() + " AS as_instant",
		"toUInt8(multiIf(isNotNull(as_number), 1, isNotNull(as_instant), 2, kind = 'boolean', 3, kind = 'list', 5, 4)) AS kind_key",
		"coalesce(as_number, toFloat64(as_instant), 0) AS number_key",
		"if(kind = 'list', toString(list), concat(caseFoldUTF8(toValidUTF8(text)), '\\0', text)) AS text_key",
	}
	return "WITH\n  " + strings.Join(keys, ",\n  ") + "\n"
}

// defined prints the definitions again, for what is sorted by: it may need more than the plan did.
func (s *sqlPrinter) defined() string {
	if all := s.definitions(); len(all) > 0 {
		return indent(strings.Join(all, ",\n")) + ",\n"
	}
	return ""
}
