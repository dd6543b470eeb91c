package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster"
	"muster/queries"
	"muster/segments"
)

type movedBody struct {
	Count  uint64     `json:"count"`
	Sample []userBody `json:"sample"`
}

type diffBody struct {
	cost

	Segment  string             `json:"segment,omitempty"`
	Revision uint32             `json:"revision,omitempty" doc:"of the segment, which the definition was compared with"`
	Entering movedBody          `json:"entering" doc:"users who match the definition and are no members now"`
	Leaving  movedBody          `json:"leaving" doc:"members who do not match the definition"`
	Staying  movedBody          `json:"staying"`
	Before   uint64             `json:"before" doc:"members now"`
	After    uint64             `json:"after" doc:"users who match the definition"`
	Of       uint64             `json:"of" doc:"users there are"`
	Sentence string             `json:"sentence" doc:"the definition in one English sentence"`
	Warnings []segments.Warning `json:"warnings"`
	AsOf     time.Time          `json:"as_of" doc:"the pinned now, of both"`
}

func (s *server) registerDiff(api huma.API) {
	post(s, api, "/segments/diff", "Say who would enter, leave and stay, before a definition is saved", func(ctx context.Context, in *struct {
		Body struct {
			Segment    string     `json:"segment,omitempty" doc:"the id of the segment that would change"`
			Before     rawObject  `json:"before,omitempty" doc:"a definition to compare with, instead of a segment's"`
			Definition rawObject  `json:"definition" doc:"the new definition"`
			AsOf       *time.Time `json:"as_of,omitempty"`
			KnownAt    *time.Time `json:"known_at,omitempty" doc:"also ignore what was received later"`
			Sample     *int       `json:"sample,omitempty" minimum:"0" maximum:"100" doc:"users of each sort to show; 10 unless told"`
		}
	},
	) (*struct{ Body diffBody }, error) {
		ctx, took := measure(ctx)
		definition, err := decodeDefinition(in.Body.Definition, "/definition")
		if err != nil {
			return nil, err
		}
		at, sample := segments.At{AsOf: in.Body.AsOf, KnownAt: in.Body.KnownAt}, sampleSize(in.Body.Sample)
		var d segments.Diff
		switch {
		case (in.Body.Segment == "") == (len(in.Body.Before) == 0):
			return nil, &muster.Error{
				Code: muster.InvalidArgument, Detail: "a diff is with one segment or with one definition",
				Issues: []muster.Issue{{Pointer: "/segment", Code: "required", Detail: "send either \"segment\" or \"before\""}},
			}
		case in.Body.Segment != "":
			d, err = s.Evaluator.DiffSegment(ctx, projectOf(ctx), in.Body.Segment, definition, at, sample)
		default:
			var before queries.Definition
			if before, err = decodeDefinition(in.Body.Before, "/before"); err != nil {
				return nil, err
			}
			d, err = s.Evaluator.DiffDefinitions(ctx, projectOf(ctx), before, definition, at, sample)
		}
		if err != nil {
			return nil, err
		}
		moved := func(m segments.Moved) movedBody { return movedBody{m.Count, newUserBodies(m.Sample)} }
		return &struct{ Body diffBody }{diffBody{
			cost: took(), Segment: in.Body.Segment, Revision: d.Revision, Entering: moved(d.Entering), Leaving: moved(d.Leaving),
			Staying: moved(d.Staying), Before: d.Before, After: d.After, Of: d.Of, Sentence: queries.Sentence(definition),
			Warnings: warningsAt("/definition", d.Warnings), AsOf: d.Scope.Now,
		}}, nil
	})
}
