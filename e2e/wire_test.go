package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// fault is what the wire does to a request of traffic instead of passing it on.
type fault string

const (
	unavailable fault = "answers 503 and asks for a second's pause"
	lost        fault = "passes it on and breaks the connection before the answer"
)

// request is one request of traffic that went over a wire.
type request struct {
	Path, ContentType string
	Messages          []message
	Fault             fault
}

// wire stands between browsers and a service: it keeps what was sent, and is as unreliable as a test wants it.
type wire struct {
	*httptest.Server
	mu       sync.Mutex
	requests []request
	faults   []fault // of the next requests
	down     bool    // nothing passes, and nothing is kept
	t        *testing.T
}

func newWire(t *testing.T, s *service) *wire {
	t.Helper()
	target := must[*url.URL](t, "read the service's address")(url.Parse(s.url))
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	w := &wire{t: t}
	w.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if w.isDown() {
			panic(http.ErrAbortHandler)
		}
		if r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/v1/") {
			proxy.ServeHTTP(out, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the browser gave up
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch w.keep(r, body) {
		case unavailable:
			out.Header().Set("Access-Control-Allow-Origin", "*")
			out.Header().Set("Access-Control-Expose-Headers", "Retry-After")
			out.Header().Set("Retry-After", "1")
			out.WriteHeader(http.StatusServiceUnavailable)
		case lost:
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			proxy.ServeHTTP(out, r)
		}
	}))
	t.Cleanup(w.Close)
	return w
}

// keep records a request and returns its fault.
func (w *wire) keep(r *http.Request, body []byte) fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := request{Path: r.URL.Path, ContentType: r.Header.Get("Content-Type")}
	raw := []json.RawMessage{body}
	if r.URL.Path == "/v1/b" || r.URL.Path == "/v1/batch" {
		var batch struct{ Batch []json.RawMessage }
		if err := json.Unmarshal(body, &batch); err != nil {
			w.t.Errorf("the body %s: %v", body, err)
		}
		raw = batch.Batch
	}
	for _, text := range raw {
		var m message
		if err := json.Unmarshal(text, &m); err != nil {
			w.t.Errorf("the message %s: %v", text, err)
		}
		kept.Messages = append(kept.Messages, m)
	}
	if len(w.faults) > 0 {
		kept.Fault = w.faults[0]
		w.faults = w.faults[1:]
	}
	w.requests = append(w.requests, kept)
	return kept.Fault
}

// fail sets what is done to the next requests.
func (w *wire) fail(faults ...fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = faults
}

// cut takes the wire down, or puts it up again.
func (w *wire) cut(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
}

func (w *wire) isDown() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.down
}

func (w *wire) all() []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]request(nil), w.requests...)
}

// sent returns the messages by their ids. One that was sent again must be what it was.
func (w *wire) sent() map[string]message {
	w.t.Helper()
	all := map[string]message{}
	for _, r := range w.all() {
		for _, m := range r.Messages {
			if before, again := all[m.MessageID]; again && !reflect.DeepEqual(before, m) {
				w.t.Errorf("a message was sent as\n%+v and again as\n%+v", before, m)
			}
			all[m.MessageID] = m
		}
	}
	return all
}

// said counts the messages by what they say: the name of an event, the path of a page, or else the type.
func (w *wire) said() map[string]int {
	counts := map[string]int{}
	for _, m := range w.sent() {
		switch m.Type {
		case "track":
			counts[m.Event]++
		case "page":
			path, _ := m.Properties["path"].(string)
			counts["page "+path]++
		default:
			counts[m.Type]++
		}
	}
	return counts
}
