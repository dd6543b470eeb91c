package demo

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster"
)

// service stands for the tracking API: it keeps every message once, and answers as told.
type service struct {
	*httptest.Server
	t      *testing.T
	answer func(request int, w http.ResponseWriter) (answered bool) // before the answer that a batch was taken
	reject func(id string) bool

	mu       sync.Mutex
	requests int
	taken    map[string]int // by message id: how often it came
}

func newService(t *testing.T) *service {
	s := &service{
		t: t, taken: map[string]int{},
		answer: func(int, http.ResponseWriter) bool { return false },
		reject: func(string) bool { return false },
	}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if r.Method != http.MethodPost || r.URL.Path != "/v1/batch" || r.Header.Get("Content-Encoding") != "gzip" ||
		r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Authorization") != "Bearer key" {
		s.t.Errorf("%s %s with %v", r.Method, r.URL.Path, r.Header)
	}
	zip, err := gzip.NewReader(r.Body)
	if err != nil {
		s.t.Error(err)
		return
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		s.t.Error(err)
		return
	}
	var body struct{ Batch []happening }
	if err := json.Unmarshal(text, &body); err != nil {
		s.t.Error(err)
		return
	}
	if len(text) > 500<<10 || len(body.Batch) > 2500 || len(body.Batch) == 0 {
		s.t.Errorf("a batch of %d messages and %d bytes", len(body.Batch), len(text))
	}
	var rejected []map[string]any
	for i, m := range body.Batch {
		if s.reject(m.MessageID) {
			rejected = append(rejected, map[string]any{"index": i, "code": "too_long", "detail": "too long"})
			continue
		}
		s.taken[m.MessageID]++
	}
	if s.answer(s.requests, w) {
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"accepted": len(body.Batch) - len(rejected), "rejected": rejected})
}

// tiny is a demo of a few thousand messages.
var tiny = Config{Users: 100, Days: 30, Seed: 1, End: small.End}

func (s *service) sender(concurrency int) *sender {
	s.t.Helper()
	sender, err := newSender(SendConfig{BaseURL: s.URL, WriteKey: "key", Concurrency: concurrency, BatchSize: 50})
	if err != nil {
		s.t.Fatal(err)
	}
	sender.wait = func(context.Context, time.Duration) error { return nil }
	return sender
}

func TestSendTwiceIsTheSameAsOnce(t *testing.T) {
	s := newService(t)
	g := generator(t, tiny)
	var shown []Progress
	for times := range 2 {
		shown = nil
		summary, err := Send(t.Context(), SendConfig{
			BaseURL: s.URL + "/", WriteKey: "key", Concurrency: 3, BatchSize: 50,
			Progress: func(p Progress) { shown = append(shown, p) },
		}, g.Messages())
		if err != nil {
			t.Fatal(err)
		}
		if n := g.Count(); summary.Accepted != n || len(s.taken) != n || summary.Rejected != 0 || summary.Batches != (n+49)/50 {
			t.Errorf("time %d: %+v and %d taken, of %d", times, summary, len(s.taken), n)
		}
		if len(shown) != summary.Batches || shown[len(shown)-1].Accepted != summary.Accepted {
			t.Errorf("progress was shown %d times, last %+v", len(shown), shown[len(shown)-1])
		}
	}
	for id, times := range s.taken {
		if times != 2 {
			t.Fatalf("%s came %d times", id, times)
		}
	}
}

func TestSendTriesAgainWhatFailsForNow(t *testing.T) {
	hangUp := func(w http.ResponseWriter) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		if err := connection.Close(); err != nil {
			t.Error(err)
		}
	}
	status := func(code int, after string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", after)
			w.WriteHeader(code)
		}
	}
	for name, c := range map[string]struct {
		fail func(http.ResponseWriter)
		wait time.Duration // at least
	}{
		"429":                   {status(429, "3"), 3 * time.Second},
		"503":                   {status(503, "1"), time.Second},
		"500":                   {status(500, ""), 0},
		"the connection breaks": {hangUp, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t)
			// Every batch is taken, and still answered with a failure the first time: nobody may count it twice.
			s.answer = func(request int, w http.ResponseWriter) bool {
				if request%2 == 1 {
					c.fail(w)
					return true
				}
				return false
			}
			sender := s.sender(1)
			var waits []time.Duration
			sender.wait = func(_ context.Context, d time.Duration) error {
				waits = append(waits, d)
				return nil
			}
			g := generator(t, tiny)
			summary, err := sender.send(t.Context(), g.Messages())
			if err != nil {
				t.Fatal(err)
			}
			if n := g.Count(); summary.Accepted != n || len(s.taken) != n || summary.Retries != summary.Batches || len(waits) != summary.Retries {
				t.Errorf("%+v, %d taken and %d waits, of %d messages", summary, len(s.taken), len(waits), n)
			}
			for _, w := range waits {
				if w < c.wait || w > c.wait+firstPause {
					t.Fatalf("waited %s", w)
				}
			}
		})
	}
}

func TestSendGivesUp(t *testing.T) {
	s := newService(t)
	s.answer = func(_ int, w http.ResponseWriter) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"title":"Unavailable","detail":"the disk is full","code":"unavailable"}`)
		return true
	}
	summary, err := s.sender(1).send(t.Context(), generator(t, tiny).Messages())
	if err == nil || !strings.Contains(err.Error(), "given up after 10 attempts") || !strings.Contains(err.Error(), "the disk is full") {
		t.Error(err)
	}
	if s.requests != maxAttempts || summary.Retries != maxAttempts-1 || summary.Sent() != 0 {
		t.Errorf("%d requests, %+v", s.requests, summary)
	}
}

func TestSendStopsAtWhatCannotSucceed(t *testing.T) {
	for _, c := range []struct {
		code int
		body string
		want []string
		is   muster.Code
	}{
		{401, `{"title":"Unauthorized","detail":"no known write key was given","code":"unauthorized"}`, []string{"401", "no known write key", "keys.json"}, muster.Unauthorized},
		{400, `{"title":"Bad Request","detail":"the body is not JSON","code":"invalid_json"}`, []string{"400", "the body is not JSON"}, muster.InvalidJSON},
		{413, `too large`, []string{"413", "too large"}, muster.InvalidArgument},
		{404, ``, []string{"404"}, muster.InvalidArgument},
		{200, `<html>`, []string{"something else"}, muster.Internal},
		{200, `{"accepted":1}`, []string{"took 1"}, muster.Internal},
	} {
		s := newService(t)
		s.answer = func(_ int, w http.ResponseWriter) bool {
			w.WriteHeader(c.code)
			_, _ = io.WriteString(w, c.body)
			return true
		}
		_, err := s.sender(1).send(t.Context(), generator(t, tiny).Messages())
		if err == nil || muster.CodeOf(err) != c.is {
			t.Errorf("%d %s: %v", c.code, c.body, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%d %s: %v does not say %q", c.code, c.body, err, want)
			}
		}
		if s.requests != 1 {
			t.Errorf("%d %s: sent %d times", c.code, c.body, s.requests)
		}
	}
}

func TestSendSaysWhatWasRejected(t *testing.T) {
	s := newService(t)
	g := generator(t, tiny)
	var bad []string
	for m := range g.Messages() {
		if len(bad) < 7 && strings.HasSuffix(m.MessageID, "3") {
			bad = append(bad, m.MessageID)
		}
	}
	s.reject = func(id string) bool { return slices.Contains(bad, id) }
	summary, err := s.sender(1).send(t.Context(), g.Messages())
	if summary.Rejected != 7 || summary.Accepted != g.Count()-7 {
		t.Errorf("%+v", summary)
	}
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("rejected 7 of %d messages", g.Count())) {
		t.Fatal(err)
	}
	for i, id := range bad {
		if told := strings.Contains(err.Error(), id+": too_long"); told != (i < shownRejections) {
			t.Errorf("%s told: %t, in %v", id, told, err)
		}
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	s := newService(t)
	ctx, cancel := context.WithCancel(t.Context())
	sender := s.sender(2)
	sender.config.Progress = func(Progress) { cancel() }
	if _, err := sender.send(ctx, generator(t, small).Messages()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestSendConfigIsChecked(t *testing.T) {
	good := SendConfig{BaseURL: "http://127.0.0.1:1", WriteKey: "key", Concurrency: 1, BatchSize: 300}
	if _, err := newSender(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*SendConfig){
		"no address":    func(c *SendConfig) { c.BaseURL = "" },
		"no scheme":     func(c *SendConfig) { c.BaseURL = "127.0.0.1:8080" },
		"no key":        func(c *SendConfig) { c.WriteKey = "" },
		"nobody":        func(c *SendConfig) { c.Concurrency = 0 },
		"empty batches": func(c *SendConfig) { c.BatchSize = 0 },
		"large batches": func(c *SendConfig) { c.BatchSize = 2501 },
	} {
		c := good
		change(&c)
		if _, err := Send(t.Context(), c, slices.Values([]Message{})); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
