package segments

import (
	"context"
	"time"

	"muster"
	"muster/clickhouse"
)

// ExperienceName is an experience that users met.
type ExperienceName struct {
	Experience string
	Type       string // of its newest event: tour, survey, checklist, banner, hint or post; empty where none says it
	FirstSeen  time.Time
	LastSeen   time.Time
	Users      uint64
	Counts     map[string]uint64 // events by interaction
	Questions  []string          // that were answered
}

// Experiences lists the experiences that any user of a project met.
func (e *Evaluator) Experiences(ctx context.Context, project muster.ProjectID) ([]ExperienceName, error) {
	return catalog(ctx, e, project, "experiences", e.countExperiences)
}

func (e *Evaluator) countExperiences(ctx context.Context, project muster.ProjectID) ([]ExperienceName, error) {
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": number(project)}), `
		SELECT id, argMax(kind, time), min(time) AS first, max(time) AS last, toUInt64(groupBitmapIf(uid, uid != 0)),
			sumMap(map(interaction, toUInt64(1))), arraySort(groupUniqArrayIf(question, question != ''))
		FROM (
			SELECT properties.experience.:String AS id, ifNull(properties.type.:String, '') AS kind, time,
				ifNull(properties.interaction.:String, '') AS interaction, ifNull(properties.question.:String, '') AS question,
				dictGet('actor_uids', 'uid', actor) AS uid
			FROM events FINAL
			WHERE project = {project:UInt32} AND event = '$experience' AND isNotNull(id)
		)
		GROUP BY id
		ORDER BY id`)
	if err != nil {
		return nil, failed(ctx, "list experiences", err)
	}
	defer rows.Close()
	all := []ExperienceName{}
	for rows.Next() {
		var n ExperienceName
		var id *string
		if err := rows.Scan(&id, &n.Type, &n.FirstSeen, &n.LastSeen, &n.Users, &n.Counts, &n.Questions); err != nil {
			return nil, failed(ctx, "list experiences", err)
		}
		n.Experience = *id
		all = append(all, n)
	}
	return all, rows.Err()
}
