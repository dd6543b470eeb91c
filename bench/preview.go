package bench

import (
	"context"
	"fmt"

	"muster/clickhouse"
	"muster/queries"
	"muster/segments"
)

// Previews measures counting the reference definitions against their SQL, and checks that both count the same. Neither side
// shows a sample of users.
func Previews(ctx context.Context, db *clickhouse.DB) ([]Figure, error) {
	evaluator := segments.NewEvaluator(db, segments.NewStore(db))
	parameters := clickhouse.Parameters{"now": now.Format("2006-01-02 15:04:05.000")}
	var figures []Figure
	for _, r := range references {
		definition, err := queries.Decode([]byte(r.definition))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		var counted, expected uint64
		f, err := compare("preview: "+r.name, 1.5, func() error {
			p, err := evaluator.Preview(ctx, project(), definition, segments.At{AsOf: &now}, 0)
			counted = p.Count
			return err
		}, func() error {
			return db.QueryRow(clickhouse.WithParameters(ctx, parameters), r.sql).Scan(&expected)
		})
		if err != nil {
			return nil, err
		}
		if counted != expected {
			return nil, fmt.Errorf("%s: Muster counts %d users and the SQL %d", r.name, counted, expected)
		}
		figures = append(figures, f)
	}
	return figures, nil
}
