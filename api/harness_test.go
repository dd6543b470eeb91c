package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"muster"
	"muster/api"
	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
	"muster/erasure"
	"muster/exports"
	"muster/identity"
	"muster/ingest"
	"muster/ingest/spool"
	"muster/jobs"
	"muster/membership"
	"muster/projects"
	"muster/segments"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// house is a whole service without a network: traffic goes in through the door, questions through the API.
type house struct {
	t         *testing.T
	db        *clickhouse.DB
	door      *ingest.Door
	api       http.Handler
	drain     *ingest.Drain
	indexer   *jobs.Indexer
	evaluator *segments.Evaluator
	live      *segments.Live
	current   *membership.Current
	me        http.Handler
	signing   string // where it is not empty, identification must be signed with it
	keys      projects.KeyFile
	project   projects.Project
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, db: clickhousetest.DB(t)}
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	queue, err := spool.Open(filepath.Join(dir, "spool"), spool.Config{MaxBytes: 1 << 28, Damaged: func(d spool.Damage) { t.Error(d) }})
	ok(err)
	t.Cleanup(func() { ok(queue.Close()) })
	h.keys, err = projects.OpenKeyFile(dir)
	ok(err)
	ring, directory := projects.NewKeyring(h.keys), &projects.Directory{}
	ok(projects.Register(t.Context(), h.db, ring))
	ok(directory.Refresh(t.Context(), h.db))
	h.project = directory.All()[0]
	h.door, err = ingest.NewDoor(ingest.DoorConfig{Spool: queue, Log: log, Keys: func(_ context.Context, key string) (muster.ProjectID, bool) {
		return ring.Project(projects.WriteKey, key)
	}})
	ok(err)
	h.drain, err = ingest.NewDrain(ingest.DrainConfig{Spool: queue, DB: h.db, Log: log, RefusedDir: filepath.Join(dir, "refused")})
	ok(err)
	index := identity.NewIndex(h.db)
	ok(index.Open(t.Context()))
	h.indexer = jobs.NewIndexer(index, log)
	store := segments.NewStore(h.db)
	h.evaluator = segments.NewEvaluator(h.db, store)
	h.current = membership.NewCurrent()
	h.live = segments.NewLive(h.evaluator, h.current, time.Now)
	h.me = api.NewMe(ring, func(muster.ProjectID) (string, bool) { return h.signing, h.signing != "" }, h.current)
	rejections, err := ingest.NewRejections(h.db, h.door)
	ok(err)
	eraser, err := erasure.New(erasure.Config{
		DB: h.db, Index: index, Evaluator: h.evaluator, Rejections: rejections, Flush: h.flush, Pause: h.indexer.Pause,
		Forget: func(id muster.ProjectID, uids []uint32) { h.current.Project(id).Forget(uids...) },
	})
	ok(err)
	datasets, err := exports.NewService(exports.Config{
		DB: h.db, Dir: filepath.Join(dir, "exports"), Log: log,
		Members: func(context.Context, muster.ProjectID, string) (exports.Run, error) {
			panic("nothing is exported here")
		},
	})
	ok(err)
	tags, err := segments.NewTagger(segments.TaggerConfig{
		Evaluator: h.evaluator, Flush: h.drain.Flush,
		State: func(context.Context, segments.Statement) (uint64, error) { panic("nothing is tagged here") },
	})
	ok(err)
	h.api, err = api.New(api.Config{
		Keys: ring, Projects: directory, Segments: store, Evaluator: h.evaluator, Current: h.current, Exports: datasets, Flush: h.flush,
		Erase: eraser.Erase,
		Tags:  tags, Rejections: rejections, DB: h.db,
		Dashboard: http.NotFoundHandler(), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	ok(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.drain.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		ok(<-done)
	})
	return h
}

func (h *house) flush(ctx context.Context) error {
	if err := h.drain.Flush(ctx); err != nil {
		return err
	}
	return h.indexer.Now(ctx)
}

// send takes messages in, each a JSON object of the tracking API, and returns when they are queryable.
func (h *house) send(messages ...string) {
	h.t.Helper()
	h.acknowledge(messages...)
	if err := h.flush(h.t.Context()); err != nil {
		h.t.Fatal(err, h.drain.Stats().LastError)
	}
}

// acknowledge takes messages in and leaves them in the spool, if the drain does not hurry.
func (h *house) acknowledge(messages ...string) {
	h.t.Helper()
	body := `{"batch":[` + strings.Join(messages, ",") + `]}`
	w := h.serve(h.door, "POST", "/v1/batch", body, h.keys.WriteKey)
	var answer struct{ Rejected []any }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK || len(answer.Rejected) > 0 {
		h.t.Fatalf("traffic was answered %d %s", w.Code, w.Body)
	}
}

// track is a message that a user did something, at a time.
func track(user, event string, at time.Time, properties string) string {
	return fmt.Sprintf(`{"type":"track","userId":%q,"event":%q,"timestamp":%q,"properties":%s}`, user, event, at.Format(time.RFC3339Nano), properties)
}

// identify is a message with a user's attributes.
func identify(user, traits string) string {
	return fmt.Sprintf(`{"type":"identify","userId":%q,"traits":%s}`, user, traits)
}

func (h *house) serve(handler http.Handler, method, path, body, key string, headers ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	request := httptest.NewRequestWithContext(h.t.Context(), method, path, strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+key)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, request)
	return w
}

// ask sends a request with the secret key; the answer must have the status, and is decoded into answer if it is not nil.
func (h *house) ask(method, path, body string, status int, answer any) {
	h.t.Helper()
	w := h.serve(h.api, method, "/api/v1"+path, body, h.keys.SecretKey)
	if w.Code != status {
		h.t.Fatalf("%s %s %s: status %d, want %d: %s", method, path, body, w.Code, status, w.Body)
	}
	if answer == nil {
		return
	}
	if err := json.Unmarshal(w.Body.Bytes(), answer); err != nil {
		h.t.Fatalf("%s %s: %v: %s", method, path, err, w.Body)
	}
}

// refused is a problem document.
type refused struct {
	Status             int
	Code, Detail, Hint string
	Errors             []muster.Issue
}

// refusal is a request that must be refused.
type refusal struct {
	name, method, path, body string
	status                   int
	code                     string
	issue, pointer           string // of the first issue; empty for none
	hint                     string // a part of it
}

// refuse sends requests that must be refused, and checks why they are.
func (h *house) refuse(t *testing.T, all []refusal) {
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			w := h.serve(h.api, c.method, "/api/v1"+c.path, c.body, h.keys.SecretKey)
			var got refused
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatalf("%v: %s", err, w.Body)
			}
			if kind := w.Header().Get("Content-Type"); kind != "application/problem+json" {
				t.Errorf("the answer is of type %q", kind)
			}
			if w.Code != c.status || got.Status != c.status || got.Code != c.code || got.Detail == "" {
				t.Errorf("refused with %d %s, want %d %s: %s", w.Code, got.Code, c.status, c.code, w.Body)
			}
			var first muster.Issue
			if len(got.Errors) > 0 {
				first = got.Errors[0]
			}
			if first.Pointer != c.pointer || c.issue != "" && first.Code != c.issue {
				t.Errorf("the place is %q (%s), want %q (%s): %s", first.Pointer, first.Code, c.pointer, c.issue, w.Body)
			}
			if !strings.Contains(got.Hint, c.hint) {
				t.Errorf("the hint is %q, want it to say %q", got.Hint, c.hint)
			}
		})
	}
}

// person is a user as the API shows one.
type person struct {
	User        string
	UserID      *string `json:"user_id"`
	AnonymousID *string `json:"anonymous_id"`
	Attributes  map[string]any
}

// name is the user id, or the anonymous id.
func (p person) name() string {
	switch {
	case p.UserID != nil:
		return *p.UserID
	case p.AnonymousID != nil:
		return *p.AnonymousID
	}
	return "nobody"
}

func namesOf(people []person) []string {
	names := []string{}
	for _, p := range people {
		names = append(names, p.name())
	}
	return names
}

// cost is what every answer says of what it took.
type cost struct {
	AsOf      time.Time `json:"as_of"`
	ElapsedMS *int64    `json:"elapsed_ms"`
	RowsRead  uint64    `json:"rows_read"`
	BytesRead uint64    `json:"bytes_read"`
}

// check fails unless an answer says for when it is and what it took.
func (c cost) check(t *testing.T) {
	t.Helper()
	if c.AsOf.IsZero() || c.ElapsedMS == nil || c.RowsRead == 0 || c.BytesRead == 0 {
		t.Errorf("the answer does not say for when it is and what it took: %+v", c)
	}
}

type listed struct {
	cost

	Users []person
	Total int
	Next  *string
	Run   string
}

// matching returns the sorted names of the users a definition holds for.
func (h *house) matching(definition string, more ...string) []string {
	h.t.Helper()
	body := `{"definition":` + definition + `,"limit":1000`
	for _, field := range more {
		body += "," + field
	}
	var page listed
	h.ask("POST", "/users/query", body+"}", http.StatusOK, &page)
	names := namesOf(page.Users)
	if page.Total != len(names) {
		h.t.Errorf("the total of %s is %d, and there are %v", definition, page.Total, names)
	}
	slices.Sort(names)
	return names
}

// save saves a segment and returns its id.
func (h *house) save(name, definition string) string {
	h.t.Helper()
	var seg struct{ ID string }
	h.ask("POST", "/segments", fmt.Sprintf(`{"name":%q,"definition":%s}`, name, definition), http.StatusCreated, &seg)
	return seg.ID
}

// address returns the address of a user by its user id.
func (h *house) address(user string) string {
	h.t.Helper()
	var page listed
	h.ask("POST", "/users/query", fmt.Sprintf(`{"definition":{"attribute":"user_id","op":"equals","value":%q}}`, user), http.StatusOK, &page)
	if len(page.Users) != 1 {
		h.t.Fatalf("%d users are called %s", len(page.Users), user)
	}
	return page.Users[0].User
}
