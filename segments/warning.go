package segments

import (
	"context"
	"fmt"

	"muster"
	"muster/clickhouse"
	"muster/queries"
)

// Warning says what is probably not meant, though it is allowed.
type Warning struct {
	Code       string `json:"code"`
	Detail     string `json:"detail"`
	Suggestion string `json:"suggestion,omitempty" doc:"the nearest name in use"`
}

// warnings names the attributes and events of a definition that were never seen. They may come tomorrow.
func (e *Evaluator) warnings(ctx context.Context, project muster.ProjectID, d queries.Definition) ([]Warning, error) {
	names := queries.NamesOf(d)
	warnings := []Warning{}
	for _, kind := range []struct {
		what, sql string
		used      []string
	}{
		{"attribute", `SELECT DISTINCT attribute FROM attribute_names WHERE project = {project:UInt32}`, names.Attributes},
		{"event", `SELECT DISTINCT event FROM event_names WHERE project = {project:UInt32}`, names.Events},
	} {
		if len(kind.used) == 0 {
			continue
		}
		seen, err := e.names(ctx, project, kind.sql)
		if err != nil {
			return nil, err
		}
		known := map[string]bool{}
		for _, name := range seen {
			known[name] = true
		}
		for _, name := range kind.used {
			if !known[name] {
				warnings = append(warnings, Warning{
					Code: "unknown_" + kind.what, Detail: fmt.Sprintf("no %s %q was ever seen", kind.what, name),
					Suggestion: queries.Nearest(name, seen),
				})
			}
		}
	}
	return warnings, nil
}

func (e *Evaluator) names(ctx context.Context, project muster.ProjectID, sql string) ([]string, error) {
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": number(project)}), sql)
	if err != nil {
		return nil, failed(ctx, "read the names in use", err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, failed(ctx, "read the names in use", err)
		}
		all = append(all, name)
	}
	return all, rows.Err()
}
