package demo

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

func TestMessageJSON(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 30, 0, 7e6, time.FixedZone("", 3600))
	for _, c := range []struct {
		in   Message
		want string
	}{
		{
			Message{Type: "track", AnonymousID: "a", Event: "purchase", Properties: []Field{{"amount", 29}, {"new", true}}, Timestamp: at, MessageID: "m"},
			`{"type":"track","anonymousId":"a","event":"purchase","properties":{"amount":29,"new":true},"timestamp":"2026-03-01T08:30:00.007Z","messageId":"m"}`,
		},
		{
			Message{Type: "identify", UserID: "u", Traits: []Field{{"name", `Zoé "Z" O'Brien`}, {"trial_ends_at", nil}, {"interests", []string{"a\\b", "c"}}, {"none", []string(nil)}}, Timestamp: at, MessageID: "m"},
			`{"type":"identify","userId":"u","traits":{"name":"Zoé \"Z\" O'Brien","trial_ends_at":null,"interests":["a\\b","c"],"none":[]},"timestamp":"2026-03-01T08:30:00.007Z","messageId":"m"}`,
		},
		{
			Message{Type: "page", AnonymousID: "a", Name: "Home", Category: "site", Timestamp: at, MessageID: "m", Context: `{"locale":"fr-FR"}`},
			`{"type":"page","anonymousId":"a","name":"Home","category":"site","timestamp":"2026-03-01T08:30:00.007Z","messageId":"m","context":{"locale":"fr-FR"}}`,
		},
	} {
		got, err := json.Marshal(c.in)
		if err != nil || string(got) != c.want {
			t.Errorf("%s, %v\nnot %s", got, err, c.want)
		}
	}
	if _, err := json.Marshal(Message{Properties: []Field{{"x", struct{}{}}}}); err == nil {
		t.Error("a value no field has is written")
	}
}

func TestTextsAreJSON(t *testing.T) {
	for _, text := range []string{"", "plain", `"`, `\`, "\n", "\x7f", "é", "日本", "\x00", "a<b>&c", "\u2028"} {
		var back string
		if err := json.Unmarshal(appendText(nil, text), &back); err != nil || !reflect.DeepEqual(back, text) {
			t.Errorf("%q came back as %q, %v", text, back, err)
		}
	}
}
