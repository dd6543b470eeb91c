package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
)

func (s *server) registerTags(api huma.API) {
	post(s, api, "/users/{user}/tags", "Add tags to a user, and remove some", func(ctx context.Context, in *struct {
		User string `path:"user"`
		Body struct {
			Add    []string `json:"add,omitempty"`
			Remove []string `json:"remove,omitempty"`
		}
	}) (*struct {
		Body struct {
			Tags []string `json:"tags" doc:"those the user has now"`
		}
	}, error,
	) {
		user, err := userAddress(in.User)
		if err != nil {
			return nil, err
		}
		out := &struct {
			Body struct {
				Tags []string `json:"tags" doc:"those the user has now"`
			}
		}{}
		out.Body.Tags, err = s.Tags.Change(ctx, projectOf(ctx), user, in.Body.Add, in.Body.Remove)
		return out, err
	})
}
