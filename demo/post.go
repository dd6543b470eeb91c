package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"muster"
)

// answer is the service's to a batch.
type answer struct {
	Accepted int `json:"accepted"`
	Rejected []struct {
		Index  int    `json:"index"`
		Code   string `json:"code"`
		Detail string `json:"detail"`
	} `json:"rejected"`
}

// post sends a batch until the service has taken it.
func (s *sender) post(ctx context.Context, b batch) (answer, error) {
	body, err := b.compressed()
	if err != nil {
		return answer{}, err
	}
	for attempt := 1; ; attempt++ {
		a, err := s.try(ctx, body)
		if err == nil && a.Accepted+len(a.Rejected) != len(b.ids) {
			err = fmt.Errorf("the service took %d and rejected %d of a batch of %d messages", a.Accepted, len(a.Rejected), len(b.ids))
		}
		later, again := errors.AsType[*laterError](err)
		switch {
		case !again:
			return a, err
		case attempt == maxAttempts:
			return a, fmt.Errorf("given up after %d attempts: %w", attempt, err)
		}
		if err := s.wait(ctx, later.pause(attempt)); err != nil {
			return a, err
		}
		s.retried()
	}
}

// try sends a body once. Its error is a laterError when the same may succeed later.
func (s *sender) try(ctx context.Context, body []byte) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.config.BaseURL+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+s.config.WriteKey)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Content-Encoding", "gzip")
	response, err := s.client.Do(request)
	if err != nil {
		return answer{}, transient(ctx, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return answer{}, transient(ctx, err)
	}
	switch code := response.StatusCode; {
	case code == http.StatusOK:
		var a answer
		if err := json.Unmarshal(text, &a); err != nil {
			return answer{}, fmt.Errorf("%s answered a batch with something else than what it took: %w", s.config.BaseURL, err)
		}
		return a, nil
	case code == http.StatusTooManyRequests || code >= http.StatusInternalServerError:
		return answer{}, &laterError{err: refusal(response, text), after: retryAfter(response)}
	default:
		return answer{}, refusal(response, text)
	}
}

// transient is the error of a request that got no whole answer: worth another try, unless the sender itself ended it.
func transient(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &laterError{err: err}
}

// refusal is the error an answer other than 200 says, by its problem document if it has one.
func refusal(response *http.Response, text []byte) error {
	var problem struct {
		Title, Detail, Hint string
		Code                muster.Code
		Errors              []muster.Issue
	}
	if err := json.Unmarshal(text, &problem); err != nil || problem.Title == "" && problem.Detail == "" {
		problem.Detail = strings.TrimSpace(string(text[:min(len(text), 200)]))
	}
	if problem.Detail == "" {
		problem.Detail = problem.Title
	}
	e := &muster.Error{
		Code: problem.Code, Hint: problem.Hint, Issues: problem.Errors,
		Detail: fmt.Sprintf("%s answered %s: %s", response.Request.URL.Host, response.Status, problem.Detail),
	}
	switch {
	case response.StatusCode == http.StatusUnauthorized:
		e.Code = muster.Unauthorized
		e.Detail += "; the write key is in keys.json in the service's data directory"
	case e.Code == "":
		e.Code = muster.InvalidArgument
	}
	return e
}
