package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"muster"
	"muster/clickhouse"
	"muster/ingest/spool"
	"muster/problem"
)

// maxRecords bounds what one request is stored as: a shared context is stored with every message.
const maxRecords = 8 << 20

// Keys finds the project a write key belongs to. Secret keys are none.
type Keys func(ctx context.Context, key string) (muster.ProjectID, bool)

// DoorConfig is what a [Door] needs.
type DoorConfig struct {
	Spool *spool.Spool
	Keys  Keys
	Log   *slog.Logger
	Now   func() time.Time // time.Now where it is nil

	Signing   Signing    // nil where no project demands signatures
	RateLimit int        // messages a second of one key; 0 for any number
	Names     NameLimits // [DefaultNameLimits] where it is zero
}

// maxWaiting bounds the requests that are being answered at once, each of which holds a goroutine and its connection.
const maxWaiting = 2048

// Door is the HTTP handler of the tracking API: POST /v1/{identify,track,page,screen,group,alias,batch}, the short forms
// /v1/{i,t,p,s,g,a,b}, and GET /v1/projects/{writeKey}/settings. It answers 200 only when everything it accepted is fsynced
// in the spool, and everything it rejected is kept there too.
type Door struct {
	spool      *spool.Spool
	keys       Keys
	log        *slog.Logger
	now        func() time.Time
	signing    Signing
	clock      clock // of accepted messages
	bodies     *bodies
	rates      *rates
	vocabulary *vocabulary
	budget     budget
	// rejectClock is apart from clock, so that what is rejected does not show in the times of what is accepted.
	rejectClock clock
	seldom      seldom
	desks       sync.Pool // of *desk
	waiting     atomic.Int64
	counts      doorCounts
}

// NewDoor returns a door that stores what it accepts in a spool.
func NewDoor(c DoorConfig) (*Door, error) {
	if c.Spool == nil || c.Keys == nil || c.Log == nil {
		return nil, errors.New("ingest: a door needs a spool, keys and a log")
	}
	if c.RateLimit < 0 {
		return nil, errors.New("ingest: a rate limit cannot be negative; 0 is none")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Signing == nil {
		c.Signing = func(muster.ProjectID) (string, bool) { return "", false }
	}
	if c.Names == (NameLimits{}) {
		c.Names = DefaultNameLimits()
	}
	vocabulary, err := newVocabulary(c.Names)
	if err != nil {
		return nil, err
	}
	return &Door{
		spool: c.Spool, keys: c.Keys, log: c.Log, now: c.Now, signing: c.Signing, bodies: newBodies(), rates: newRates(c.RateLimit),
		vocabulary: vocabulary, budget: newBudget(keptADay), desks: sync.Pool{New: func() any { return &desk{decoder: newDecoder()} }},
	}, nil
}

// Refresh reads the names in use, so that those other doors took count here too. It is called now and then; until it was
// the first time, caps on names are not enforced.
func (d *Door) Refresh(ctx context.Context, db *clickhouse.DB) error {
	return d.vocabulary.refresh(ctx, db)
}

// Answer is the body of a 200: what was taken and what was not.
type Answer struct {
	Accepted int         `json:"accepted"`
	Rejected []Rejection `json:"rejected"`
}

// batchPath is the type of a path whose messages say their own.
const batchPath = 0

var paths = map[string]Type{
	"/v1/identify": Identify, "/v1/i": Identify,
	"/v1/track": Track, "/v1/t": Track,
	"/v1/page": Page, "/v1/p": Page,
	"/v1/screen": Screen, "/v1/s": Screen,
	"/v1/group": Group, "/v1/g": Group,
	"/v1/alias": Alias, "/v1/a": Alias,
	"/v1/batch": batchPath, "/v1/b": batchPath,
}

// Paths lists the addresses the door answers at, sorted.
func Paths() []string { return slices.Sorted(maps.Keys(paths)) }

// ServeHTTP answers one request. Pages of any origin may send: the write key is what opens the door.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Expose-Headers", "Retry-After")
	path, isPath := paths[r.URL.Path]
	key, isSettings := settingsOf(r.URL.Path)
	switch {
	case r.Method == http.MethodOptions && (isPath || isSettings):
		header.Set("Access-Control-Allow-Methods", "GET, POST")
		// Clients send more and more headers of their own; none of them means anything to us. '*' does not stand for
		// Authorization.
		header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding, X-Retry-Count, *")
		header.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
	case isSettings && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		d.writeSettings(w, r, key)
	case isPath && r.Method == http.MethodPost:
		d.answer(w, r, path)
	case isPath:
		problem.Write(w, &muster.Error{Code: muster.NotFound, Detail: "there is nothing to read here; send messages with POST"})
	default:
		problem.Write(w, &muster.Error{Code: muster.NotFound, Detail: "there is nothing at this address"})
	}
}

// answer takes the messages of a request and says what became of them.
func (d *Door) answer(w http.ResponseWriter, r *http.Request, path Type) {
	answer, err := Answer{}, error(errTooMany)
	if d.waiting.Add(1) <= maxWaiting {
		answer, err = d.take(w, r, path)
	}
	d.waiting.Add(-1)
	if err != nil {
		d.counts.refuse(muster.CodeOf(err))
		problem.Write(w, err)
		return
	}
	d.counts.accepted.Add(uint64(answer.Accepted))
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // nobody is left to tell when the connection is gone
}

// errTooMany is the error of a request over maxWaiting.
var errTooMany = &muster.Error{
	Code: muster.Unavailable, Detail: "too many requests are being answered at once", Hint: "send the same again later",
}

// desk is the memory one request is worked on with.
type desk struct {
	body    bytes.Buffer
	decoder *decoder
	records []byte // one after another
	ends    []int  // of each record
	kept    int    // bytes of records, those of rejected messages
	fresh   []newName
}

func (k *desk) clear() {
	k.body.Reset()
	k.records, k.ends, k.kept, k.fresh = k.records[:0], k.ends[:0], 0, k.fresh[:0]
}

// end ends the record that was just appended.
func (k *desk) end() { k.ends = append(k.ends, len(k.records)) }

func (k *desk) all() [][]byte {
	all, start := make([][]byte, 0, len(k.ends)), 0
	for _, end := range k.ends {
		all = append(all, k.records[start:end:end])
		start = end
	}
	return all
}

// take reads, decodes and stores the messages of a request.
func (d *Door) take(w http.ResponseWriter, r *http.Request, path Type) (Answer, error) {
	key, err := headerKey(r)
	if err != nil {
		return Answer{}, err
	}
	var project muster.ProjectID
	var limiter *rate.Limiter
	open := func() (err error) {
		if project, err = d.project(r.Context(), key); err == nil {
			limiter = d.rates.key(key)
		}
		return err
	}
	if key != "" { // a wrong key, and one that sends too much, is refused before its body is read
		if err := open(); err != nil {
			return Answer{}, err
		}
		if limiter != nil && limiter.TokensAt(d.now()) < 1 {
			return Answer{}, spend(w, limiter, d.now(), 1)
		}
	}
	k := d.desks.Get().(*desk) //nolint:errcheck // The pool holds nothing else.
	defer d.desks.Put(k)
	k.clear()
	release, err := d.bodies.read(w, r, &k.body)
	defer release()
	if err != nil {
		return Answer{}, err
	}
	received := d.now()
	e, err := openEnvelope(k.body.Bytes())
	if err != nil {
		return Answer{}, err
	}
	if key == "" {
		key = e.writeKey
		if err := open(); err != nil {
			return Answer{}, err
		}
	}
	req, err := e.request(received)
	if err != nil {
		return Answer{}, err
	}
	if err := spend(w, limiter, received, max(1, len(e.batch))); err != nil {
		return Answer{}, err
	}
	req.secret, req.signed = d.signing(project)
	if path != batchPath {
		return d.takeOne(r.Context(), k, path, project, req)
	}
	answer, err := d.takeBatch(k, e, project, req)
	if err != nil {
		return answer, err
	}
	return answer, d.store(r.Context(), k, project, received)
}

func (d *Door) project(ctx context.Context, key string) (muster.ProjectID, error) {
	if key == "" {
		return 0, errKey
	}
	project, ok := d.keys(ctx, key)
	if !ok || project == 0 {
		return 0, errKey
	}
	return project, nil
}

// add puts one message on the desk, or tells why not.
func (d *Door) add(k *desk, raw []byte, path Type, project muster.ProjectID, req request, shared *sharedContext) *Rejection {
	m, rejection := k.decoder.decode(raw, path, req, shared)
	if rejection != nil {
		return rejection
	}
	m.Project, m.Received = project, d.clock.next(d.now())
	fresh, rejection := d.vocabulary.admit(&m, &k.decoder.propertyNames)
	if rejection != nil {
		return rejection
	}
	k.fresh = append(k.fresh, fresh...)
	k.records = AppendRecord(k.records, &m)
	k.end()
	return nil
}

// takeOne takes a message that came alone. One that is not accepted is an error of the whole request, and kept all the
// same where that can be.
func (d *Door) takeOne(ctx context.Context, k *desk, path Type, project muster.ProjectID, req request) (Answer, error) {
	rejection := d.add(k, k.body.Bytes(), path, project, req, &sharedContext{})
	if rejection == nil {
		return Answer{Accepted: 1, Rejected: []Rejection{}}, d.store(ctx, k, project, req.received)
	}
	d.reject(k, project, path, req, k.body.Bytes(), "", *rejection)
	if err := d.store(ctx, k, project, req.received); err != nil {
		d.counts.unkept.Add(1)
	}
	return Answer{}, rejection.problem()
}

// takeBatch puts the messages of a batch on the desk: the accepted, and to be kept the rejected.
func (d *Door) takeBatch(k *desk, e envelope, project muster.ProjectID, req request) (Answer, error) {
	answer := Answer{Rejected: []Rejection{}}
	if !e.hasBatch {
		return answer, invalidField("", `a batch needs "batch", the list of its messages`)
	}
	shared, rejection := newSharedContext(e.context)
	if rejection != nil {
		return answer, rejection.problem()
	}
	for i, raw := range e.batch {
		if rejection := d.add(k, raw, batchPath, project, req, shared); rejection != nil {
			rejection.Index, rejection.Pointer = i, fmt.Sprintf("/batch/%d%s", i, rejection.Pointer)
			answer.Rejected = append(answer.Rejected, *rejection)
			d.reject(k, project, batchPath, req, raw, shared.raw, *rejection)
			continue
		}
		answer.Accepted++
		if len(k.records)-k.kept > maxRecords {
			return answer, &muster.Error{
				Code: muster.TooLarge, Detail: fmt.Sprintf("with the context its messages share the batch has more than %d bytes", maxRecords),
				Hint: "send smaller batches or a smaller context; nothing of this request was stored",
			}
		}
	}
	return answer, nil
}

// store fsyncs what is on the desk.
func (d *Door) store(ctx context.Context, k *desk, project muster.ProjectID, received time.Time) error {
	if len(k.fresh) > 0 {
		k.records = appendNames(k.records, project, received.UnixMilli(), k.fresh)
		k.end()
	}
	if len(k.ends) == 0 {
		return nil
	}
	err := d.spool.Append(ctx, k.all())
	switch {
	case err == nil:
		d.vocabulary.settle(k.fresh)
		return nil
	case errors.Is(err, spool.ErrFull):
		if d.seldom.now("full", received) {
			d.log.WarnContext(ctx, "the spool is full; senders are told to come again", slog.Int64("bytes", d.spool.Stats().Bytes))
		}
		return &muster.Error{
			Code: muster.Unavailable, Detail: "too much traffic is waiting to be stored", Hint: "send the same again later", Err: err,
		}
	default:
		if ctx.Err() == nil && d.seldom.now("disk", received) { // a sender that went away is no failure of ours
			d.log.ErrorContext(ctx, "messages could not be written to the spool", slog.Any("error", err))
		}
		return &muster.Error{
			Code: muster.Unavailable, Detail: "the messages could not be written to disk", Hint: "send the same again later", Err: err,
		}
	}
}
