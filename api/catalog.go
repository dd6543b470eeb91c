package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/segments"
)

type topValueBody struct {
	Value string `json:"value" doc:"as text"`
	Kind  string `json:"kind"`
	Count uint64 `json:"count"`
}

func newTopValueBodies(all []segments.TopValue) []topValueBody {
	bodies := []topValueBody{}
	for _, v := range all {
		bodies = append(bodies, topValueBody(v))
	}
	return bodies
}

type attributeBody struct {
	Attribute string            `json:"attribute"`
	Source    string            `json:"source"`
	Kinds     []string          `json:"kinds" doc:"of the values it ever had"`
	FirstSeen time.Time         `json:"first_seen"`
	LastSeen  time.Time         `json:"last_seen"`
	Values    map[string]uint64 `json:"values" doc:"users by the kind of their current value; more than one kind is a conflict"`
	Top       []topValueBody    `json:"top" doc:"the most frequent current values"`
}

type eventBody struct {
	Event     string    `json:"event"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	Count     uint64    `json:"count" doc:"how often it was done"`
	Users     uint64    `json:"users" doc:"who did it"`
}

type propertyBody struct {
	Property string            `json:"property"`
	Kinds    map[string]uint64 `json:"kinds" doc:"events by the kind of the value"`
	Top      []topValueBody    `json:"top" doc:"the most frequent values"`
}

type experienceBody struct {
	Experience string            `json:"experience"`
	Type       string            `json:"type"`
	FirstSeen  time.Time         `json:"first_seen"`
	LastSeen   time.Time         `json:"last_seen"`
	Users      uint64            `json:"users" doc:"who met it"`
	Counts     map[string]uint64 `json:"counts" doc:"events by interaction"`
	Questions  []string          `json:"questions" doc:"that were answered"`
}

type attributesBody struct {
	Attributes []attributeBody `json:"attributes"`
	Next       *string         `json:"next"`
}

type eventsBody struct {
	Events []eventBody `json:"events"`
	Next   *string     `json:"next"`
}

type propertiesBody struct {
	Properties []propertyBody `json:"properties"`
	Next       *string        `json:"next"`
}

type experiencesBody struct {
	Experiences []experienceBody `json:"experiences"`
	Next        *string          `json:"next"`
}

func (s *server) registerCatalog(api huma.API) {
	get(s, api, "/attributes", "List the attributes in use, what kinds of values they have and the most frequent", func(ctx context.Context, _ *struct{}) (*struct{ Body attributesBody }, error) {
		all, err := s.Evaluator.Attributes(ctx, projectOf(ctx).ID)
		if err != nil {
			return nil, err
		}
		body := attributesBody{Attributes: []attributeBody{}}
		for _, a := range all {
			body.Attributes = append(body.Attributes, attributeBody{
				a.Attribute, a.Source, a.Kinds, a.FirstSeen, a.LastSeen, a.Values, newTopValueBodies(a.Top),
			})
		}
		return &struct{ Body attributesBody }{body}, nil
	})
	get(s, api, "/events", "List the events in use, and how often they were done", func(ctx context.Context, _ *struct{}) (*struct{ Body eventsBody }, error) {
		all, err := s.Evaluator.Events(ctx, projectOf(ctx).ID)
		if err != nil {
			return nil, err
		}
		body := eventsBody{Events: []eventBody{}}
		for _, e := range all {
			body.Events = append(body.Events, eventBody(e))
		}
		return &struct{ Body eventsBody }{body}, nil
	})
	get(s, api, "/events/{event}/properties", "List the properties of an event's newest ten thousand", func(ctx context.Context, in *struct {
		Event string `path:"event"`
	},
	) (*struct{ Body propertiesBody }, error) {
		all, err := s.Evaluator.Properties(ctx, projectOf(ctx).ID, in.Event)
		if err != nil {
			return nil, err
		}
		body := propertiesBody{Properties: []propertyBody{}}
		for _, p := range all {
			body.Properties = append(body.Properties, propertyBody{p.Property, p.Kinds, newTopValueBodies(p.Top)})
		}
		return &struct{ Body propertiesBody }{body}, nil
	})
	get(s, api, "/experiences", "List the experiences users met, and what they did with them", func(ctx context.Context, _ *struct{}) (*struct{ Body experiencesBody }, error) {
		all, err := s.Evaluator.Experiences(ctx, projectOf(ctx).ID)
		if err != nil {
			return nil, err
		}
		body := experiencesBody{Experiences: []experienceBody{}}
		for _, x := range all {
			body.Experiences = append(body.Experiences, experienceBody(x))
		}
		return &struct{ Body experiencesBody }{body}, nil
	})
}
