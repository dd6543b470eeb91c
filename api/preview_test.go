package api_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// A preview presumes that nobody's value has to be put together, and each of these makes that wrong for somebody: the counts are
// right all the same, at once and once more.
func TestPreviewsTellApartWhoTheyFind(t *testing.T) {
	h := newHouse(t)
	const isPro = `{"attribute":"plan","op":"equals","value":"pro"}`
	var begun string
	for _, step := range []struct {
		name, message string
		count, of     uint64
	}{
		{"a user", identify("ann", `{"plan":"pro"}`), 1, 1},
		{"a visitor", `{"type":"identify","anonymousId":"v1","traits":{"plan":"pro"}}`, 2, 2},
		{"the visitor is a user who says otherwise", `{"type":"identify","userId":"bob","anonymousId":"v1","traits":{"plan":"free"}}`, 1, 2},
		{"a value from after now", fmt.Sprintf(`{"type":"identify","userId":"cat","timestamp":%q,"traits":{"plan":"pro"}}`,
			time.Now().Add(time.Hour).Format(time.RFC3339)), 1, 3},
		{"the user has another id", `{"type":"alias","previousId":"ann","userId":"anna"}`, 1, 3},
		{"that says otherwise", identify("anna", `{"plan":"team"}`), 0, 3},
		{"a new user", identify("dan", `{"plan":"pro"}`), 1, 4},
	} {
		h.send(step.message)
		var p struct {
			Count, Of uint64
			AsOf      string `json:"as_of"`
		}
		for range 2 {
			h.ask("POST", "/segments/preview", `{"definition":`+isPro+`}`, http.StatusOK, &p)
			if p.Count != step.count || p.Of != step.of {
				t.Errorf("%s: %d of %d, not %d of %d", step.name, p.Count, p.Of, step.count, step.of)
			}
		}
		if begun == "" {
			begun = p.AsOf
		}
		h.ask("POST", "/segments/preview", `{"definition":`+isPro+`,"as_of":"`+begun+`"}`, http.StatusOK, &p)
		if p.Count != 1 || p.Of != 1 {
			t.Errorf("%s: as of the beginning %d of %d, not 1 of 1", step.name, p.Count, p.Of)
		}
	}
}
