package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

type userSegmentBody struct {
	ID    string     `json:"id"`
	Name  string     `json:"name"`
	Since *time.Time `json:"since" doc:"as of the run in which the user entered last; null where that run is not kept any more"`
	Run   string     `json:"run" doc:"the segment's newest"`
	AsOf  time.Time  `json:"as_of" doc:"of that run"`
}

type userSegmentsBody struct {
	Segments []userSegmentBody `json:"segments"`
}

func (s *server) registerUserSegments(api huma.API) {
	get(s, api, "/users/{user}/segments", "List the segments whose newest materialization has a user", func(ctx context.Context, in *struct {
		User string `path:"user"`
	},
	) (*struct{ Body userSegmentsBody }, error) {
		user, err := userAddress(in.User)
		if err != nil {
			return nil, err
		}
		all, err := s.Evaluator.UserSegments(ctx, projectOf(ctx), user)
		if err != nil {
			return nil, err
		}
		body := userSegmentsBody{Segments: []userSegmentBody{}}
		for _, in := range all {
			body.Segments = append(body.Segments, userSegmentBody{
				in.Segment.ID, in.Segment.Name, in.Since, in.Run.ID.String(), in.Run.AsOf,
			})
		}
		return &struct{ Body userSegmentsBody }{body}, nil
	})
}
