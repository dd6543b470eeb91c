package demo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"muster"
)

// SendConfig says where messages go and how.
type SendConfig struct {
	BaseURL     string         // of the service, such as http://127.0.0.1:8080
	WriteKey    string         // of the project
	Concurrency int            // batches on their way at once, at least 1
	BatchSize   int            // messages in a batch at most, 1 to 2500; large messages make smaller batches
	Progress    func(Progress) // called after every batch, never twice at once; may be nil
}

// Progress is how far sending has come.
type Progress struct {
	Accepted, Rejected int // messages, by the service's answers
	Retries            int // requests made again because the service could not take them
	Elapsed            time.Duration
}

// Sent is how many messages were answered.
func (p Progress) Sent() int { return p.Accepted + p.Rejected }

// Summary is how sending ended.
type Summary struct {
	Progress
	Batches int
}

// Send sends messages through POST /v1/batch. What the service cannot take now (429, 5xx, no connection) is sent again,
// unchanged, so it counts once. A refusal that would come again (400, 401) ends it, and so does a batch the service cannot
// take in a minute or so. Rejected messages do not end it: they are counted, and the first of them are in the error. The
// summary holds in every case.
func Send(ctx context.Context, c SendConfig, messages iter.Seq[Message]) (Summary, error) {
	s, err := newSender(c)
	if err != nil {
		return Summary{}, err
	}
	return s.send(ctx, messages)
}

// shownRejections is how many rejections an error tells of.
const shownRejections = 5

type sender struct {
	config SendConfig
	client *http.Client
	wait   func(context.Context, time.Duration) error // replaced in tests
	start  time.Time

	mu         sync.Mutex
	summary    Summary
	rejections []muster.Issue
}

func newSender(c SendConfig) (*sender, error) {
	address, err := url.Parse(c.BaseURL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("demo: the service's address: %w", err)
	case address.Scheme != "http" && address.Scheme != "https" || address.Host == "":
		return nil, fmt.Errorf("demo: %q is no address of a service; give one such as http://127.0.0.1:8080", c.BaseURL)
	case c.WriteKey == "":
		return nil, errors.New("demo: no write key; it is in keys.json in the service's data directory")
	case c.Concurrency < 1:
		return nil, errors.New("demo: at least one batch must be on its way at a time")
	case c.BatchSize < 1 || c.BatchSize > maxBatch:
		return nil, fmt.Errorf("demo: a batch has 1 to %d messages, not %d", maxBatch, c.BatchSize)
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	return &sender{
		config: c, wait: wait, start: time.Now(),
		client: &http.Client{
			Timeout:   time.Minute,
			Transport: &http.Transport{MaxIdleConnsPerHost: c.Concurrency, Proxy: http.ProxyFromEnvironment},
		},
	}, nil
}

func (s *sender) send(ctx context.Context, messages iter.Seq[Message]) (Summary, error) {
	defer s.client.CloseIdleConnections()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	batches := make(chan batch)
	var workers sync.WaitGroup
	for range s.config.Concurrency {
		workers.Go(func() {
			for b := range batches {
				a, err := s.post(ctx, b)
				if err != nil {
					cancel(err)
					return
				}
				s.count(b, a)
			}
		})
	}
	err := pack(messages, s.config.BatchSize, func(b batch) error {
		select {
		case batches <- b:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	close(batches)
	workers.Wait()
	s.summary.Elapsed = time.Since(s.start)
	if cause := context.Cause(ctx); cause != nil {
		err = cause // why the batches were taken no more
	}
	if err != nil {
		return s.summary, fmt.Errorf("send the demo, after %d messages: %w", s.summary.Sent(), err)
	}
	return s.summary, s.rejected()
}

// count takes the answer to a batch into the summary.
func (s *sender) count(b batch, a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.summary.Batches++
	s.summary.Accepted += a.Accepted
	s.summary.Rejected += len(a.Rejected)
	for _, r := range a.Rejected {
		if len(s.rejections) < shownRejections {
			s.rejections = append(s.rejections, muster.Issue{Pointer: b.id(r.Index), Code: r.Code, Detail: r.Code + ": " + r.Detail})
		}
	}
	s.summary.Elapsed = time.Since(s.start)
	if s.config.Progress != nil {
		s.config.Progress(s.summary.Progress)
	}
}

func (s *sender) retried() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.summary.Retries++
}

// rejected is the error of messages the service did not take; their places are their ids.
func (s *sender) rejected() error {
	if s.summary.Rejected == 0 {
		return nil
	}
	return &muster.Error{
		Code:   muster.InvalidArgument,
		Detail: fmt.Sprintf("the service rejected %d of %d messages; the first", s.summary.Rejected, s.summary.Sent()),
		Hint:   "GET /api/v1/rejections shows them as they came", Issues: s.rejections,
	}
}
