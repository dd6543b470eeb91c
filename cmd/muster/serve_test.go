package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"muster/clickhouse/clickhousetest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

func startTest(t *testing.T, dir string) *service {
	t.Helper()
	s, err := start(t.Context(), config{dataDir: dir, listen: "127.0.0.1:0", log: slog.New(slog.NewTextHandler(testWriter{t}, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// ask sends a request as an analyst, checks the status and decodes the answer.
func ask(t *testing.T, s *service, method, path, body string, status int, answer any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	key := s.keyFile.SecretKey
	if strings.HasPrefix(path, "/v1/") {
		key = s.keyFile.WriteKey
	}
	request.Header.Set("Authorization", "Bearer "+key)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status {
		t.Fatalf("%s %s %s: status %d, want %d: %s", method, path, body, response.StatusCode, status, text)
	}
	if answer == nil {
		return
	}
	if err := json.Unmarshal(text, answer); err != nil {
		t.Fatalf("%s %s: %v: %s", method, path, err, text)
	}
}

type previewed struct {
	Count, Of int
	Sentence  string
	Warnings  []struct{ Code, Suggestion string }
}

// TestServe is the life of a service as a user sees it: start, send, preview, materialize, export, stop, start again.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	s := startTest(t, dir)
	closed := false
	defer func() {
		if !closed {
			s.close()
		}
	}()
	ask(t, s, "POST", "/v1/identify", `{"userId":"ann","anonymousId":"a1","traits":{"plan":"pro","seats":3}}`, 200, nil)
	ask(t, s, "POST", "/v1/identify", `{"userId":"bob","traits":{"plan":"free"}}`, 200, nil)
	ask(t, s, "POST", "/v1/page", `{"anonymousId":"a1","name":"Home","messageId":"p1"}`, 200, nil)
	ask(t, s, "POST", "/v1/page", `{"anonymousId":"a1","name":"Home","messageId":"p1"}`, 200, nil) // sent again
	ask(t, s, "POST", "/v1/track", `{"anonymousId":"zed","event":"looked"}`, 200, nil)
	ask(t, s, "POST", "/api/v1/flush", "", 204, nil)

	preview := func(definition string) (p previewed) {
		t.Helper()
		ask(t, s, "POST", "/api/v1/segments/preview", `{"definition":`+definition+`}`, 200, &p)
		return p
	}
	if p := preview(`{"attribute":"plan","op":"equals","value":"pro"}`); p.Count != 1 || p.Of != 3 || p.Sentence != "plan is pro" {
		t.Errorf("previewed %+v, want 1 of 3: plan is pro", p)
	}
	if p := preview(`{"event":"$page","count":{"op":"eq","value":1}}`); p.Count != 1 {
		t.Errorf("%d users saw one page, want 1: the anonymous page is ann's, and counts once", p.Count)
	}
	if p := preview(`{"attribute":"plam","op":"exists"}`); len(p.Warnings) != 1 || p.Warnings[0].Suggestion != "plan" {
		t.Errorf("warnings %+v, want the suggestion of plan", p.Warnings)
	}

	var seg struct {
		ID       string
		Revision int
	}
	ask(t, s, "POST", "/api/v1/segments", `{"name":"Pro","definition":{"attribute":"plan","op":"equals","value":"pro"}}`, 201, &seg)
	var run struct {
		Run                   string
		Size, Entered, Exited int
	}
	ask(t, s, "POST", "/api/v1/segments/"+seg.ID+"/materialize", "", 200, &run)
	if run.Size != 1 || run.Entered != 1 || run.Exited != 0 {
		t.Errorf("the first run is %+v, want one who entered", run)
	}
	ask(t, s, "POST", "/v1/batch", `{"batch":[{"type":"identify","userId":"ann","traits":{"plan":"free"}},{"type":"identify","userId":"bob","traits":{"plan":"pro"}}]}`, 200, nil)
	ask(t, s, "POST", "/api/v1/flush", "", 204, nil)
	ask(t, s, "POST", "/api/v1/segments/"+seg.ID+"/materialize", "", 200, &run)
	if run.Size != 1 || run.Entered != 1 || run.Exited != 1 {
		t.Errorf("the second run is %+v, want one who entered and one who exited", run)
	}
	var members struct {
		Users []struct {
			UserID     string `json:"user_id"`
			Attributes map[string]any
		}
		Run   string
		Total int
	}
	ask(t, s, "GET", "/api/v1/segments/"+seg.ID+"/members", "", 200, &members)
	if members.Total != 1 || len(members.Users) != 1 || members.Users[0].UserID != "bob" || members.Run != run.Run {
		t.Errorf("the members are %+v, want bob", members)
	}

	var export struct{ ID, Status string }
	ask(t, s, "POST", "/api/v1/exports", `{"dataset":"members","segment":"`+seg.ID+`","attributes":["plan"]}`, 202, &export)
	for deadline := time.Now().Add(20 * time.Second); export.Status != "done"; {
		if time.Now().After(deadline) || export.Status == "failed" {
			t.Fatalf("the export is %+v", export)
		}
		ask(t, s, "GET", "/api/v1/exports/"+export.ID, "", 200, &export)
	}

	s.close()
	closed = true
	s = startTest(t, dir)
	defer s.close()
	if p := preview(`{"attribute":"plan","op":"equals","value":"pro"}`); p.Count != 1 || p.Of != 3 {
		t.Errorf("after a restart %+v, want 1 of 3", p)
	}
	ask(t, s, "GET", "/api/v1/segments/"+seg.ID+"/members", "", 200, &members)
	if members.Total != 1 || members.Users[0].UserID != "bob" {
		t.Errorf("after a restart the members are %+v, want bob", members)
	}
	ask(t, s, "GET", "/api/v1/exports/"+export.ID, "", 200, &export)
	if export.Status != "done" {
		t.Errorf("after a restart the export is %+v", export)
	}
}

// TestBadInput checks what is refused, how, and that nothing of it stays.
func TestBadInput(t *testing.T) {
	s := startTest(t, t.TempDir())
	defer s.close()
	var seg struct {
		ID string
	}
	ask(t, s, "POST", "/api/v1/segments", `{"name":"A","definition":{"everyone":true}}`, 201, &seg)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		code, pointer, suggest   string
	}{
		{"broken JSON", "POST", "/api/v1/segments/preview", `{"definition":`, 400, "invalid_json", "", ""},
		{"a key twice", "POST", "/api/v1/segments/preview", `{"definition":{"everyone":true,"everyone":true}}`, 400, "invalid_json", "", ""},
		{"unknown operator", "POST", "/api/v1/segments/preview", `{"definition":{"all":[{"attribute":"plan","op":"equal","value":"x"}]}}`, 400, "invalid_definition", "/definition/all/0/op", "equals"},
		{"wrong type", "POST", "/api/v1/segments/preview", `{"definition":{"attribute":"plan","op":"gt","value":"x"}}`, 400, "invalid_definition", "/definition/value", ""},
		{"empty group", "POST", "/api/v1/segments/preview", `{"definition":{"any":[]}}`, 400, "invalid_definition", "/definition/any", ""},
		{"bad regexp", "POST", "/api/v1/segments", `{"name":"B","definition":{"attribute":"p","op":"matches","value":"("}}`, 400, "invalid_definition", "/definition/value", ""},
		{"unknown segment", "POST", "/api/v1/segments", `{"name":"B","definition":{"not":{"segment":"nope"}}}`, 400, "invalid_definition", "/definition/not/segment", ""},
		{"itself", "PUT", "/api/v1/segments/" + seg.ID, `{"name":"A","definition":{"segment":"` + seg.ID + `"}}`, 400, "invalid_definition", "/definition/segment", ""},
		{"no name", "POST", "/api/v1/segments", `{"name":" ","definition":{"everyone":true}}`, 400, "invalid_argument", "/name", ""},
		{"unknown field", "POST", "/api/v1/segments", `{"name":"B","definitoin":{}}`, 400, "invalid_argument", "", ""},
		{"bad schedule", "POST", "/api/v1/segments", `{"name":"B","definition":{"everyone":true},"schedule":"TZ=UTC"}`, 400, "invalid_argument", "/schedule", ""},
		{"no such segment", "GET", "/api/v1/segments/nope", "", 404, "not_found", "", ""},
		{"no such page", "GET", "/api/v1/nope", "", 404, "not_found", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p struct {
				Code   string
				Errors []struct{ Pointer, Code, Suggestion string }
			}
			ask(t, s, c.method, c.path, c.body, c.status, &p)
			if p.Code != c.code {
				t.Errorf("code %q, want %q", p.Code, c.code)
			}
			if c.pointer == "" {
				return
			}
			if len(p.Errors) == 0 || p.Errors[0].Pointer != c.pointer || p.Errors[0].Suggestion != c.suggest {
				t.Errorf("errors %+v, want one at %s suggesting %q", p.Errors, c.pointer, c.suggest)
			}
		})
	}
	var list struct{ Segments []json.RawMessage }
	ask(t, s, "GET", "/api/v1/segments", "", 200, &list)
	if len(list.Segments) != 1 {
		t.Errorf("there are %d segments after what was refused, want 1", len(list.Segments))
	}

	// Revisions, If-Match and use.
	var user struct{ ID string }
	ask(t, s, "POST", "/api/v1/segments", `{"name":"U","definition":{"segment":"`+seg.ID+`"}}`, 201, &user)
	ask(t, s, "DELETE", "/api/v1/segments/"+seg.ID, "", 409, nil)
	ask(t, s, "DELETE", "/api/v1/segments/"+user.ID, "", 204, nil)
	ask(t, s, "DELETE", "/api/v1/segments/"+seg.ID, "", 204, nil)
	ask(t, s, "GET", "/api/v1/segments/"+seg.ID, "", 404, nil)

	for _, key := range []string{"", s.keyFile.WriteKey, "sk_wrong"} {
		request, err := http.NewRequestWithContext(t.Context(), "GET", s.url()+"/api/v1/segments", bytes.NewReader(nil))
		if err != nil {
			t.Fatal(err)
		}
		if key != "" {
			request.Header.Set("Authorization", "Bearer "+key)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized || response.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("key %q: status %d and %s, want a problem document with 401", key, response.StatusCode, response.Header.Get("Content-Type"))
		}
	}
}
