package demo

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	batchMessages = 400
	batchBytes    = 400 << 10 // a batch may have 500 KiB
	senders       = 2
	attempts      = 12
	firstPause    = 100 * time.Millisecond
	maxPause      = 5 * time.Second
)

// Summary is what became of the messages.
type Summary struct {
	Accepted, Rejected uint64
	FirstRejection     string
}

// Send sends messages to a service through POST /v1/batch. It tries again what fails for now, and stops at what cannot
// succeed. progress is told the messages answered so far, from several goroutines.
func Send(ctx context.Context, client *http.Client, url, writeKey string, messages iter.Seq[Message], progress func(sent uint64)) (Summary, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	batches := make(chan []json.RawMessage)
	var summary Summary
	var mu sync.Mutex
	var sent atomic.Uint64
	var group sync.WaitGroup
	for range senders {
		group.Go(func() {
			for batch := range batches {
				answer, err := post(ctx, client, url, writeKey, batch)
				if err != nil {
					cancel(err)
					return
				}
				mu.Lock()
				summary.Accepted += answer.Accepted
				summary.Rejected += uint64(len(answer.Rejected))
				if len(answer.Rejected) > 0 && summary.FirstRejection == "" {
					summary.FirstRejection = answer.Rejected[0].Code + ": " + answer.Rejected[0].Detail
				}
				mu.Unlock()
				progress(sent.Add(uint64(len(batch))))
			}
		})
	}
	err := cut(ctx, messages, batches)
	close(batches)
	group.Wait()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return summary, err
}

// cut makes batches of messages.
func cut(ctx context.Context, messages iter.Seq[Message], batches chan<- []json.RawMessage) error {
	var batch []json.RawMessage
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		select {
		case batches <- batch:
			batch, size = nil, 0
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for m := range messages {
		text, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("make a message: %w", err)
		}
		if len(batch) == batchMessages || size+len(text) > batchBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		batch = append(batch, text)
		size += len(text) + 1
	}
	return flush()
}

// answer is that of POST /v1/batch.
type answer struct {
	Accepted uint64 `json:"accepted"`
	Rejected []struct {
		Code, Detail string
	} `json:"rejected"`
}

// errAgain means that the same request may succeed later.
type errAgain struct {
	err   error
	after time.Duration // as the service asked; zero when it did not
}

func (e errAgain) Error() string { return e.err.Error() }

// post sends one batch until it is taken.
func post(ctx context.Context, client *http.Client, url, writeKey string, batch []json.RawMessage) (answer, error) {
	var body bytes.Buffer
	zip := gzip.NewWriter(&body)
	err := errors.Join(json.NewEncoder(zip).Encode(map[string]any{"batch": batch}), zip.Close())
	if err != nil {
		return answer{}, fmt.Errorf("make a batch: %w", err)
	}
	pause := firstPause
	for attempt := 1; ; attempt++ {
		a, err := postOnce(ctx, client, url, writeKey, body.Bytes())
		var again errAgain
		if err == nil || !errors.As(err, &again) {
			return a, err
		}
		if attempt == attempts {
			return a, fmt.Errorf("given up after %d attempts: %w", attempts, again.err)
		}
		wait := max(again.after, pause/2+rand.N(pause))
		pause = min(2*pause, maxPause)
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(wait):
		}
	}
}

func postOnce(ctx context.Context, client *http.Client, url, writeKey string, body []byte) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("send a batch: %w", err)
	}
	request.SetBasicAuth(writeKey, "")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Content-Encoding", "gzip")
	response, err := client.Do(request)
	if err != nil {
		return answer{}, errAgain{err: fmt.Errorf("send a batch: %w", err)}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, errAgain{err: fmt.Errorf("send a batch: %w", err)}
	}
	switch code := response.StatusCode; {
	case code == http.StatusOK:
		var a answer
		if err := json.Unmarshal(text, &a); err != nil {
			return a, fmt.Errorf("read the answer to a batch: %w", err)
		}
		return a, nil
	case code == http.StatusTooManyRequests || code >= http.StatusInternalServerError:
		seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")) // none is zero
		return answer{}, errAgain{fmt.Errorf("the service answers %s: %s", response.Status, text), time.Duration(seconds) * time.Second}
	}
	return answer{}, fmt.Errorf("the service refuses the batch with %s: %s", response.Status, text)
}
