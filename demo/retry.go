package demo

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	maxAttempts = 10
	firstPause  = 200 * time.Millisecond
	maxPause    = 10 * time.Second
	maxAfter    = 2 * time.Minute // of what a service may ask for
)

// laterError says that the same request may succeed later.
type laterError struct {
	err   error
	after time.Duration // what the service asked to wait at least, or zero
}

func (e *laterError) Error() string { return e.err.Error() }
func (e *laterError) Unwrap() error { return e.err }

// pause is how long to wait after an attempt, counted from 1: twice as long each time, of which a half is left to chance
// so that not everybody comes back at once, and never less than the service asked for.
func (e *laterError) pause(attempt int) time.Duration {
	pause := min(firstPause<<(attempt-1), maxPause)
	return e.after + pause/2 + rand.N(pause/2)
}

// retryAfter reads the header of an answer: seconds, or a date.
func retryAfter(response *http.Response) time.Duration {
	header := response.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(header); err == nil {
		return min(time.Duration(max(seconds, 0))*time.Second, maxAfter)
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(time.Until(at), 0), maxAfter)
	}
	return 0
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
