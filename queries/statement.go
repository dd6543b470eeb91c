package queries

import (
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Statement is one SQL statement. Its values are not in the text: they are parameters, {name:Type}, that the server puts
// in, in ClickHouse's text format for their types.
type Statement struct {
	SQL        string
	Parameters map[string]string
}

// Text prints a value for a parameter of type String or Identifier.
func Text(s string) string {
	return textEscapes.Replace(s)
}

// textEscapes are those of ClickHouse's tab-separated format, in which parameters travel.
var textEscapes = strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\t", "\\t", "\r", "\\r", "\x00", "\\0", "'", "\\'")

// Texts prints a value for a parameter of type Array(String).
func Texts(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = "'" + textEscapes.Replace(s) + "'"
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

func number(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }

func numbers(all []float64) string {
	printed := make([]string, len(all))
	for i, n := range all {
		printed[i] = number(n)
	}
	return "[" + strings.Join(printed, ",") + "]"
}

func unsigned[T ~uint32 | ~uint64](all []T) string {
	printed := make([]string, len(all))
	for i, n := range all {
		printed[i] = strconv.FormatUint(uint64(n), 10)
	}
	return "[" + strings.Join(printed, ",") + "]"
}

// Unsigned prints a value for a parameter of type Array(UInt32) or Array(UInt64).
func Unsigned[T ~uint32 | ~uint64](all []T) string { return unsigned(all) }

// UUIDs prints a value for a parameter of type Array(UUID).
func UUIDs(all []uuid.UUID) string {
	printed := make([]string, len(all))
	for i, id := range all {
		printed[i] = "'" + id.String() + "'"
	}
	return "[" + strings.Join(printed, ",") + "]"
}

// builder collects the values of a statement while its text is printed.
type builder struct {
	parameters map[string]string
	names      map[string]string // of the parameters that were bound, by type and value
}

// newBuilder starts with the project and the pinned now.
func newBuilder(scope Scope) builder {
	return builder{names: map[string]string{}, parameters: map[string]string{
		"project": strconv.FormatUint(uint64(scope.Project), 10),
		"now":     strconv.FormatInt(scope.Now.UnixMilli(), 10),
	}}
}

// bind adds a value and returns the place to print. A value that stands twice has one name, so that ClickHouse sees that
// the expressions it is in are the same.
func (b *builder) bind(kind, value string) string {
	key := kind + " " + value
	name, ok := b.names[key]
	if !ok {
		name = "p" + strconv.Itoa(len(b.names)+1)
		b.names[key], b.parameters[name] = name, value
	}
	return "{" + name + ":" + kind + "}"
}

func (b *builder) text(s string) string { return b.bind("String", Text(s)) }

func (b *builder) texts(all []string) string { return b.bind("Array(String)", Texts(all)) }

func (b *builder) number(n float64) string { return b.bind("Float64", number(n)) }

func (b *builder) count(n uint64) string { return b.bind("UInt64", strconv.FormatUint(n, 10)) }

// millis binds milliseconds since the epoch.
func (b *builder) millis(ms int64) string { return b.bind("Int64", strconv.FormatInt(ms, 10)) }

// day binds the number of a calendar day from 1970-01-01.
func (b *builder) day(n int64) string { return b.bind("Int64", strconv.FormatInt(n, 10)) }

// instant binds milliseconds since the epoch as a time of the tables' type, so that their indexes on time are used.
func (b *builder) instant(ms int64) string {
	return "fromUnixTimestamp64Milli(" + b.millis(ms) + ", 'UTC')"
}
