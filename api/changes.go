package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/segments"
)

// changeBody is a user who entered a segment or exited from it.
type changeBody struct {
	Change      string    `json:"change" enum:"entered,exited"`
	At          time.Time `json:"at" doc:"the time the run was as of"`
	Run         string    `json:"run"`
	Revision    uint32    `json:"revision" doc:"of the definition, at the run"`
	UID         uint32    `json:"uid" doc:"the user's number, as in exports"`
	User        *string   `json:"user" doc:"the user's address; null when the user has become one with another since"`
	UserID      *string   `json:"user_id"`
	AnonymousID *string   `json:"anonymous_id"`
}

func newChangeBody(c segments.Change) changeBody {
	b := changeBody{Change: "exited", At: c.At, Run: c.Run.String(), Revision: c.Revision, UID: c.UID}
	if c.Entered {
		b.Change = "entered"
	}
	if c.User != nil {
		address := c.User.Actor.String()
		b.User, b.UserID, b.AnonymousID = &address, c.User.UserID, c.User.AnonymousID
	}
	return b
}

type changesBody struct {
	cost

	Changes []changeBody `json:"changes"`
	Total   uint64       `json:"total"`
	Next    *string      `json:"next" doc:"the cursor of the next page, or null"`
	AsOf    time.Time    `json:"as_of" doc:"runs as of later are not in the list"`
}

func (s *server) registerChanges(api huma.API) {
	get(s, api, "/segments/{id}/changes", "List who entered a segment and who exited from it, from run to run", func(ctx context.Context, in *struct {
		ID     string    `path:"id"`
		From   time.Time `query:"from" doc:"runs as of this time or later"`
		To     time.Time `query:"to" doc:"runs as of before this time"`
		Cursor string    `query:"cursor"`
		Limit  int       `query:"limit" minimum:"1" maximum:"1000" default:"50"`
	},
	) (*struct{ Body changesBody }, error) {
		ctx, took := measure(ctx)
		page, err := s.Evaluator.Changes(ctx, projectOf(ctx), in.ID, segments.ChangeRequest{
			From: in.From, To: in.To, Cursor: in.Cursor, Limit: in.Limit,
		})
		if err != nil {
			return nil, err
		}
		body := changesBody{Changes: []changeBody{}, Total: page.Total, Next: page.Next, AsOf: page.AsOf}
		for _, c := range page.Changes {
			body.Changes = append(body.Changes, newChangeBody(c))
		}
		body.cost = took()
		return &struct{ Body changesBody }{body}, nil
	})
}
