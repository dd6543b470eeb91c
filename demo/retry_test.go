package demo

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestPauseGrowsAndIsNeverLessThanAsked(t *testing.T) {
	for _, c := range []struct {
		attempt   int
		after     time.Duration
		low, high time.Duration
	}{
		{1, 0, 100 * time.Millisecond, 200 * time.Millisecond},
		{2, 0, 200 * time.Millisecond, 400 * time.Millisecond},
		{4, 0, 800 * time.Millisecond, 1600 * time.Millisecond},
		{9, 0, 5 * time.Second, 10 * time.Second},
		{1, 7 * time.Second, 7100 * time.Millisecond, 7200 * time.Millisecond},
	} {
		for range 100 {
			if p := (&laterError{after: c.after}).pause(c.attempt); p < c.low || p > c.high {
				t.Errorf("attempt %d asked for %s waits %s", c.attempt, c.after, p)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for header, want := range map[string]time.Duration{
			"": 0, "3": 3 * time.Second, "-1": 0, "soon": 0, "86400": maxAfter,
			time.Now().Add(30 * time.Second).UTC().Format(http.TimeFormat): 30 * time.Second,
			time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat):       0,
			time.Now().Add(24 * time.Hour).UTC().Format(http.TimeFormat):   maxAfter,
		} {
			if got := retryAfter(&http.Response{Header: http.Header{"Retry-After": {header}}}); got != want {
				t.Errorf("%q is %s, not %s", header, got, want)
			}
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := wait(t.Context(), time.Second); err != nil || time.Since(start) != time.Second {
			t.Error(err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := wait(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 2*time.Second {
			t.Error(err, time.Since(start))
		}
	})
}
