package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
)

type projectBody struct {
	Name      string   `json:"name"`
	TimeZone  string   `json:"time_zone" doc:"where the project's calendar days begin, such as Europe/Paris"`
	WriteKeys []string `json:"write_keys" doc:"those this process knows in plain text, which are those of its data directory; the others are stored as digests"`
}

func (s *server) registerProject(api huma.API) {
	get(s, api, "/project", "Read the project the key opens, and the write keys its pages carry", func(ctx context.Context, _ *struct{}) (
		*struct{ Body projectBody }, error,
	) {
		p := projectOf(ctx)
		return &struct{ Body projectBody }{projectBody{p.Name, p.Zone.String(), s.Keys.WriteKeys(p.ID)}}, nil
	})
}
