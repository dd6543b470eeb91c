package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/segments"
)

// runBody is one materialization.
type runBody struct {
	Run        string    `json:"run"`
	Segment    string    `json:"segment"`
	Revision   uint32    `json:"revision" doc:"of the segment"`
	AsOf       time.Time `json:"as_of"`
	Size       uint64    `json:"size" doc:"members"`
	Entered    uint64    `json:"entered" doc:"members that were none in the run before"`
	Exited     uint64    `json:"exited" doc:"members of the run before that are none now"`
	ElapsedMS  uint64    `json:"elapsed_ms"`
	FinishedAt time.Time `json:"finished_at"`
}

func newRunBody(r segments.Run) runBody {
	return runBody{
		Run: r.ID.String(), Segment: r.Segment, Revision: r.Revision, AsOf: r.AsOf, Size: r.Size, Entered: r.Entered,
		Exited: r.Exited, ElapsedMS: uint64(r.Elapsed.Milliseconds()), FinishedAt: r.FinishedAt,
	}
}

func (s *server) registerRuns(api huma.API) {
	post(s, api, "/segments/{id}/materialize", "Compute and keep the members of a segment now", func(ctx context.Context, in *segmentPath) (*struct{ Body runBody }, error) {
		runs, err := s.Evaluator.Materialize(ctx, projectOf(ctx), []string{in.ID})
		if err != nil {
			return nil, err
		}
		return &struct{ Body runBody }{newRunBody(runs[0])}, nil
	})
	get(s, api, "/segments/{id}/runs", "List a segment's materializations, the newest first", func(ctx context.Context, in *struct {
		ID    string `path:"id"`
		Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	}) (*struct {
		Body struct {
			Runs []runBody `json:"runs"`
			Next *string   `json:"next"`
		}
	}, error,
	) {
		out := &struct {
			Body struct {
				Runs []runBody `json:"runs"`
				Next *string   `json:"next"`
			}
		}{}
		out.Body.Runs = []runBody{}
		runs, err := s.Evaluator.Runs(ctx, projectOf(ctx).ID, in.ID, in.Limit)
		if err != nil {
			return nil, err
		}
		for _, r := range runs {
			out.Body.Runs = append(out.Body.Runs, newRunBody(r))
		}
		return out, nil
	})
}
