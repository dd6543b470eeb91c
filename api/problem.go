package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"muster"
	"muster/problem"
)

// problemError is a problem document in the form huma writes.
type problemError struct{ problem.Document }

// Error says the problem's detail.
func (e problemError) Error() string { return e.Detail }

// GetStatus returns the HTTP status.
func (e problemError) GetStatus() int { return e.Status }

// ContentType names the type of RFC 9457.
func (problemError) ContentType(string) string { return problem.ContentType }

// newHumaError turns what huma finds wrong with a request into a problem document like any other.
func newHumaError(status int, msg string, errs ...error) huma.StatusError {
	e := &muster.Error{Code: muster.InvalidArgument, Detail: msg}
	switch {
	case status == http.StatusRequestEntityTooLarge:
		e.Code = muster.TooLarge
	case status == http.StatusNotFound:
		e.Code = muster.NotFound
	case status >= http.StatusInternalServerError:
		e.Code = muster.Internal
	}
	for _, err := range errs {
		var detailer huma.ErrorDetailer
		if !errors.As(err, &detailer) {
			continue
		}
		d := detailer.ErrorDetail()
		if d.Location == "body" && strings.Contains(d.Message, "not valid JSON") {
			e.Code, e.Detail = muster.InvalidJSON, d.Message
			continue
		}
		e.Issues = append(e.Issues, muster.Issue{Pointer: pointer(d.Location), Code: "invalid", Detail: d.Message})
	}
	if len(e.Issues) > 0 {
		e.Hint = "the page /docs shows what every request has"
	}
	return problemError{problem.Of(e)}
}

// pointer turns huma's "body.items[3].name" into the JSON Pointer "/items/3/name".
func pointer(location string) string {
	path, inBody := strings.CutPrefix(location, "body")
	if !inBody {
		return location
	}
	path = strings.NewReplacer("[", ".", "]", "").Replace(path)
	return strings.ReplaceAll(path, ".", "/")
}

// answer runs a handler and turns its error into a problem document; what is our fault is logged and not shown.
func answer[In, Out any](log *slog.Logger, handle func(context.Context, *In) (*Out, error)) func(context.Context, *In) (*Out, error) {
	return func(ctx context.Context, in *In) (*Out, error) {
		out, err := handle(ctx, in)
		if err == nil {
			return out, nil
		}
		doc := problem.Of(err)
		if doc.Status >= http.StatusInternalServerError {
			log.ErrorContext(ctx, "request failed", slog.String("code", string(doc.Code)), slog.Any("error", err))
		}
		return nil, problemError{doc}
	}
}
