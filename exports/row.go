package exports

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"muster"
)

// member is one row of a dataset before it has the dataset's types.
type member struct {
	uid         uint32
	actor       muster.Actor // the one the user is known by
	userID      *string
	anonymousID *string
	firstSeen   *int64 // milliseconds since the epoch
	lastSeen    *int64
	values      []value // one for each attribute of the request
}

// value is an attribute's value; its kind is empty where there is none.
type value struct {
	kind   string
	text   string
	number float64
	list   []string
}

// appendMember appends the values of a member's row in the order of the columns, and returns about how many bytes they
// are.
func appendMember(row parquet.Row, columns []Column, m member) (parquet.Row, int, error) {
	size := 0
	text := func(column, definition int, s string) {
		s = strings.ToValidUTF8(s, "\uFFFD") // one bad byte, and readers refuse the file
		size += len(s)
		row = append(row, parquet.ByteArrayValue([]byte(s)).Level(0, definition, column))
	}
	null := func(column int) { row = append(row, parquet.NullValue().Level(0, 0, column)) }
	optionalText := func(column int, s *string) {
		if s == nil {
			null(column)
			return
		}
		text(column, 1, *s)
	}
	optionalTime := func(column int, ms *int64) {
		if ms == nil {
			null(column)
			return
		}
		row = append(row, parquet.Int64Value(*ms).Level(0, 1, column))
	}
	text(0, 0, m.actor.String())
	row = append(row, parquet.Int32Value(int32(m.uid)).Level(0, 0, 1))
	optionalText(2, m.userID)
	optionalText(3, m.anonymousID)
	optionalTime(4, m.firstSeen)
	optionalTime(5, m.lastSeen)
	for i, v := range m.values {
		column := len(fixedColumns) + i
		c := columns[column]
		switch {
		case v.kind == "":
			null(column)
		case c.Type == Text:
			text(column, 1, v.print())
		case c.Type == Double && v.kind == "number":
			row = append(row, parquet.DoubleValue(v.number).Level(0, 1, column))
		case c.Type == Boolean && v.kind == "boolean":
			row = append(row, parquet.BooleanValue(v.text == "true").Level(0, 1, column))
		case c.Type == TextList && v.kind == "list":
			if len(v.list) == 0 {
				row = append(row, parquet.NullValue().Level(0, 1, column))
			}
			for j, element := range v.list {
				text(column, 2, element)
				row[len(row)-1] = row[len(row)-1].Level(min(j, 1), 2, column)
			}
		default:
			return row, size, &muster.Error{
				Code: muster.Unavailable, Hint: "ask again",
				Detail: fmt.Sprintf("attribute %q got its first value of kind %s while the export ran", c.Attribute, v.kind),
			}
		}
	}
	return row, size + 8*len(row), nil
}

// print writes a value as text, for a column whose members have values of several kinds: numbers and lists as in JSON.
func (v value) print() string {
	switch v.kind {
	case "number":
		format := byte('f')
		if size := math.Abs(v.number); size != 0 && (size < 1e-6 || size >= 1e21) {
			format = 'e'
		}
		return strconv.FormatFloat(v.number, format, -1, 64)
	case "list":
		var b strings.Builder
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(append([]string{}, v.list...)); err != nil {
			panic(fmt.Sprintf("print a list of texts: %v", err)) // every list of texts is JSON
		}
		return strings.TrimSuffix(b.String(), "\n")
	}
	return v.text
}
