package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/segments"
)

type membersBody struct {
	cost

	Users []userBody `json:"users"`
	Total uint64     `json:"total"`
	Next  *string    `json:"next" doc:"the cursor of the next page, or null"`
	Run   string     `json:"run" doc:"the materialization they are the members of"`
	AsOf  time.Time  `json:"as_of"`
}

func (s *server) registerMembers(api huma.API) {
	get(s, api, "/segments/{id}/members", "List the members of a segment at its newest run, or at the newest as of a time", func(ctx context.Context, in *struct {
		ID     string    `path:"id"`
		AsOf   time.Time `query:"as_of" doc:"the newest run as of this time"`
		Cursor string    `query:"cursor"`
		Limit  int       `query:"limit" minimum:"1" maximum:"1000" default:"50"`
	},
	) (*struct{ Body membersBody }, error) {
		ctx, took := measure(ctx)
		page, run, err := s.Evaluator.Members(ctx, projectOf(ctx), in.ID, in.AsOf, segments.PageRequest{Cursor: in.Cursor, Limit: in.Limit})
		if err != nil {
			return nil, err
		}
		return &struct{ Body membersBody }{membersBody{
			cost: took(), Users: newUserBodies(page.Users), Total: page.Total, Next: page.Next, Run: run.ID.String(), AsOf: page.AsOf,
		}}, nil
	})
}
