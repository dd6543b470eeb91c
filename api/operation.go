package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// handler answers one operation. Its error becomes a problem document.
type handler[In, Out any] = func(context.Context, *In) (*Out, error)

// option changes what an operation says of itself.
type option = func(*huma.Operation)

// status sets the status of a success.
func status(code int) option { return func(o *huma.Operation) { o.DefaultStatus = code } }

func get[In, Out any](s *server, api huma.API, path, summary string, handle handler[In, Out], options ...option) {
	register(s, api, http.MethodGet, path, summary, handle, options)
}

func post[In, Out any](s *server, api huma.API, path, summary string, handle handler[In, Out], options ...option) {
	register(s, api, http.MethodPost, path, summary, handle, options)
}

func put[In, Out any](s *server, api huma.API, path, summary string, handle handler[In, Out], options ...option) {
	register(s, api, http.MethodPut, path, summary, handle, options)
}

func remove[In, Out any](s *server, api huma.API, path, summary string, handle handler[In, Out], options ...option) {
	register(s, api, http.MethodDelete, path, summary, handle, options)
}

func register[In, Out any](s *server, api huma.API, method, path, summary string, handle handler[In, Out], options []option) {
	words := strings.NewReplacer("/", "-", "{", "", "}", "")
	op := huma.Operation{
		OperationID: strings.ToLower(method) + words.Replace(path), Method: method, Path: path, Summary: summary,
		Security: []map[string][]string{{"secret": {}}}, MaxBodyBytes: 1 << 20,
	}
	for _, option := range options {
		option(&op)
	}
	huma.Register(api, op, answer(s.Log, handle))
}
