package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

type userExperienceBody struct {
	Experience   string                     `json:"experience"`
	Types        []string                   `json:"types" doc:"as they were sent"`
	Interactions map[string]interactionBody `json:"interactions" doc:"by the name of the interaction: seen, completed, dismissed, answered …"`
	Last         time.Time                  `json:"last"`
	Answers      []givenBody                `json:"answers" doc:"question by question, the newest first"`
}

type interactionBody struct {
	Count uint64    `json:"count"`
	Last  time.Time `json:"last"`
}

type givenBody struct {
	Question string    `json:"question"`
	Value    any       `json:"value"`
	Kind     string    `json:"kind"`
	Time     time.Time `json:"time"`
}

type userExperiencesBody struct {
	Experiences []userExperienceBody `json:"experiences"`
}

func (s *server) registerUserExperiences(api huma.API) {
	get(s, api, "/users/{user}/experiences", "List the experiences a user had", func(ctx context.Context, in *struct {
		User string    `path:"user"`
		AsOf time.Time `query:"as_of"`
	},
	) (*struct{ Body userExperiencesBody }, error) {
		user, err := userAddress(in.User)
		if err != nil {
			return nil, err
		}
		all, err := s.Evaluator.UserExperiences(ctx, projectOf(ctx), user, asOf(in.AsOf))
		if err != nil {
			return nil, err
		}
		body := userExperiencesBody{Experiences: []userExperienceBody{}}
		for _, x := range all {
			one := userExperienceBody{
				Experience: x.Experience, Types: append([]string{}, x.Types...), Interactions: map[string]interactionBody{}, Last: x.Last,
				Answers: []givenBody{},
			}
			for name, seen := range x.Interactions {
				one.Interactions[name] = interactionBody(seen)
			}
			for _, a := range x.Answers {
				one.Answers = append(one.Answers, givenBody(a))
			}
			body.Experiences = append(body.Experiences, one)
		}
		return &struct{ Body userExperiencesBody }{body}, nil
	})
}
