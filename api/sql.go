package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/queries"
	"muster/segments"
)

type statementBody struct {
	Purpose    string            `json:"purpose" enum:"count,preview" doc:"count tells everybody apart who may have to be; preview, which a preview begins with, presumes that there are none of some"`
	SQL        string            `json:"sql"`
	Parameters map[string]string `json:"parameters" doc:"the values, which the server puts in; in ClickHouse's text format"`
}

// sourceBody is one scan of a plan.
type sourceBody struct {
	Table  string `json:"table"`
	Reads  string `json:"reads"`
	Leaves []int  `json:"leaves" doc:"the numbers of the leaves that come out of it"`
	Parts  uint64 `json:"parts" doc:"of the table, that it has to look at"`
	Rows   uint64 `json:"rows" doc:"at most, by the table's index"`
	Marks  uint64 `json:"marks"`
}

type leafBody struct {
	Leaf      int    `json:"leaf" doc:"its number; 0 is everyone"`
	Condition string `json:"condition"`
}

type planBody struct {
	Sources []sourceBody `json:"sources"`
	Leaves  []leafBody   `json:"leaves"`
	Set     string       `json:"set" doc:"the definition as algebra over the numbers of leaves"`
}

type sqlBody struct {
	cost

	Statements []statementBody `json:"statements"`
	Plan       planBody        `json:"plan"`
	Sentence   string          `json:"sentence"`
	AsOf       time.Time       `json:"as_of" doc:"the pinned now"`
}

func newSQLBody(d queries.Definition, c segments.Compiled) sqlBody {
	body := sqlBody{
		Statements: []statementBody{
			{"count", c.Statement.SQL, c.Statement.Parameters}, {"preview", c.Preview.SQL, c.Preview.Parameters},
		},
		Sentence: queries.Sentence(d), AsOf: c.Scope.Now,
		Plan: planBody{Sources: []sourceBody{}, Leaves: []leafBody{}, Set: c.Outline.Sets[0]},
	}
	for i, s := range c.Outline.Sources {
		e := c.Estimates[i]
		body.Plan.Sources = append(body.Plan.Sources, sourceBody{s.Table, s.Reads, s.Leaves, e.Parts, e.Rows, e.Marks})
	}
	for _, l := range c.Outline.Leaves {
		body.Plan.Leaves = append(body.Plan.Leaves, leafBody{l.Number, l.Condition})
	}
	return body
}

func (s *server) registerSQL(api huma.API) {
	post(s, api, "/segments/sql", "Show the plan and the statement that a definition is", func(ctx context.Context, in *struct {
		Body struct {
			Definition rawObject  `json:"definition"`
			AsOf       *time.Time `json:"as_of,omitempty"`
			KnownAt    *time.Time `json:"known_at,omitempty" doc:"also ignore what was received later"`
		}
	},
	) (*struct{ Body sqlBody }, error) {
		definition, err := decodeDefinition(in.Body.Definition, "/definition")
		if err != nil {
			return nil, err
		}
		body, err := s.compiled(ctx, definition, segments.At{AsOf: in.Body.AsOf, KnownAt: in.Body.KnownAt})
		return body, inDefinition(err)
	})
	get(s, api, "/segments/{id}/sql", "Show the plan and the statement that a segment is", func(ctx context.Context, in *struct {
		ID   string    `path:"id"`
		AsOf time.Time `query:"as_of"`
	},
	) (*struct{ Body sqlBody }, error) {
		seg, err := s.Segments.Get(ctx, projectOf(ctx).ID, in.ID)
		if err != nil {
			return nil, err
		}
		var at segments.At
		if !in.AsOf.IsZero() {
			at.AsOf = &in.AsOf
		}
		return s.compiled(ctx, seg.Definition, at)
	})
}

func (s *server) compiled(ctx context.Context, d queries.Definition, at segments.At) (*struct{ Body sqlBody }, error) {
	ctx, took := measure(ctx)
	c, err := s.Evaluator.SQL(ctx, projectOf(ctx), d, at)
	if err != nil {
		return nil, err
	}
	body := newSQLBody(d, c)
	body.cost = took()
	return &struct{ Body sqlBody }{body}, nil
}
