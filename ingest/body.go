package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/semaphore"

	"muster"
)

const (
	// maxHeld bounds the bytes of all bodies being read and decoded at once; decoding takes about twice as much again.
	maxHeld = 32 << 20
	// holdPatience is how long a request waits for its share of them.
	holdPatience = 5 * time.Second
	// readPatience is how long a sender may take over its body: a slow one must not hold a share for ever.
	readPatience = 30 * time.Second
)

// bodies reads requests' bodies within bounded memory.
type bodies struct {
	held    *semaphore.Weighted
	inflate sync.Pool // of *gzip.Reader
}

func newBodies() *bodies { return &bodies{held: semaphore.NewWeighted(maxHeld)} }

// read reads the request's body into buf, inflated where it is compressed. release must be called when the body is no
// longer used; it is never nil.
func (b *bodies) read(w http.ResponseWriter, r *http.Request, buf *bytes.Buffer) (release func(), err error) {
	share := r.ContentLength
	compressed, err := isCompressed(r)
	switch {
	case err != nil:
		return func() {}, err
	case share > MaxBody:
		return func() {}, errBodyTooLarge
	case share < 0 || compressed:
		share = MaxBody
	}
	if err := b.hold(r.Context(), share); err != nil {
		return func() {}, &muster.Error{
			Code: muster.Unavailable, Detail: "too many requests are being read at once", Hint: "send the same again later", Err: err,
		}
	}
	release = func() { b.held.Release(share) }
	// A writer that cannot set a deadline, as in tests, has none.
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(readPatience))
	defer connection.SetReadDeadline(time.Time{}) //nolint:errcheck // As above.
	if compressed {
		return release, b.readCompressed(r.Body, buf)
	}
	return release, readBounded(r.Body, buf)
}

// hold takes a share of the memory of all bodies, and waits a little for it.
func (b *bodies) hold(ctx context.Context, share int64) error {
	if b.held.TryAcquire(share) {
		return nil
	}
	waiting, cancel := context.WithTimeout(ctx, holdPatience)
	defer cancel()
	return b.held.Acquire(waiting, share)
}

func isCompressed(r *http.Request) (bool, error) {
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
		return false, nil
	case "gzip", "x-gzip":
		return true, nil
	default:
		return false, &muster.Error{
			Code: muster.InvalidArgument, Detail: fmt.Sprintf("the content encoding %q is not supported", shorten(encoding)), Hint: "use gzip, or none",
		}
	}
}

func (b *bodies) readCompressed(body io.Reader, buf *bytes.Buffer) error {
	// Empty gzip members inflate to nothing, so what comes in is bounded as well; gzip adds little to what it cannot shrink.
	body = io.LimitReader(body, MaxBody+4<<10)
	reader, ok := b.inflate.Get().(*gzip.Reader)
	if !ok {
		reader = new(gzip.Reader)
	}
	defer b.inflate.Put(reader)
	err := reader.Reset(body)
	if err == nil {
		err = readBounded(reader, buf)
	}
	if err == nil || errors.Is(err, errBodyTooLarge) {
		return err
	}
	return &muster.Error{Code: muster.InvalidArgument, Detail: "the body could not be inflated; its content encoding says it is gzip", Err: err}
}

// errBodyTooLarge is the error of a body over its limit.
var errBodyTooLarge = &muster.Error{
	Code: muster.TooLarge, Detail: fmt.Sprintf("a body may have %d bytes after inflation", MaxBody),
	Hint: "send smaller batches; nothing of this request was stored",
}

func readBounded(r io.Reader, buf *bytes.Buffer) error {
	n, err := buf.ReadFrom(io.LimitReader(r, MaxBody+1))
	switch {
	case n > MaxBody:
		return errBodyTooLarge
	case err != nil:
		return &muster.Error{Code: muster.InvalidArgument, Detail: "the body could not be read to its end", Err: err}
	}
	return nil
}
