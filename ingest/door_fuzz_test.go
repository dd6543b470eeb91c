package ingest

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	strict "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"muster"
	"muster/ingest/spool"
)

// FuzzDoor sends anything to every address with the key of one of two projects. Whatever it is: no panic; a 200 names each
// message of the batch once, as accepted or rejected, and exactly the accepted ones are stored; anything else stores none;
// and nothing is ever stored of the other project.
func FuzzDoor(f *testing.F) {
	for _, body := range []string{
		`{"batch":[{"type":"track","userId":"u","event":"e"},{"type":"track","userId":"u"},7],"sentAt":"2024-05-01T12:00:00Z"}`,
		`{"batch":[{"type":"identify","userId":"u","writeKey":"other","project":8,"traits":{"a":{"b":1},"a.b":2}}],"context":{"ip":"1"}}`,
		`{"type":"alias","userId":"u","previousId":"v","messageId":"m"}`,
		`{"userId":"u","event":"e","properties":{"a":[1,null,{"x":"y"}]}}`,
		`{"userId":"u","groupId":"g","traits":{"id":"g"},"writeKey":"wk"}`,
		`{"writeKey":"other","batch":[]}`, `[]`, `{`, ``,
	} {
		for path := range uint8(len(Paths())) {
			f.Add(path, body, true)
			f.Add(path, body, false)
		}
	}
	s, err := spool.Open(f.TempDir(), spool.Config{SealAfter: time.Hour})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	d, err := NewDoor(DoorConfig{
		Spool: s, Log: slog.New(slog.DiscardHandler),
		Keys: func(_ context.Context, key string) (muster.ProjectID, bool) {
			project, ok := map[string]muster.ProjectID{"wk": 7, "other": 8}[key]
			return project, ok
		},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path uint8, body string, inHeader bool) {
		r := httptest.NewRequest(http.MethodPost, Paths()[int(path)%len(Paths())], strings.NewReader(body))
		if inHeader {
			r.SetBasicAuth("wk", "")
		}
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		messages := stored(t, s)
		for _, m := range messages {
			if inHeader && m.Project != 7 || m.Project != 7 && m.Project != 8 {
				t.Fatalf("a message of project %d was stored", m.Project)
			}
			if m.Project != messages[0].Project {
				t.Fatal("one body was stored in two projects")
			}
		}
		switch w.Code {
		case http.StatusOK:
			var answer Answer
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				t.Fatal(err)
			}
			if answer.Accepted != len(messages) {
				t.Fatalf("%d were accepted and %d stored", answer.Accepted, len(messages))
			}
			sent := 1
			if paths[r.URL.Path] == batchPath {
				var batch struct {
					Batch []jsontext.Value `json:"batch"`
				}
				if err := strict.Unmarshal([]byte(body), &batch); err == nil {
					sent = len(batch.Batch)
				} else {
					sent = answer.Accepted + len(answer.Rejected) // that reader is stricter, about what is inside messages too
				}
			}
			if answer.Accepted+len(answer.Rejected) != sent {
				t.Fatalf("%d messages were sent, and %s was answered", sent, w.Body)
			}
			seen := map[int]bool{}
			for _, rejection := range answer.Rejected {
				if rejection.Code == "" || rejection.Detail == "" || seen[rejection.Index] || rejection.Index < 0 || rejection.Index >= sent {
					t.Fatalf("a rejection says nothing, or twice, or of no message: %+v", rejection)
				}
				seen[rejection.Index] = true
			}
		case http.StatusBadRequest, http.StatusUnauthorized, http.StatusRequestEntityTooLarge:
			if len(messages) != 0 {
				t.Fatalf("answered %d, and %d messages were stored", w.Code, len(messages))
			}
		default:
			t.Fatalf("answered %d %s", w.Code, w.Body)
		}
	})
}
