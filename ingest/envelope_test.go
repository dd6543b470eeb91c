package ingest

import (
	"errors"
	"strings"
	"testing"

	"muster"
)

func TestOpenEnvelopeFindsTheMessages(t *testing.T) {
	e, err := openEnvelope([]byte(`{"writeKey":"k","batch":[{"a":1,"a":2}, "x" ],"sentAt":null,"context":{"ip":"1"},"other":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	if e.writeKey != "k" || e.sentAt != "" || string(e.context) != `{"ip":"1"}` || !e.hasBatch ||
		len(e.batch) != 2 || string(e.batch[0]) != `{"a":1,"a":2}` || string(e.batch[1]) != `"x"` {
		t.Errorf("opened %+v", e)
	}
}

func TestOpenEnvelopeRefusesBrokenBodies(t *testing.T) {
	for _, c := range []struct {
		in      string
		pointer string
	}{
		{``, ""},
		{`   `, ""},
		{`nonsense`, ""},
		{`[]`, ""},
		{`{"batch":[{"a":1}`, "/batch"},
		{`{"batch":[{"a":1,}]}`, "/batch/0"},
		{`{"batch":[]} {}`, ""},
		{`{"batch":[],"batch":[]}`, "/batch"},
		{`{"writeKey":"a","write\u004bey":"b"}`, "/writeKey"},
		{`{"batch":{}}`, "/batch"},
		{`{"writeKey":1}`, "/writeKey"},
		{`{"sentAt":{}}`, "/sentAt"},
	} {
		_, err := openEnvelope([]byte(c.in))
		e, ok := errors.AsType[*muster.Error](err)
		if !ok || e.Code != muster.InvalidJSON || len(e.Issues) != 1 || e.Issues[0].Detail == "" {
			t.Errorf("%s: %v", c.in, err)
		} else if got := e.Issues[0].Pointer; !strings.HasPrefix(got, c.pointer) {
			t.Errorf("%s: the place is %q, not %q", c.in, got, c.pointer)
		}
	}
}

func FuzzOpenEnvelope(f *testing.F) {
	f.Add(`{"writeKey":"k","batch":[{"type":"track"}],"sentAt":"x","context":{}}`)
	f.Fuzz(func(t *testing.T, body string) {
		e, err := openEnvelope([]byte(body))
		if err != nil {
			return
		}
		for _, raw := range e.batch {
			if !strings.Contains(body, string(raw)) {
				t.Fatalf("%q is no part of the body", raw)
			}
		}
	})
}
