package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/segments"
)

// factBody is a value with where it comes from.
type factBody struct {
	Value  any        `json:"value"`
	Kind   string     `json:"kind" doc:"text, number, boolean, list; null in a history, for a value that was unset"`
	Source string     `json:"source" doc:"native, custom, import, integration"`
	Time   *time.Time `json:"time" doc:"when it was said"`
}

func newFactBody(f segments.Fact) factBody { return factBody{f.Value, f.Kind, f.Source, f.Said} }

type actorBody struct {
	Actor string `json:"actor" doc:"its address; it leads to the same user"`
	Kind  string `json:"kind" doc:"user or anonymous"`
	ID    string `json:"id"`
	Rank  uint16 `json:"rank" doc:"0 is the one the user is known by"`
}

type countsBody struct {
	Events   uint64 `json:"events"`
	Sessions uint64 `json:"sessions"`
}

type profileBody struct {
	User        string              `json:"user" doc:"the user's address, stable"`
	UserID      *string             `json:"user_id"`
	AnonymousID *string             `json:"anonymous_id"`
	Attributes  map[string]factBody `json:"attributes"`
	Actors      []actorBody         `json:"actors"`
	Counts      countsBody          `json:"counts"`
	FirstSeen   *time.Time          `json:"first_seen"`
	LastSeen    *time.Time          `json:"last_seen"`
	AsOf        time.Time           `json:"as_of"`
}

// asOf is as of when something is asked, in an address.
func asOf(t time.Time) segments.At {
	if t.IsZero() {
		return segments.At{}
	}
	return segments.At{AsOf: &t}
}

func (s *server) registerProfile(api huma.API) {
	get(s, api, "/users/{user}", "Read what is known of a user", func(ctx context.Context, in *struct {
		User string    `path:"user"`
		AsOf time.Time `query:"as_of"`
	},
	) (*struct{ Body profileBody }, error) {
		user, err := userAddress(in.User)
		if err != nil {
			return nil, err
		}
		p, err := s.Evaluator.Profile(ctx, projectOf(ctx), user, asOf(in.AsOf))
		if err != nil {
			return nil, err
		}
		body := profileBody{
			User: p.User.Actor.String(), UserID: p.User.UserID, AnonymousID: p.User.AnonymousID, Attributes: map[string]factBody{},
			Counts: countsBody{p.Events, p.Sessions}, FirstSeen: p.FirstSeen, LastSeen: p.LastSeen, AsOf: p.AsOf,
		}
		for name, fact := range p.Attributes {
			body.Attributes[name] = newFactBody(fact)
		}
		for _, a := range p.Actors {
			body.Actors = append(body.Actors, actorBody{a.Actor.String(), a.Kind, a.ID, a.Rank})
		}
		return &struct{ Body profileBody }{body}, nil
	})
	s.registerUserEvents(api)
	s.registerUserExperiences(api)
	s.registerUserSegments(api)
	s.registerHistory(api)
}
