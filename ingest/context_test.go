package ingest

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestContextIsMergedAndTheMessageWins(t *testing.T) {
	for _, c := range []struct{ shared, own, want string }{
		{``, ``, `{}`},
		{`null`, ``, `{}`},
		{`{"ip":"1"}`, ``, `{"ip":"1"}`},
		{``, `{"ip":"2"}`, `{"ip":"2"}`},
		{`{"ip":"1","app":{"name":"a"}}`, `{"ip":"2"}`, `{"ip":"2","app":{"name":"a"}}`},
		{`{"app":{"name":"a","build":1}}`, `{"app":{"name":"b"}}`, `{"app":{"name":"b"}}`}, // shallow
		{`{"ip":"1"}`, `{ }`, `{"ip":"1"}`},
		{`{}`, `{"ip":"2"}`, `{"ip":"2"}`},
		{`{"ip":"1"}`, `{"i\u0070":"2"}`, `{"i\u0070":"2"}`}, // another spelling of one name
		{`{"ip":"1"}`, `{"ip":null}`, `{"ip":null}`},
	} {
		shared, rejection := newSharedContext(jsontext.Value(c.shared))
		if c.shared == "" {
			shared, rejection = newSharedContext(nil)
		}
		if rejection != nil {
			t.Fatal(rejection)
		}
		got, err := shared.merge(c.own)
		if err != nil || got != c.want {
			t.Errorf("%s and %s became %s, %v, not %s", c.shared, c.own, got, err, c.want)
		}
	}
}

func TestSharedContextIsChecked(t *testing.T) {
	for _, c := range []struct {
		in      string
		code    RejectCode
		pointer string
	}{
		{`[]`, RejectInvalidType, "/context"},
		{`{"a":{"b":1,"b":2}}`, RejectDuplicateKey, "/context/a/b"},
		{`{"a":"` + "\xff" + `"}`, RejectInvalidJSON, "/context/a"},
		{`{"a":"` + strings.Repeat("x", MaxMessage) + `"}`, RejectTooLarge, "/context"},
	} {
		_, rejection := newSharedContext(jsontext.Value(c.in))
		if rejection == nil || rejection.Code != c.code || rejection.Pointer != c.pointer {
			t.Errorf("%.40s: %+v, not %s at %s", c.in, rejection, c.code, c.pointer)
		}
	}
}
