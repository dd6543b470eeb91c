package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

type snapshotBody struct {
	factBody

	Received time.Time `json:"received" doc:"when it arrived, by our clock"`
	Actor    string    `json:"actor" doc:"the actor it was said of"`
}

type historyBody struct {
	Attribute string         `json:"attribute"`
	Snapshots []snapshotBody `json:"snapshots"`
	Next      *string        `json:"next" doc:"the cursor of the next page, or null"`
}

func (s *server) registerHistory(api huma.API) {
	get(s, api, "/users/{user}/attributes/{name}/history", "List all that was ever said of an attribute of a user, the newest first", func(ctx context.Context, in *struct {
		User   string `path:"user"`
		Name   string `path:"name" doc:"an attribute; those that are made of traffic, such as last_seen, have no history"`
		Cursor string `query:"cursor"`
		Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	},
	) (*struct{ Body historyBody }, error) {
		user, err := userAddress(in.User)
		if err != nil {
			return nil, err
		}
		all, next, err := s.Evaluator.AttributeHistory(ctx, projectOf(ctx), user, in.Name, in.Cursor, in.Limit)
		if err != nil {
			return nil, err
		}
		body := historyBody{Attribute: in.Name, Snapshots: []snapshotBody{}, Next: next}
		for _, v := range all {
			body.Snapshots = append(body.Snapshots, snapshotBody{newFactBody(v.Fact), v.Received, v.Actor.String()})
		}
		return &struct{ Body historyBody }{body}, nil
	})
}
