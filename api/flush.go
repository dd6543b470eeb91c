package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"muster"
)

func (s *server) registerFlush(api huma.API) {
	post(s, api, "/flush", "Return when everything acknowledged before is queryable", func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		err := s.Flush(ctx)
		if err != nil && ctx.Err() != nil {
			err = &muster.Error{
				Code: muster.Timeout, Detail: "not everything is queryable yet", Hint: "what was acknowledged is kept; ask again", Err: err,
			}
		}
		return nil, err
	}, status(http.StatusNoContent))
}
