package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

const (
	singleMessages = 30_000
	singleClients  = 64
)

// singles measures requests of one message each, each fsynced, against inserting as many rows bare, in large blocks: a
// message bare took so long.
func singles(ctx context.Context, s Service, bare time.Duration) (Figure, error) {
	messages, _, err := requests(13)
	if err != nil {
		return Figure{}, err
	}
	var bodies [][]byte
	for _, m := range messages[:singleMessages] {
		body, err := json.Marshal(map[string]any{"batch": []any{m}})
		if err != nil {
			return Figure{}, err
		}
		bodies = append(bodies, body)
	}
	start := time.Now()
	if err := send(ctx, s, "/v1/batch", singleClients, bodies); err != nil {
		return Figure{}, err
	}
	if err := s.Flush(ctx); err != nil {
		return Figure{}, err
	}
	return Figure{
		Name:   fmt.Sprintf("ingest: %d requests of one message, %d at once", singleMessages, singleClients),
		Muster: time.Since(start), Bare: bare * singleMessages, Bar: 1 / 0.15,
	}, nil
}
