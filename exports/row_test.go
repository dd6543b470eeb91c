package exports

import (
	"testing"

	"muster"
)

func TestPrintValue(t *testing.T) {
	for _, c := range []struct {
		v    value
		want string
	}{
		{value{kind: "text", text: "1e3"}, "1e3"},
		{value{kind: "boolean", text: "false"}, "false"},
		{value{kind: "number", number: 1000000}, "1000000"},
		{value{kind: "number", number: -0.25}, "-0.25"},
		{value{kind: "number", number: 0}, "0"},
		{value{kind: "number", number: 1e21}, "1e+21"},
		{value{kind: "number", number: 1e-7}, "1e-07"},
		{value{kind: "list"}, "[]"},
		{value{kind: "list", list: []string{"<b>", `"`, "é"}}, `["<b>","\"","é"]`},
	} {
		if got := c.v.print(); got != c.want {
			t.Errorf("%+v prints as %q, want %q", c.v, got, c.want)
		}
	}
}

// TestAppendMember checks what a well-formed database does not hold.
func TestAppendMember(t *testing.T) {
	columns := columnsOf([]string{"n"}, map[string][]string{"n": {"number"}})
	id := "bad \xff byte"
	row, _, err := appendMember(nil, columns, member{actor: 1, userID: &id, values: []value{{kind: "number", number: 2}}})
	if want := "0000000000000001 | 0 | bad \uFFFD byte | - | - | - | 2"; err != nil || printRow(row) != want {
		t.Errorf("row %q, %v, want %q", printRow(row), err, want)
	}
	_, _, err = appendMember(nil, columns, member{actor: 1, values: []value{{kind: "text", text: "two"}}})
	if muster.CodeOf(err) != muster.Unavailable {
		t.Errorf("a text among numbers: %v, want one that is tried again", err)
	}
}
