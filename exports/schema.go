package exports

import (
	"reflect"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// Type is what a column holds, as the manifest names it.
type Type string

// The types of columns. Times are UTC, in milliseconds.
const (
	Text      Type = "string"
	UID       Type = "uint32"
	Timestamp Type = "timestamp_millis"
	Double    Type = "double"
	Boolean   Type = "boolean"
	TextList  Type = "list<string>"
)

// Column is one column of a dataset.
type Column struct {
	Name      string   `json:"name"`
	Type      Type     `json:"type"`
	Nullable  bool     `json:"nullable"`
	Attribute string   `json:"attribute,omitempty"` // the attribute it shows
	Kinds     []string `json:"kinds,omitempty"`     // the kinds of values there are of the attribute
}

// fixedColumns come first in every dataset of members.
var fixedColumns = []Column{
	{Name: "user", Type: Text},
	{Name: "uid", Type: UID},
	{Name: "user_id", Type: Text, Nullable: true},
	{Name: "anonymous_id", Type: Text, Nullable: true},
	{Name: "first_seen", Type: Timestamp, Nullable: true},
	{Name: "last_seen", Type: Timestamp, Nullable: true},
}

// reserved tells whether an attribute of this name is a fixed column already.
func reserved(name string) bool {
	switch name {
	case "user_id", "anonymous_id", "first_seen", "last_seen":
		return true
	}
	return false
}

// columnsOf returns the columns of a dataset: the fixed ones, then the attributes in their order. One kind of values alone
// makes a column of its type; several, or none, make one of texts. An attribute whose name is that of a fixed column to
// readers who ignore case, as SQL does, is called "attribute." and its name.
func columnsOf(attributes []string, kinds map[string][]string) []Column {
	columns := slices.Clone(fixedColumns)
	for _, name := range attributes {
		c := Column{Name: name, Type: Text, Nullable: true, Attribute: name, Kinds: kinds[name]}
		for fixed(c.Name) || c.Name != name && slices.Contains(attributes, c.Name) {
			c.Name = "attribute." + c.Name
		}
		if len(c.Kinds) == 1 {
			switch c.Kinds[0] {
			case "number":
				c.Type = Double
			case "boolean":
				c.Type = Boolean
			case "list":
				c.Type = TextList
			}
		}
		columns = append(columns, c)
	}
	return columns
}

func fixed(name string) bool {
	return slices.ContainsFunc(fixedColumns, func(f Column) bool { return strings.EqualFold(f.Name, name) })
}

// node is the column in Parquet.
func (c Column) node() parquet.Node {
	var n parquet.Node
	switch c.Type {
	case Text:
		n = parquet.String()
		if c.Attribute != "" { // plans, countries, languages: the same few texts again and again
			n = parquet.Encoded(n, &parquet.RLEDictionary)
		}
	case UID:
		n = parquet.Uint(32)
	case Timestamp:
		n = parquet.Timestamp(parquet.Millisecond)
	case Double:
		n = parquet.Leaf(parquet.DoubleType)
	case Boolean:
		n = parquet.Leaf(parquet.BooleanType)
	case TextList:
		n = parquet.List(parquet.Encoded(parquet.String(), &parquet.RLEDictionary))
	}
	if c.Nullable {
		n = parquet.Optional(n)
	}
	return n
}

// ordered is a group whose fields keep their order: the library's own sorts them by name.
type ordered struct {
	parquet.Group
	fields []parquet.Field
}

// Fields returns the fields in the order of the columns.
func (o ordered) Fields() []parquet.Field { return o.fields }

// GoType is asked for by nobody who writes rows. The library would make a struct, and panic at a comma in a name.
func (o ordered) GoType() reflect.Type { return reflect.TypeFor[parquet.Row]() }

// field is a node with a name.
type field struct {
	parquet.Node
	name string
}

// Name returns the column's name.
func (f field) Name() string { return f.name }

// Value would take the field out of a Go value; rows are made of values instead.
func (f field) Value(reflect.Value) reflect.Value { return reflect.Value{} }

// schemaOf is the Parquet schema of a dataset with these columns.
func schemaOf(columns []Column) *parquet.Schema {
	root := ordered{Group: parquet.Group{}}
	for _, c := range columns {
		n := c.node()
		root.Group[c.Name] = n
		root.fields = append(root.fields, field{n, c.Name})
	}
	return parquet.NewSchema("members", root)
}
