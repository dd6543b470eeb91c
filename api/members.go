package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/segments"
)

type membersBody struct {
	usersBody
	Run string `json:"run" doc:"the materialization they are the members of"`
}

func (s *server) registerMembers(api huma.API) {
	get(s, api, "/segments/{id}/members", "List the members of a segment at its newest run, or at the newest as of a time", func(ctx context.Context, in *struct {
		segmentPath
		AsOf   time.Time `query:"as_of" doc:"the newest run as of this time"`
		Cursor string    `query:"cursor"`
		Limit  int       `query:"limit" minimum:"1" maximum:"1000" default:"50"`
	}) (*struct{ Body membersBody }, error) {
		page, run, err := s.Evaluator.Members(ctx, projectOf(ctx), in.ID, in.AsOf, segments.PageRequest{Cursor: in.Cursor, Limit: in.Limit})
		if err != nil {
			return nil, err
		}
		return &struct{ Body membersBody }{membersBody{newUsersBody(page), run.ID.String()}}, nil
	})
}
