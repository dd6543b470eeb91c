package bench

import (
	"context"
	"fmt"
	"time"

	"muster"
	"muster/clickhouse"
	"muster/queries"
	"muster/segments"
)

const (
	explainedUsers = 10
	explainBar     = 150 * time.Millisecond
)

// Explanations measures explaining each of the reference definitions to some users.
func Explanations(ctx context.Context, db *clickhouse.DB) ([]Figure, error) {
	var actors []uint64
	if err := db.QueryRow(ctx, fmt.Sprintf(`SELECT groupArray(actor) FROM (
		SELECT actor FROM actors WHERE project = 1 AND rank = 0 ORDER BY cityHash64(uid) LIMIT %d)`, explainedUsers)).Scan(&actors); err != nil {
		return nil, fmt.Errorf("pick users: %w", err)
	}
	evaluator := segments.NewEvaluator(db, segments.NewStore(db))
	var times []time.Duration
	for _, r := range references {
		definition, err := queries.Decode([]byte(r.definition))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		for _, actor := range actors {
			start := time.Now()
			if _, err := evaluator.Explain(ctx, project(), definition, muster.Actor(actor), segments.At{AsOf: &now}); err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
			times = append(times, time.Since(start))
		}
	}
	return []Figure{{
		Name:   fmt.Sprintf("explain: %d definitions to %d users, the median, against 150 ms", len(references), len(actors)),
		Muster: median(times), Bare: explainBar, Bar: 1,
	}}, nil
}
