package ingest

import (
	"log/slog"
	"strings"
	"testing"

	"muster"
)

// signatureOfU is what "printf u | openssl dgst -sha256 -hmac secret" says.
const signatureOfU = "6aecfb4c8a2f79aef0a29d770a63c2c7886bb0f18a20dcc4db844b97511bbd25"

func TestProjectsThatDemandSignaturesTakeNoForgedIdentity(t *testing.T) {
	s := openSpool(t)
	d, err := NewDoor(DoorConfig{
		Spool: s, Keys: testKeys, Log: slog.New(slog.DiscardHandler),
		Signing: func(p muster.ProjectID) (string, bool) { return "secret", p == 7 },
	})
	if err != nil {
		t.Fatal(err)
	}
	of := func(id string) string { return Sign("secret", id) }
	for _, c := range []struct {
		name, message string
		taken         bool
	}{
		{"signed", `{"type":"identify","userId":"u","signature":"` + of("u") + `"}`, true},
		{"unsigned", `{"type":"identify","userId":"u"}`, false},
		{"signed for another", `{"type":"identify","userId":"u","signature":"` + of("v") + `"}`, false},
		{"signed with another secret", `{"type":"identify","userId":"u","signature":"` + Sign("other", "u") + `"}`, false},
		{"cut off", `{"type":"identify","userId":"u","signature":"` + of("u")[:32] + `"}`, false},
		{"empty", `{"type":"identify","userId":"u","signature":""}`, false},
		{"a visitor's traits", `{"type":"identify","anonymousId":"a","traits":{"x":1}}`, true},
		{"a group", `{"type":"group","userId":"u","groupId":"g"}`, false},
		{"a signed group", `{"type":"group","userId":"u","groupId":"g","signature":"` + of("u") + `"}`, true},
		{"an alias of a visitor", `{"type":"alias","userId":"u","previousId":"a","anonymousId":"a","signature":"` + of("u") + `"}`, true},
		{"an alias that takes over a user", `{"type":"alias","userId":"u","previousId":"v","signature":"` + of("u") + `"}`, false},
		{"an alias of two users signed for both", `{"type":"alias","userId":"u","previousId":"v","signature":"` + of("u") + `","previousSignature":"` + of("v") + `"}`, true},
		{"a track", `{"type":"track","userId":"u","event":"e"}`, true},
		{"a page", `{"type":"page","userId":"u"}`, true},
	} {
		w := post(t, d, "/v1/batch", `{"writeKey":"wk","batch":[`+c.message+`]}`)
		if taken := strings.Contains(w.Body.String(), `"accepted":1`); taken != c.taken {
			t.Errorf("%s: answered %s", c.name, w.Body)
		} else if !taken && !strings.Contains(w.Body.String(), `"invalid_signature"`) {
			t.Errorf("%s: rejected otherwise: %s", c.name, w.Body)
		}
	}
}

func TestSignIsWhatOthersCompute(t *testing.T) {
	if got := Sign("secret", "u"); got != signatureOfU {
		t.Errorf("signed %s, openssl says %s", got, signatureOfU)
	}
}
