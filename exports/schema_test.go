package exports

import (
	"strings"
	"testing"
)

func TestColumnsOf(t *testing.T) {
	kinds := map[string][]string{
		"number": {"number"}, "boolean": {"boolean"}, "list": {"list"}, "text": {"text"}, "both": {"boolean", "number"},
	}
	for _, c := range []struct{ attributes, want string }{
		{"", ""},
		{"z a m", "z:string a:string m:string"},
		{"number boolean list text both none", "number:double boolean:boolean list:list<string> text:string both:string none:string"},
		{"user Uid", "attribute.user:string attribute.Uid:string"},
		{"user attribute.user", "attribute.attribute.user:string attribute.user:string"},
		{"attribute.user user", "attribute.user:string attribute.attribute.user:string"},
	} {
		columns := columnsOf(strings.Fields(c.attributes), kinds)
		var got []string
		for i, column := range columns {
			if i >= len(fixedColumns) {
				got = append(got, column.Name+":"+string(column.Type))
			} else if column.Name != fixedColumns[i].Name {
				t.Errorf("%q: column %d is %q", c.attributes, i, column.Name)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: columns %q, want %q", c.attributes, got, c.want)
		}
	}
}
