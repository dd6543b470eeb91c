package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

func (s *server) registerFlush(api huma.API) {
	post(s, api, "/flush", "Return when everything acknowledged before is queryable", func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		return nil, s.Flush(ctx)
	}, status(http.StatusNoContent))
}
