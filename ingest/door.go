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

	"muster"
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
}

// Door is the HTTP handler of the tracking API: POST /v1/{identify,track,page,screen,group,alias,batch} and the short forms
// /v1/{i,t,p,s,g,a,b}. It answers 200 only when everything it accepted is fsynced in the spool.
type Door struct {
	spool  *spool.Spool
	keys   Keys
	log    *slog.Logger
	now    func() time.Time
	clock  clock
	bodies *bodies
	desks  sync.Pool // of *desk

	accepted, rejected atomic.Uint64
	rejections         rejections
}

// NewDoor returns a door that stores what it accepts in a spool.
func NewDoor(c DoorConfig) (*Door, error) {
	if c.Spool == nil || c.Keys == nil || c.Log == nil {
		return nil, errors.New("ingest: a door needs a spool, keys and a log")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Door{
		spool: c.Spool, keys: c.Keys, log: c.Log, now: c.Now, bodies: newBodies(),
		desks: sync.Pool{New: func() any { return &desk{decoder: newDecoder()} }},
	}, nil
}

// DoorStats count messages since the start.
type DoorStats struct {
	Accepted, Rejected uint64
}

// Stats returns the counts so far.
func (d *Door) Stats() DoorStats {
	return DoorStats{Accepted: d.accepted.Load(), Rejected: d.rejected.Load()}
}

// Rejections returns the newest rejected messages of a project, the newest first, up to a thousand of all projects.
func (d *Door) Rejections(project muster.ProjectID) []Rejected { return d.rejections.newest(project) }

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
	path, known := paths[r.URL.Path]
	switch {
	case !known:
		problem.Write(w, &muster.Error{Code: muster.NotFound, Detail: "there is nothing at this address"})
		return
	case r.Method == http.MethodOptions:
		header.Set("Access-Control-Allow-Methods", "POST")
		header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding")
		header.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
		return
	case r.Method != http.MethodPost:
		problem.Write(w, &muster.Error{Code: muster.NotFound, Detail: "there is nothing to read here; send messages with POST"})
		return
	}
	answer, err := d.take(w, r, path)
	if err != nil {
		problem.Write(w, err)
		return
	}
	d.accepted.Add(uint64(answer.Accepted))
	header.Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // nobody is left to tell when the connection is gone
}

// desk is the memory one request is worked on with.
type desk struct {
	body    bytes.Buffer
	decoder *decoder
	records []byte // one after another
	ends    []int  // of each record
}

func (k *desk) add(m *Message) {
	k.records = AppendRecord(k.records, m)
	k.ends = append(k.ends, len(k.records))
}

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
	project, err := d.headerProject(r)
	if err != nil {
		return Answer{}, err
	}
	k := d.desks.Get().(*desk) //nolint:errcheck // The pool holds nothing else.
	defer d.desks.Put(k)
	k.body.Reset()
	k.records, k.ends = k.records[:0], k.ends[:0]
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
	if project == 0 {
		if project, err = d.project(r.Context(), e.writeKey); err != nil {
			return Answer{}, err
		}
	}
	req, err := e.request(received)
	if err != nil {
		return Answer{}, err
	}
	answer, err := d.decode(k, e, path, project, req)
	if err != nil || answer.Accepted == 0 {
		return answer, err
	}
	return answer, d.store(r.Context(), k.all())
}

// headerProject is the project of the key in the header, so that a wrong one is refused before its body is read; 0 when
// the header says none.
func (d *Door) headerProject(r *http.Request) (muster.ProjectID, error) {
	key, err := headerKey(r)
	if err != nil || key == "" {
		return 0, err
	}
	return d.project(r.Context(), key)
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

// decode puts the accepted messages of a body on the desk. A message that came alone and is not accepted is an error; in
// a batch it is one of the rejected.
func (d *Door) decode(k *desk, e envelope, path Type, project muster.ProjectID, req request) (Answer, error) {
	add := func(raw []byte, shared *sharedContext) *Rejection {
		m, rejection := k.decoder.decode(raw, path, req, shared)
		if rejection == nil {
			m.Project, m.Received = project, d.clock.next(req.received)
			k.add(&m)
		}
		return rejection
	}
	answer := Answer{Rejected: []Rejection{}}
	if path != batchPath {
		if rejection := add(k.body.Bytes(), &sharedContext{}); rejection != nil {
			d.reject(project, req, k.body.Bytes(), *rejection)
			return answer, rejection.problem()
		}
		answer.Accepted = 1
		return answer, nil
	}
	if !e.hasBatch {
		return answer, invalidField("", `a batch needs "batch", the list of its messages`)
	}
	shared, rejection := newSharedContext(e.context)
	if rejection != nil {
		return answer, rejection.problem()
	}
	for i, raw := range e.batch {
		if rejection := add(raw, shared); rejection != nil {
			rejection.Index, rejection.Pointer = i, fmt.Sprintf("/batch/%d%s", i, rejection.Pointer)
			answer.Rejected = append(answer.Rejected, *rejection)
			d.reject(project, req, raw, *rejection)
			continue
		}
		answer.Accepted++
		if len(k.records) > maxRecords {
			return answer, &muster.Error{
				Code: muster.TooLarge, Detail: fmt.Sprintf("with the context its messages share the batch has more than %d bytes", maxRecords),
				Hint: "send smaller batches or a smaller context; nothing of this request was stored",
			}
		}
	}
	return answer, nil
}

func (d *Door) reject(project muster.ProjectID, req request, raw []byte, r Rejection) {
	d.rejected.Add(1)
	d.rejections.keep(project, req.received, raw, r)
}

func (d *Door) store(ctx context.Context, records [][]byte) error {
	err := d.spool.Append(ctx, records)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, spool.ErrFull):
		return &muster.Error{
			Code: muster.Unavailable, Detail: "too much traffic is waiting to be stored", Hint: "send the same again later", Err: err,
		}
	default:
		if ctx.Err() == nil { // a sender that went away is no failure of ours
			d.log.ErrorContext(ctx, "messages could not be written to the spool", slog.Any("error", err))
		}
		return &muster.Error{
			Code: muster.Unavailable, Detail: "the messages could not be written to disk", Hint: "send the same again later", Err: err,
		}
	}
}
