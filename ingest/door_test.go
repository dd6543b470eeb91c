package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster"
	"muster/ingest/spool"
	"muster/problem"
)

// testKeys knows one project.
func testKeys(_ context.Context, key string) (muster.ProjectID, bool) {
	return 7, key == "wk"
}

func openSpool(t testing.TB) *spool.Spool {
	t.Helper()
	s, err := spool.Open(t.TempDir(), spool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newTestDoor(t testing.TB, s *spool.Spool) *Door {
	t.Helper()
	d, err := NewDoor(DoorConfig{Spool: s, Keys: testKeys, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return receipt }})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// stored seals the spool and reads all the messages in it.
func stored(t testing.TB, s *spool.Spool) []Message {
	t.Helper()
	if _, err := s.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all []Message
	for s.Stats().Segments > 0 {
		segment, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for record, err := range segment.Records() {
			if err != nil {
				t.Fatal(err)
			}
			if record[0] != recordVersion {
				continue // names, or a rejected message
			}
			m, err := ParseRecord(record)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
		if err := segment.Remove(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// post sends a body to a path and returns the answer.
func post(t testing.TB, d http.Handler, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

func basic(user string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":")) }

func TestDoorTakesEveryTypeAtBothItsAddresses(t *testing.T) {
	s := openSpool(t)
	d := newTestDoor(t, s)
	for _, c := range []struct{ long, short, body, event string }{
		{"identify", "i", `{"userId":"u","traits":{"plan":"pro"}}`, "$identify"},
		{"track", "t", `{"userId":"u","event":"e"}`, "e"},
		{"page", "p", `{"userId":"u","name":"Home"}`, "$page"},
		{"screen", "s", `{"userId":"u","name":"Home"}`, "$screen"},
		{"group", "g", `{"userId":"u","groupId":"g"}`, "$group"},
		{"alias", "a", `{"userId":"u","previousId":"v"}`, "$alias"},
	} {
		for _, path := range []string{"/v1/" + c.long, "/v1/" + c.short} {
			w := post(t, d, path, c.body, "Authorization", "Bearer wk")
			if got := strings.TrimSpace(w.Body.String()); w.Code != 200 || got != `{"accepted":1,"rejected":[]}` {
				t.Errorf("%s: answered %d %s", path, w.Code, got)
			}
			messages := stored(t, s)
			if len(messages) != 1 || messages[0].Event != c.event || messages[0].Project != 7 {
				t.Errorf("%s: stored %+v", path, messages)
			}
		}
	}
}

func TestDoorFindsTheKeyWhereClientsPutIt(t *testing.T) {
	d := newTestDoor(t, openSpool(t))
	body := func(key string) string { return `{"userId":"u","event":"e","writeKey":` + key + `}` }
	for _, c := range []struct {
		name, header, body string
		status             int
	}{
		{"basic", basic("wk"), body("null"), 200},
		{"bearer", "Bearer wk", body("null"), 200},
		{"bearer in any letter case", "bearer wk", body("null"), 200},
		{"body", "", body(`"wk"`), 200},
		{"body beside an empty basic", basic(""), body(`"wk"`), 200},
		{"the header decides", "Bearer other", body(`"wk"`), 401},
		{"none", "", body("null"), 401},
		{"unknown in the header", basic("sk"), body("null"), 401},
		{"unknown in the body", "", body(`"sk"`), 401},
		{"another scheme", "Digest wk", body(`"wk"`), 401},
		{"a bad message does not tell that the key is good", "", `{"writeKey":"sk","event":7}`, 401},
	} {
		var header []string
		if c.header != "" {
			header = []string{"Authorization", c.header}
		}
		if w := post(t, d, "/v1/track", c.body, header...); w.Code != c.status {
			t.Errorf("%s: answered %d %s, not %d", c.name, w.Code, w.Body, c.status)
		}
	}
}

func TestDoorTakesTheGoodMessagesOfABatch(t *testing.T) {
	s := openSpool(t)
	w := post(t, newTestDoor(t, s), "/v1/batch", `{
		"writeKey": "wk", "sentAt": "2024-05-01T13:00:00.000Z", "context": {"ip": "1", "library": {"name": "x"}},
		"batch": [
			{"type":"track","userId":"u","event":"first","messageId":"m1","timestamp":"2024-05-01T12:59:00Z","context":{"ip":"2"}},
			{"type":"track","userId":"u","userId":"v","event":"e"},
			{"type":"track","event":"e"},
			7,
			{"type":"identify","userId":"u","messageId":"m2","traits":{"tags":[]}},
			{"type":"page","anonymousId":"a","messageId":"m3"}
		]}`)
	want := `{"accepted":2,"rejected":[` +
		`{"index":1,"code":"duplicate_key","detail":"the key stands twice in one object","pointer":"/batch/1/userId"},` +
		`{"index":2,"code":"missing_id","detail":"a message needs a userId or an anonymousId","pointer":"/batch/2"},` +
		`{"index":3,"code":"invalid_type","detail":"it must be an object","pointer":"/batch/3"},` +
		`{"index":4,"code":"attribute_reserved","detail":"tags is kept by the service and cannot be sent; use another name","pointer":"/batch/4/traits/tags"}]}`
	if got := strings.TrimSpace(w.Body.String()); w.Code != 200 || got != want {
		t.Errorf("answered %d\n%s\nnot\n%s", w.Code, got, want)
	}
	now := receipt.UnixMilli()
	wantStored := []Message{
		{
			Project: 7, Type: Track, UserID: "u", Event: "first", MessageID: "m1", Timestamp: now + 59*60_000, Time: now - 60_000,
			Received: receipt.UnixMicro(), Properties: "{}", Context: `{"ip":"2","library":{"name": "x"}}`,
		},
		{
			Project: 7, Type: Page, AnonymousID: "a", Event: "$page", MessageID: "m3", Time: now,
			Received: receipt.UnixMicro() + 1, Properties: "{}", Context: `{"ip": "1", "library": {"name": "x"}}`,
		},
	}
	if diff := cmp.Diff(wantStored, stored(t, s)); diff != "" {
		t.Errorf("stored otherwise than sent (-want +got):\n%s", diff)
	}
}

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDoorTakesWhatClientsSend(t *testing.T) {
	s := openSpool(t)
	d := newTestDoor(t, s)
	const body = `{"batch":[{"type":"track","userId":"u","event":"e"}],"writeKey":"wk"}`
	for _, c := range []struct {
		name, body string
		header     []string
	}{
		{"json", body, []string{"Content-Type", "application/json; charset=utf-8"}},
		{"text", body, []string{"Content-Type", "text/plain"}},
		{"no type", body, nil},
		{"gzip", gzipped(t, body), []string{"Content-Encoding", "gzip"}},
		{"gzip in two members", gzipped(t, body[:10]) + gzipped(t, body[10:]), []string{"Content-Encoding", "GZIP"}},
	} {
		w := post(t, d, "/v1/b", c.body, c.header...)
		if w.Code != 200 || len(stored(t, s)) != 1 {
			t.Errorf("%s: answered %d %s", c.name, w.Code, w.Body)
		}
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("%s: allowed to origin %q", c.name, got)
		}
	}
}

func TestDoorTakesABodyOfUnknownLength(t *testing.T) {
	d := newTestDoor(t, openSpool(t))
	for _, c := range []struct {
		body   string
		status int
	}{
		{`{"userId":"u","event":"e","writeKey":"wk"}`, 200},
		{`{"userId":"u","event":"e","writeKey":"wk","x":"` + strings.Repeat("x", MaxBody) + `"}`, 413},
	} {
		r := httptest.NewRequest(http.MethodPost, "/v1/t", io.NopCloser(strings.NewReader(c.body)))
		w := httptest.NewRecorder()
		if d.ServeHTTP(w, r); r.ContentLength != -1 || w.Code != c.status {
			t.Errorf("answered %d %s, not %d", w.Code, w.Body, c.status)
		}
	}
}

func TestDoorRefusesAsAWhole(t *testing.T) {
	s := openSpool(t)
	d := newTestDoor(t, s)
	track := `{"type":"track","userId":"u","event":"e"}`
	big := strings.Repeat("x", MaxBody)
	for _, c := range []struct {
		name, path, body string
		header           []string
		status           int
		code             muster.Code
		pointer          string // of the first place
	}{
		{"broken JSON", "/v1/batch", `{"batch":[` + track + `}`, nil, 400, muster.InvalidJSON, "/batch"},
		{"no object", "/v1/batch", `[` + track + `]`, nil, 400, muster.InvalidJSON, ""},
		{"empty", "/v1/batch", ``, nil, 400, muster.InvalidJSON, ""},
		{"no batch", "/v1/batch", track, nil, 400, muster.InvalidArgument, ""},
		{"sentAt", "/v1/batch", `{"batch":[],"sentAt":"now"}`, nil, 400, muster.InvalidArgument, "/sentAt"},
		{"context", "/v1/batch", `{"batch":[],"context":7}`, nil, 400, muster.InvalidArgument, "/context"},
		{"a bad message alone", "/v1/track", `{"userId":"u","event":7}`, nil, 400, muster.InvalidArgument, "/event"},
		{"a repeated key alone", "/v1/track", `{"userId":"u","event":"e","properties":{"a":1,"a":2}}`, nil, 400, muster.InvalidJSON, "/properties/a"},
		{"another type's address", "/v1/page", track, nil, 400, muster.InvalidArgument, "/type"},
		{"a large message alone", "/v1/track", `{"userId":"u","event":"e","properties":{"a":"` + big[:MaxMessage] + `"}}`, nil, 413, muster.TooLarge, ""},
		{"a large body", "/v1/batch", `{"batch":[],"x":"` + big + `"}`, nil, 413, muster.TooLarge, ""},
		{"a large body inflated", "/v1/batch", gzipped(t, `{"batch":[],"x":"`+big+`"}`), []string{"Content-Encoding", "gzip"}, 413, muster.TooLarge, ""},
		{"too many messages", "/v1/batch", `{"batch":[0` + strings.Repeat(",0", MaxMessages) + `]}`, nil, 413, muster.TooLarge, ""},
		{
			"a context that multiplies", "/v1/batch",
			`{"context":{"x":"` + big[:20<<10] + `"},"batch":[` + track + strings.Repeat(","+track, 999) + `]}`, nil, 413, muster.TooLarge, "",
		},
		{"no gzip", "/v1/batch", track, []string{"Content-Encoding", "gzip"}, 400, muster.InvalidArgument, ""},
		{"torn gzip", "/v1/batch", gzipped(t, track)[:30], []string{"Content-Encoding", "gzip"}, 400, muster.InvalidArgument, ""},
		{"another encoding", "/v1/batch", track, []string{"Content-Encoding", "br"}, 400, muster.InvalidArgument, ""},
		{"another address", "/v1/tracks", track, nil, 404, muster.NotFound, ""},
	} {
		w := post(t, d, c.path, c.body, append(c.header, "Authorization", "Bearer wk")...)
		var doc problem.Document
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
			t.Errorf("%s: answered %d %s: %v", c.name, w.Code, w.Body, err)
			continue
		}
		if w.Code != c.status || doc.Status != c.status || doc.Code != c.code || doc.Detail == "" {
			t.Errorf("%s: answered %d %s, not %d %s", c.name, w.Code, w.Body, c.status, c.code)
		}
		if c.pointer != "" && (len(doc.Errors) == 0 || doc.Errors[0].Pointer != c.pointer) {
			t.Errorf("%s: the place is not %s in %s", c.name, c.pointer, w.Body)
		}
	}
	if messages := stored(t, s); len(messages) != 0 {
		t.Errorf("%d messages of refused requests were stored", len(messages))
	}
}

func TestDoorTakesTheLargest(t *testing.T) {
	s := openSpool(t)
	d := newTestDoor(t, s)
	track := `{"type":"track","userId":"u","event":"e","messageId":"%d"},`
	var b strings.Builder
	for i := range MaxMessages {
		fmt.Fprintf(&b, track, i)
	}
	start, end := `{"batch":[`, `],"writeKey":"wk","x":"`
	messages := strings.TrimSuffix(b.String(), ",")
	filler := strings.Repeat("x", MaxBody-len(start)-len(messages)-len(end)-2)
	w := post(t, d, "/v1/batch", start+messages+end+filler+`"}`)
	if want := fmt.Sprintf(`{"accepted":%d,"rejected":[]}`, MaxMessages); w.Code != 200 || strings.TrimSpace(w.Body.String()) != want {
		t.Fatalf("answered %d %.200s", w.Code, w.Body)
	}
	if got := len(stored(t, s)); got != MaxMessages {
		t.Errorf("stored %d messages", got)
	}
}

func TestDoorAnswersPreflights(t *testing.T) {
	d := newTestDoor(t, openSpool(t))
	r := httptest.NewRequest(http.MethodOptions, "/v1/t", nil)
	r.Header.Set("Origin", "https://example.com")
	r.Header.Set("Access-Control-Request-Method", "POST")
	r.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, POST",
		"Access-Control-Allow-Headers": "Authorization, Content-Type, Content-Encoding, X-Retry-Count, *",
	} {
		if got := w.Header().Get(name); w.Code != 204 || got != want {
			t.Errorf("answered %d with %s: %q, not %q", w.Code, name, got, want)
		}
	}
}

func TestDoorSaysWhenTheSpoolIsClosed(t *testing.T) {
	s, err := spool.Open(t.TempDir(), spool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d := newTestDoor(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	w := post(t, d, "/v1/track", `{"userId":"u","event":"e"}`, "Authorization", "Bearer wk")
	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

func TestDoorSaysWhenTheSpoolIsFull(t *testing.T) {
	s, err := spool.Open(t.TempDir(), spool.Config{MaxBytes: 2 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	d := newTestDoor(t, s)
	taken := 0
	for range 100 {
		w := post(t, d, "/v1/track", `{"userId":"u","event":"e"}`, "Authorization", "Bearer wk")
		if w.Code == 200 {
			taken++
			continue
		}
		if w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
		break
	}
	if got := len(stored(t, s)); taken == 0 || taken == 100 || got != taken {
		t.Errorf("%d messages were acknowledged and %d are stored", taken, got)
	}
	if w := post(t, d, "/v1/track", `{"userId":"u","event":"e"}`, "Authorization", "Bearer wk"); w.Code != 200 {
		t.Errorf("answered %d %s when there was room again", w.Code, w.Body)
	}
}

func TestDoorHoldsBoundedMemory(t *testing.T) {
	d := newTestDoor(t, openSpool(t))
	if !d.bodies.held.TryAcquire(maxHeld) {
		t.Fatal("somebody holds memory already")
	}
	// The request gives up before its patience ends, so the test does not have to wait.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/track", strings.NewReader(`{"userId":"u","event":"e","writeKey":"wk"}`))
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	if w.Code != 503 {
		t.Errorf("answered %d %s while all memory was held", w.Code, w.Body)
	}
	d.bodies.held.Release(maxHeld)
	if w := post(t, d, "/v1/track", `{"userId":"u","event":"e","writeKey":"wk"}`); w.Code != 200 {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	if !d.bodies.held.TryAcquire(maxHeld) {
		t.Error("a request kept its share of the memory")
	}
}
