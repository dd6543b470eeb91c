package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"muster"
)

func (s *server) registerErase(api huma.API) {
	remove(s, api, "/users/{user}", "Erase a user, everywhere and for ever", func(ctx context.Context, in *struct {
		User string `path:"user" doc:"the \"user\" field of a list"`
	},
	) (*struct{}, error) {
		actor, err := muster.ParseActor(in.User)
		if err != nil {
			return nil, err
		}
		return nil, s.Erase(ctx, projectOf(ctx).ID, actor)
	}, status(http.StatusNoContent))
}
