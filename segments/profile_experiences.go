package segments

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"muster"
	"muster/projects"
	"muster/queries"
)

// ExperienceSeen is what a user did with one experience.
type ExperienceSeen struct {
	Experience   string
	Types        []string // as they were sent; one as a rule
	Interactions map[string]InteractionSeen
	Last         time.Time
	Answers      []AnswerGiven // the newest first, question by question
}

// InteractionSeen is how often a user interacted in one way, and when last.
type InteractionSeen struct {
	Count uint64
	Last  time.Time
}

// AnswerGiven is an answer to a question.
type AnswerGiven struct {
	Question string
	Value    any
	Kind     string
	Time     time.Time
}

// UserExperiences lists the experiences a user had, by their ids.
func (e *Evaluator) UserExperiences(ctx context.Context, project projects.Project, user muster.Actor, at At) ([]ExperienceSeen, error) {
	scope, _, err := e.profileScope(ctx, project, user, at)
	if err != nil {
		return nil, err
	}
	var all []ExperienceSeen
	index := map[string]int{}
	of := func(id string) *ExperienceSeen {
		i, ok := index[id]
		if !ok {
			i = len(all)
			index[id] = i
			all = append(all, ExperienceSeen{Experience: id, Interactions: map[string]InteractionSeen{}})
		}
		return &all[i]
	}
	err = e.each(ctx, "list experiences", queries.Experiences(scope), func(rows driver.Rows) error {
		var id, sort, interaction string
		var seen InteractionSeen
		if err := rows.Scan(&id, &sort, &interaction, &seen.Count, &seen.Last); err != nil {
			return err
		}
		x := of(id)
		if sort != "" && (len(x.Types) == 0 || x.Types[len(x.Types)-1] != sort) {
			x.Types = append(x.Types, sort)
		}
		before := x.Interactions[interaction]
		seen.Count += before.Count
		seen.Last = later(seen.Last.UTC(), before.Last)
		x.Interactions[interaction] = seen
		x.Last = later(x.Last, seen.Last)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = e.each(ctx, "list answers", queries.Answers(scope), func(rows driver.Rows) error {
		var id string
		var a AnswerGiven
		var s stored
		var ms int64
		if err := rows.Scan(&id, &a.Question, &ms, &s.kind, &s.text, &s.number, &s.list); err != nil {
			return err
		}
		a.Value, a.Kind, a.Time = s.value(), s.kind, instant(ms)
		x := of(id)
		x.Answers = append(x.Answers, a)
		return nil
	})
	return all, err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
