package segments

import (
	"context"

	"muster"
	"muster/clickhouse"
)

// imports returns the ids of the imports of a project that are done: those that definitions may name.
func (s *Store) imports(ctx context.Context, project muster.ProjectID) (map[string]bool, error) {
	rows, err := s.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": number(project)}),
		`SELECT import FROM imports FINAL WHERE project = {project:UInt32} AND status = 'done'`)
	if err != nil {
		return nil, failed(ctx, "read imports", err)
	}
	defer rows.Close()
	ids := map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, failed(ctx, "read imports", err)
		}
		ids[id] = true
	}
	return ids, rows.Err()
}
