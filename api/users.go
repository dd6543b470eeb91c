package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/queries"
	"muster/segments"
)

// userBody is a user in a list.
type userBody struct {
	User        string         `json:"user" doc:"the user's address, stable"`
	UserID      *string        `json:"user_id"`
	AnonymousID *string        `json:"anonymous_id"`
	Attributes  map[string]any `json:"attributes"`
}

func newUserBodies(users []segments.User) []userBody {
	bodies := []userBody{}
	for _, u := range users {
		bodies = append(bodies, userBody{u.Actor.String(), u.UserID, u.AnonymousID, u.Attributes})
	}
	return bodies
}

type usersBody struct {
	cost

	Users []userBody `json:"users"`
	Total uint64     `json:"total"`
	Next  *string    `json:"next" doc:"the cursor of the next page, or null"`
	AsOf  time.Time  `json:"as_of"`
}

func newUsersBody(page segments.Page, c cost) usersBody {
	return usersBody{cost: c, Users: newUserBodies(page.Users), Total: page.Total, Next: page.Next, AsOf: page.AsOf}
}

// sortBody is an order of users.
type sortBody struct {
	Attribute string `json:"attribute" minLength:"1" maxLength:"500" doc:"native or custom; users without it come last"`
	Order     string `json:"order,omitempty" enum:"asc,desc" doc:"asc unless told"`
}

func (b *sortBody) sort() *queries.Sort {
	if b == nil {
		return nil
	}
	return &queries.Sort{Attribute: b.Attribute, Descending: b.Order == "desc"}
}

func (s *server) registerUsers(api huma.API) {
	post(s, api, "/users/query", "List the users a definition holds for", func(ctx context.Context, in *struct {
		Body struct {
			Definition rawObject  `json:"definition,omitempty" doc:"everyone, when it is missing"`
			Sort       *sortBody  `json:"sort,omitempty" doc:"the order in which the users came, when it is missing"`
			Columns    []string   `json:"columns,omitempty" doc:"the attributes to answer; all, when it is missing"`
			Cursor     string     `json:"cursor,omitempty"`
			Limit      int        `json:"limit,omitempty" minimum:"1" maximum:"1000" doc:"50 unless told"`
			AsOf       *time.Time `json:"as_of,omitempty"`
			KnownAt    *time.Time `json:"known_at,omitempty" doc:"also ignore what was received later"`
		}
	},
	) (*struct{ Body usersBody }, error) {
		ctx, took := measure(ctx)
		definition := queries.EveryoneDefinition()
		if len(in.Body.Definition) > 0 {
			var err error
			if definition, err = decodeDefinition(in.Body.Definition, "/definition"); err != nil {
				return nil, err
			}
		}
		page, err := s.Evaluator.Users(ctx, projectOf(ctx), definition, segments.At{AsOf: in.Body.AsOf, KnownAt: in.Body.KnownAt}, segments.PageRequest{
			Cursor: in.Body.Cursor, Limit: in.Body.Limit, Columns: in.Body.Columns, Sort: in.Body.Sort.sort(),
		})
		if err != nil {
			return nil, inDefinition(err)
		}
		return &struct{ Body usersBody }{newUsersBody(page, took())}, nil
	})
}
