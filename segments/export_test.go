package segments

import (
	"context"
	"slices"
	"time"

	"muster/clickhouse"
	"muster/projects"
	"muster/queries"
)

// NeverWhole makes ticks compute nothing from nothing unless they must.
func (l *Live) NeverWhole() { l.wholeEvery = 1 << 62 }

// UIDs evaluates definitions for all users.
func (e *Evaluator) UIDs(ctx context.Context, project projects.Project, all []queries.Definition, now time.Time) ([][]uint32, error) {
	scope, _, err := e.scope(ctx, project, At{AsOf: &now})
	if err != nil {
		return nil, err
	}
	targets := make([]queries.Target, len(all))
	for i, d := range all {
		targets[i].Definition = d
	}
	plan, err := queries.Compile(scope, targets)
	if err != nil {
		return nil, err
	}
	statement := plan.Counts(1_000_000)
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var members [][]uint32
	for rows.Next() {
		var target uint16
		var size, of uint64
		var uids []uint32
		if err := rows.Scan(&target, &size, &of, &uids); err != nil {
			return nil, err
		}
		slices.Sort(uids)
		members = append(members, uids)
	}
	return members, rows.Err()
}

// Impatient makes an evaluator tell of leaves with few rows that they are expensive.
func (e *Evaluator) Impatient() { e.impatience = 100_000_000 }
