package ingest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// receipt is when every message of these tests is received.
var receipt = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

func decodeOne(t testing.TB, text string) (Message, *Rejection) {
	t.Helper()
	return newDecoder().decode([]byte(text), 0, request{received: receipt}, &sharedContext{})
}

func text(name, value string) Attribute {
	return Attribute{Name: name, Source: Custom, Kind: Text, Text: value}
}

func TestDecodeSaysWhatWasSent(t *testing.T) {
	at := receipt.UnixMilli()
	for _, c := range []struct {
		name string
		in   string
		want Message
	}{
		{
			"track",
			`{"type":"track","userId":"u1","anonymousId":"a1","event":"purchase","messageId":"m","timestamp":"2024-05-01T11:59:59.123Z","properties":{"amount":12.5}}`,
			Message{Type: Track, UserID: "u1", AnonymousID: "a1", Event: "purchase", Timestamp: at - 877, Time: at - 877, Properties: `{"amount":12.5}`},
		},
		{
			"no timestamp",
			`{"type":"track","userId":"u1","event":"purchase","messageId":"m"}`,
			Message{Type: Track, UserID: "u1", Event: "purchase", Time: at, Properties: `{}`},
		},
		{
			"nulls count as nothing",
			`{"type":"track","userId":null,"anonymousId":"a1","event":"e","messageId":"m","timestamp":null,"properties":null,"context":null,"traits":null}`,
			Message{Type: Track, AnonymousID: "a1", Event: "e", Time: at, Properties: `{}`},
		},
		{
			"identify",
			`{"type":"identify","userId":"u1","anonymousId":"a1","messageId":"m","context":{"ip":"::1"},"traits":{"name":"Zoë","plan":"pro","createdAt":"2020-01-01"}}`,
			Message{
				Type: Identify, UserID: "u1", AnonymousID: "a1", Event: "$identify", Time: at, Properties: `{}`, Context: `{"ip":"::1"}`,
				Attributes: []Attribute{
					{Name: "name", Source: Native, Kind: Text, Text: "Zoë"},
					text("plan", "pro"),
					{Name: "created_at", Source: Native, Kind: Text, Text: "2020-01-01"},
				},
			},
		},
		{
			"identify that unsets the rest",
			`{"options":{"x":{},"removeUnspecified": true},"type":"identify","userId":"u1","messageId":"m","traits":{"plan":"pro"}}`,
			Message{
				Type: Identify, UserID: "u1", Event: "$identify", Time: at, Properties: `{}`,
				Attributes: []Attribute{text("plan", "pro"), {Source: Custom}},
			},
		},
		{
			"kinds of attributes",
			`{"type":"identify","userId":"u1","messageId":"m","traits":{"seats":3,"trial":false,"roles":["a",1,true,null,{"x": [1]},1.50],"phone":null,"tax":{"id":"7"},"none":[]}}`,
			Message{
				Type: Identify, UserID: "u1", Event: "$identify", Time: at, Properties: `{}`,
				Attributes: []Attribute{
					{Name: "seats", Source: Custom, Kind: Number, Number: 3},
					{Name: "trial", Source: Custom, Kind: Boolean, Text: "false"},
					{Name: "roles", Source: Custom, Kind: List, List: []string{"a", "1", "true", `{"x":[1]}`, "1.5"}},
					{Name: "phone", Source: Custom, Kind: Null},
					text("tax.id", "7"),
					{Name: "none", Source: Custom, Kind: List, List: []string{}},
				},
			},
		},
		{
			"page",
			`{"type":"page","anonymousId":"a1","messageId":"m","name":"Home \"1\"","category":"Docs","properties":{"url":"/"}}`,
			Message{Type: Page, AnonymousID: "a1", Event: "$page", Time: at, Properties: `{"url":"/","name":"Home \"1\"","category":"Docs"}`},
		},
		{
			"screen keeps a name its properties say",
			`{"type":"screen","anonymousId":"a1","messageId":"m","name":"Home","properties":{"name":"Start"}}`,
			Message{Type: Screen, AnonymousID: "a1", Event: "$screen", Time: at, Properties: `{"name":"Start"}`},
		},
		{
			"group",
			`{"type":"group","userId":"u1","messageId":"m","groupId":"g1","traits":{"id":"g1","name":"Acme","address":{"city":"Lyon"}}}`,
			Message{
				Type: Group, UserID: "u1", Event: "$group", Time: at, Properties: `{}`,
				Attributes: []Attribute{text("group.id", "g1"), text("group.name", "Acme"), text("group.address.city", "Lyon")},
			},
		},
		{
			"alias of two users",
			`{"type":"alias","userId":"new","previousId":"old","messageId":"m"}`,
			Message{Type: Alias, UserID: "new", PreviousID: "old", Event: "$alias", Time: at, Properties: `{}`},
		},
		{
			"alias of a visitor",
			`{"type":"alias","userId":"new","previousId":"a1","anonymousId":"a1","messageId":"m"}`,
			Message{Type: Alias, UserID: "new", AnonymousID: "a1", Event: "$alias", Time: at, Properties: `{}`},
		},
		{
			"experience",
			`{"type":"track","userId":"u1","event":"$experience","messageId":"m","properties":{"experience":"tour-x","interaction":"seen"}}`,
			Message{Type: Track, UserID: "u1", Event: "$experience", Time: at, Properties: `{"experience":"tour-x","interaction":"seen"}`},
		},
		{
			"letter case tells fields apart, and the unknown are read over",
			`{"type":"track","userId":"u1","USERID":"u2","user_id":"u3","event":"e","messageId":"m","integrations":{"All":true},"channel":"server"}`,
			Message{Type: Track, UserID: "u1", Event: "e", Time: at, Properties: `{}`},
		},
		{
			"ids byte for byte",
			`{"type":"track","userId":" Zo\u00eb\u0000/\" ","event":"\ud83d\ude00","messageId":"m"}`,
			Message{Type: Track, UserID: " Zoë\x00/\" ", Event: "😀", Time: at, Properties: `{}`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, rejection := decodeOne(t, c.in)
			if rejection != nil {
				t.Fatal(rejection)
			}
			c.want.MessageID = "m"
			if c.want.Context == "" {
				c.want.Context = "{}"
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("decoded otherwise than sent (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeFlattensProperties(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{}`, `{}`},
		{`{"a":1,"b":"x","c":true,"d":false,"e":null}`, `{"a":1,"b":"x","c":true,"d":false}`},
		{`{"a":{"b":{"c":1}},"d":{}}`, `{"a.b.c":1}`},
		{`{"a.b":1,"a":{"c":2}}`, `{"a.b":1,"a.c":2}`},
		{`{"a":1,"a.b":2}`, `{"a":1,"a.b":2}`},
		{`{"x:y":1,"":{"a":1},"b.":2,"é":3,"q\"":4}`, `{"x%3Ay":1,"%2Ea":1,"b%2E":2,"é":3,"q%22":4}`},
		{`{"l":["a",1,2.50,true,null,{"b" : [1, 2]},"\u0041\n"]}`, `{"l":["a","1","2.5","true","{\"b\":[1,2]}","\u0041\n"]}`},
		{`{"l":[],"m":[null]}`, `{"l":[],"m":[]}`},
		{`{"a":1.0,"b":-0,"c":1e3,"d":1e-7,"e":0.1}`, `{"a":1,"b":0,"c":1000,"d":1e-07,"e":0.1}`},
		{`{"a":9223372036854775807,"b":-9223372036854775808}`, `{"a":9223372036854775807,"b":-9223372036854775808}`},
		{`{"a":9223372036854775808,"b":1e300}`, `{"a":9.223372036854776e+18,"b":1e+300}`},
	} {
		got, rejection := decodeOne(t, `{"type":"track","userId":"u","event":"e","properties":`+c.in+`}`)
		if rejection != nil {
			t.Errorf("%s: %v", c.in, rejection)
		} else if got.Properties != c.want {
			t.Errorf("%s was flattened to %s, not to %s", c.in, got.Properties, c.want)
		}
	}
}

func TestDecodeMakesAMessageID(t *testing.T) {
	const in = `{"type":"track","userId":"u","event":"e"}`
	one, _ := decodeOne(t, in)
	two, _ := decodeOne(t, in)
	if one.MessageID == "" || one.MessageID == two.MessageID {
		t.Errorf("two messages without an id were given %q and %q", one.MessageID, two.MessageID)
	}
}

func TestDecodeRejects(t *testing.T) {
	long := func(n int) string { return strings.Repeat("é", n) }
	for _, c := range []struct {
		in      string
		code    RejectCode
		pointer string
	}{
		{`7`, RejectInvalidType, ""},
		{`{"type":"track","userId":"u","event":"` + "\xff" + `"}`, RejectInvalidJSON, "/event"},
		{`{"type":"track","userId":"u","event":"\ud800"}`, RejectInvalidJSON, "/event"},
		{`{"type":"track","userId":"u","userId":"v","event":"e"}`, RejectDuplicateKey, "/userId"},
		{`{"type":"track","userId":"u","\u0075serId":"v","event":"e"}`, RejectDuplicateKey, "/userId"},
		{`{"type":"track","\u0075serId":"v","event":"e"}`, RejectInvalidJSON, "/userId"},
		{`{"type":"track","userId":"u","event":"e","context":{"a":{"b":1,"b":2}}}`, RejectDuplicateKey, "/context/a/b"},
		{`{"type":"track","userId":"u","event":"e","properties":{"a":{"b":1,"b":2}}}`, RejectDuplicateKey, "/properties/a/b"},
		{`{"type":"track","userId":"u","event":"e","properties":{"a.b":1,"a":{"b":2}}}`, RejectDuplicateName, "/properties"},
		{`{"userId":"u","event":"e"}`, RejectMissingField, ""},
		{`{"type":"Track","userId":"u","event":"e"}`, RejectUnknownType, "/type"},
		{`{"type":7,"userId":"u","event":"e"}`, RejectInvalidType, "/type"},
		{`{"type":"track","event":"e"}`, RejectMissingID, ""},
		{`{"type":"track","userId":"","anonymousId":null,"event":"e"}`, RejectMissingID, ""},
		{`{"type":"track","userId":7,"event":"e"}`, RejectInvalidType, "/userId"},
		{`{"type":"track","userId":"` + long(257) + `","event":"e"}`, RejectTooLong, "/userId"},
		{`{"type":"track","userId":"u"}`, RejectMissingField, ""},
		{`{"type":"track","userId":"u","event":""}`, RejectMissingField, ""},
		{`{"type":"track","userId":"u","event":"` + long(201) + `"}`, RejectTooLong, "/event"},
		{`{"type":"track","userId":"u","event":"$identify"}`, RejectEventReserved, "/event"},
		{`{"type":"track","userId":"u","event":"e","properties":[]}`, RejectInvalidType, "/properties"},
		{`{"type":"track","userId":"u","event":"e","properties":{"a":1e400}}`, RejectNumber, "/properties/a"},
		{`{"type":"track","userId":"u","event":"e","properties":{"a":[1e400]}}`, RejectNumber, "/properties/a/0"},
		{`{"type":"track","userId":"u","event":"e","properties":{"":1}}`, RejectEmptyName, "/properties/"},
		{`{"type":"track","userId":"u","event":"e","properties":{"` + long(129) + `":1}}`, RejectTooLong, "/properties/" + long(129)},
		{`{"type":"track","userId":"u","event":"e","context":"x"}`, RejectInvalidType, "/context"},
		{`{"type":"track","userId":"u","event":"e","timestamp":"yesterday"}`, RejectTimestamp, "/timestamp"},
		{`{"type":"track","userId":"u","event":"e","timestamp":"2024-05-01T12:00:00"}`, RejectTimestamp, "/timestamp"},
		{`{"type":"track","userId":"u","event":"e","timestamp":"2024-02-30T12:00:00Z"}`, RejectTimestamp, "/timestamp"},
		{`{"type":"track","userId":"u","event":"e","timestamp":1714564800}`, RejectInvalidType, "/timestamp"},
		{`{"type":"track","userId":"u","event":"e","timestamp":"1999-12-31T23:59:59.999Z"}`, RejectTimestampRange, "/timestamp"},
		{`{"type":"track","userId":"u","event":"e","timestamp":"2024-05-02T12:00:00.001Z"}`, RejectTimestampRange, "/timestamp"},
		{`{"type":"identify","userId":"u","traits":{"last_seen":"now"}}`, RejectAttributeReserved, "/traits/last_seen"},
		{`{"type":"identify","userId":"u","traits":{"tags":["vip"]}}`, RejectAttributeReserved, "/traits/tags"},
		{`{"type":"identify","userId":"u","traits":{"createdAt":1,"created_at":2}}`, RejectDuplicateName, "/traits/createdAt"},
		{`{"type":"identify","userId":"u","traits":{"bio":"` + long(701) + `"}}`, RejectTooLong, "/traits/bio"},
		{`{"type":"identify","userId":"u","traits":{"bios":["x","` + long(701) + `"]}}`, RejectTooLong, "/traits/bios/1"},
		{`{"type":"identify","userId":"u","traits":{"n":-1e999}}`, RejectNumber, "/traits/n"},
		{`{"options":{"a":1, "removeUnspecified" : true},"type":"group","userId":"u","groupId":"g"}`, RejectUnsupported, "/options/removeUnspecified"},
		{`{"type":"track","userId":"u","event":"e","options":{"removeUnspecified":true}}`, RejectUnsupported, "/options/removeUnspecified"},
		{`{"type":"identify","userId":"u","traits":{"":null}}`, RejectEmptyName, "/traits/"},
		{`{"type":"group","userId":"u"}`, RejectMissingField, ""},
		{`{"type":"group","userId":"u","groupId":"g","traits":{"id":"h"}}`, RejectDuplicateName, "/traits/id"},
		{`{"type":"alias","userId":"u"}`, RejectMissingField, ""},
		{`{"type":"alias","anonymousId":"a","previousId":"u"}`, RejectMissingField, ""},
		{`{"type":"alias","userId":"u","previousId":"u"}`, RejectSelfAlias, "/previousId"},
		{`{"type":"track","userId":"u","event":"e","properties":{"a":"` + strings.Repeat("x", MaxMessage) + `"}}`, RejectTooLarge, ""},
	} {
		_, rejection := decodeOne(t, c.in)
		switch {
		case rejection == nil:
			t.Errorf("%.120s was accepted", c.in)
		case rejection.Code != c.code || rejection.Pointer != c.pointer:
			t.Errorf("%.120s was rejected as %s at %q, not as %s at %q", c.in, rejection.Code, rejection.Pointer, c.code, c.pointer)
		}
	}
}

func TestDecodeAcceptsTheLimits(t *testing.T) {
	long := func(n int) string { return strings.Repeat("é", n) }
	for _, in := range []string{
		`{"type":"track","userId":"` + long(256) + `","event":"` + long(200) + `","properties":{"` + long(128) + `":1}}`,
		`{"type":"identify","userId":"u","traits":{"bio":"` + long(700) + `","bios":["` + long(700) + `"]}}`,
		`{"type":"track","userId":"u","event":"e","timestamp":"2000-01-01T00:00:00Z"}`,
		`{"type":"identify","userId":"u","options":{"removeUnspecified":false,"x":{"removeUnspecified":true}}}`,
		`{"type":"identify","userId":"u","options":null}`,
		`{"type":"track","userId":"u","event":"e","timestamp":"2024-05-02T12:00:00Z"}`,
	} {
		if _, rejection := decodeOne(t, in); rejection != nil {
			t.Errorf("%.80s: %v", in, rejection)
		}
	}
}

func TestDecodeCountsProperties(t *testing.T) {
	var b strings.Builder
	for i := range MaxProperties + 1 {
		fmt.Fprintf(&b, `,"%d":1`, i)
	}
	object := "{" + b.String()[1:] + "}"
	// A message with so many is over MaxMessage today, so the count is asked of the object alone.
	d := newDecoder()
	d.input.WriteString(object)
	d.json.Reset(&d.input)
	d.properties = append(d.properties, '{')
	rejection, ok := d.flatten(&d.propertyNames, d.property).(*Rejection) //nolint:errorlint // It is returned bare.
	if !ok || rejection.Code != RejectTooMany {
		t.Errorf("%d properties: %v", MaxProperties+1, rejection)
	}
}

func FuzzDecode(f *testing.F) {
	for _, in := range []string{
		`{"type":"track","userId":"u","event":"e","properties":{"a.b":1,"a":{"c":[1,{"x":null}]}},"context":{"ip":"::1"}}`,
		`{"type":"identify","anonymousId":"a","traits":{"name":"N","l":["x",2]},"timestamp":"2024-05-01T11:59:59+02:00"}`,
		`{"type":"group","userId":"u","groupId":"g","traits":{"id":"g"}}`,
		`{"type":"alias","userId":"u","previousId":"v"}`,
		`{"type":"page","userId":"u","name":"\ud83d\ude00"}`,
	} {
		f.Add([]byte(in))
	}
	d := newDecoder()
	shared, _ := newSharedContext([]byte(`{"ip":"1","library":{"name":"x"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, rejection := d.decode(raw, 0, request{received: receipt}, shared)
		if rejection != nil {
			if rejection.Code == "" || rejection.Detail == "" {
				t.Fatalf("a rejection that says nothing: %+v", rejection)
			}
			return
		}
		back, err := ParseRecord(AppendRecord(nil, &m))
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Attributes) == 0 {
			m.Attributes = nil
		}
		if diff := cmp.Diff(m, back); diff != "" {
			t.Fatalf("message changed on its way through a record:\n%s", diff)
		}
		for _, object := range []string{m.Properties, m.Context} {
			if !isObject(object) {
				t.Fatalf("%q is not an object", object)
			}
		}
	})
}

func isObject(text string) bool {
	v := jsontext.Value(text)
	return v.IsValid() && v.Kind() == jsontext.KindBeginObject
}
