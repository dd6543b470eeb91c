package segments

import (
	"context"
	"sync"

	"muster"
)

// turns lets one materialization of a project's segments at a time be under way in this process. A run says who entered and
// exited since the newest one before: two that began from the same would both say it.
type turns struct {
	mu sync.Mutex
	of map[muster.ProjectID]chan struct{}
}

// take waits for a project's turn, and returns what ends it.
func (t *turns) take(ctx context.Context, project muster.ProjectID) (done func(), err error) {
	t.mu.Lock()
	if t.of == nil {
		t.of = map[muster.ProjectID]chan struct{}{}
	}
	if t.of[project] == nil {
		t.of[project] = make(chan struct{}, 1)
	}
	turn := t.of[project]
	t.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, failed(ctx, "wait for another materialization", ctx.Err())
	}
}
