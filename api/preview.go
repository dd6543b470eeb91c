package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/queries"
	"muster/segments"
)

type previewBody struct {
	cost

	Count    uint64             `json:"count" doc:"users who match"`
	Of       uint64             `json:"of" doc:"users there are"`
	Sample   []userBody         `json:"sample"`
	Sentence string             `json:"sentence"`
	Warnings []segments.Warning `json:"warnings"`
	AsOf     time.Time          `json:"as_of" doc:"the pinned now: repeating the request with it gives the same set"`
}

// sampleSize is how many users are shown: as many as were asked for, or 10.
func sampleSize(asked *int) int {
	if asked == nil {
		return 10
	}
	return *asked
}

func (s *server) registerPreview(api huma.API) {
	post(s, api, "/segments/preview", "Count the users a definition holds for", func(ctx context.Context, in *struct {
		Body struct {
			Definition rawObject  `json:"definition"`
			AsOf       *time.Time `json:"as_of,omitempty"`
			KnownAt    *time.Time `json:"known_at,omitempty" doc:"also ignore what was received later"`
			Sample     *int       `json:"sample,omitempty" minimum:"0" maximum:"100" doc:"users to show; 10 unless told"`
		}
	},
	) (*struct{ Body previewBody }, error) {
		ctx, took := measure(ctx)
		definition, err := decodeDefinition(in.Body.Definition, "/definition")
		if err != nil {
			return nil, err
		}
		sample := sampleSize(in.Body.Sample)
		p, err := s.Evaluator.Preview(ctx, projectOf(ctx), definition, segments.At{AsOf: in.Body.AsOf, KnownAt: in.Body.KnownAt}, sample)
		if err != nil {
			return nil, inDefinition(err)
		}
		return &struct{ Body previewBody }{previewBody{
			cost: took(), Count: p.Count, Of: p.Of, Sample: newUserBodies(p.Sample), Sentence: queries.Sentence(definition), Warnings: warningsAt("/definition", p.Warnings),
			AsOf: p.AsOf,
		}}, nil
	})
}
