package segments

import (
	"context"
	"sync"
	"time"

	"muster"
)

// topValues is how many of the most frequent values a catalog has of each name and kind. Which they are, and how many have
// them, is exact where there are fewer than a few dozen different ones, and near where there are more.
const topValues = 10

// TopValue is a value that many have. Numbers are as text.
type TopValue struct {
	Value string
	Kind  string
	Count uint64
}

// catalogs keeps what was counted for a while: counting goes through all there is, and a builder asks for it at every
// start. A catalog is as old as twenty times what it took, so that counting never takes more than a twentieth of the time.
type catalogs struct {
	mu sync.Mutex
	of map[catalogKey]*catalogEntry
}

type catalogKey struct {
	project muster.ProjectID
	what    string
}

// catalogEntry is one catalog; whoever counts holds its mutex, and the others wait for the same count.
type catalogEntry struct {
	mu    sync.Mutex
	value any
	until time.Time
}

// catalog returns what count returned lately for a project.
func catalog[T any](ctx context.Context, e *Evaluator, project muster.ProjectID, what string,
	count func(context.Context, muster.ProjectID) (T, error),
) (T, error) {
	e.catalogs.mu.Lock()
	if e.catalogs.of == nil {
		e.catalogs.of = map[catalogKey]*catalogEntry{}
	}
	entry := e.catalogs.of[catalogKey{project, what}]
	if entry == nil {
		entry = &catalogEntry{}
		e.catalogs.of[catalogKey{project, what}] = entry
	}
	e.catalogs.mu.Unlock()

	entry.mu.Lock()
	defer entry.mu.Unlock()
	start := time.Now()
	if value, ok := entry.value.(T); ok && start.Before(entry.until) {
		return value, nil
	}
	value, err := count(ctx, project)
	if err == nil {
		end := time.Now()
		entry.value, entry.until = value, end.Add(20*end.Sub(start))
	}
	return value, err
}

// top pairs values with their counts.
func top(kind string, values []string, counts []uint64) []TopValue {
	all := make([]TopValue, 0, len(values))
	for i, value := range values {
		all = append(all, TopValue{value, kind, counts[i]})
	}
	return all
}
