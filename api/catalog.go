package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

type attributeBody struct {
	Attribute string    `json:"attribute"`
	Source    string    `json:"source"`
	Kinds     []string  `json:"kinds" doc:"of the values it ever had"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

type eventBody struct {
	Event     string    `json:"event"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

func (s *server) registerCatalog(api huma.API) {
	get(s, api, "/attributes", "List the attributes in use", func(ctx context.Context, _ *struct{}) (*struct {
		Body struct {
			Attributes []attributeBody `json:"attributes"`
			Next       *string         `json:"next"`
		}
	}, error,
	) {
		out := &struct {
			Body struct {
				Attributes []attributeBody `json:"attributes"`
				Next       *string         `json:"next"`
			}
		}{}
		out.Body.Attributes = []attributeBody{}
		all, err := s.Evaluator.Attributes(ctx, projectOf(ctx).ID)
		if err != nil {
			return nil, err
		}
		for _, a := range all {
			out.Body.Attributes = append(out.Body.Attributes, attributeBody(a))
		}
		return out, nil
	})
	get(s, api, "/events", "List the events in use", func(ctx context.Context, _ *struct{}) (*struct {
		Body struct {
			Events []eventBody `json:"events"`
			Next   *string     `json:"next"`
		}
	}, error,
	) {
		out := &struct {
			Body struct {
				Events []eventBody `json:"events"`
				Next   *string     `json:"next"`
			}
		}{}
		out.Body.Events = []eventBody{}
		all, err := s.Evaluator.Events(ctx, projectOf(ctx).ID)
		if err != nil {
			return nil, err
		}
		for _, e := range all {
			out.Body.Events = append(out.Body.Events, eventBody(e))
		}
		return out, nil
	})
}
