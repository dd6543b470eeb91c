package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"muster"
	"muster/api"
	"muster/problem"
	"muster/web"
)

// readyTimeout bounds the question whether ClickHouse answers.
const readyTimeout = 2 * time.Second

// handler sends every request to the part that answers it. The door does not wait for anybody.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1/", s.door)
	mux.Handle("GET /snippet.js", web.Snippet())
	mux.Handle("/v1/me/segments", api.NewMe(s.keys, s.signing, s.current))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "alive") })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", s.metrics())
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if h := s.api.Load(); h != nil {
			(*h).ServeHTTP(w, r)
			return
		}
		unavailable(w, r)
	})
	return mux
}

// ready answers 200 when ClickHouse answers, the schema is up to date and the spool takes messages.
func (s *service) ready(w http.ResponseWriter, r *http.Request) {
	b := s.store.Load()
	if b == nil {
		unavailable(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := b.db.Ping(ctx); err != nil {
		problem.Write(w, &muster.Error{Code: muster.Unavailable, Detail: "ClickHouse does not answer", Err: err})
		return
	}
	if err := s.spool.Append(ctx, nil); err != nil {
		problem.Write(w, &muster.Error{Code: muster.Unavailable, Detail: "the spool takes no messages", Err: err})
		return
	}
	fmt.Fprintln(w, "ready")
}
