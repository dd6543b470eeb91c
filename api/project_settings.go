package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"muster/projects"
)

// projectSettingsBody is what people set of a project.
type projectSettingsBody struct {
	Name           string  `json:"name"`
	TimeZone       string  `json:"time_zone" doc:"where the project's calendar days begin, such as Europe/Paris"`
	SignedIdentify bool    `json:"signed_identify" doc:"identify, group and alias must carry a signature of the user id"`
	IdentifySecret *string `json:"identify_secret" doc:"signatures are the hexadecimal HMAC-SHA256 of the user id with it; null until signed_identify was first set"`
	Revision       uint32  `json:"revision" doc:"of these settings"`
}

func newProjectSettingsBody(p projects.Project) projectSettingsBody {
	b := projectSettingsBody{Name: p.Name, TimeZone: p.Zone.String(), SignedIdentify: p.SignedIdentify, Revision: p.Revision}
	if p.IdentifySecret != "" {
		b.IdentifySecret = &p.IdentifySecret
	}
	return b
}

func (s *server) registerProjectSettings(api huma.API) {
	put(s, api, "/project", "Set the project's name, its time zone and whether identification must be signed", func(ctx context.Context, in *struct {
		Body struct {
			Name           *string `json:"name,omitempty"`
			TimeZone       *string `json:"time_zone,omitempty"`
			SignedIdentify *bool   `json:"signed_identify,omitempty"`
		}
	},
	) (*struct{ Body projectSettingsBody }, error) {
		// Another process may have set something since the last refresh.
		if err := s.Projects.Refresh(ctx, s.DB); err != nil {
			return nil, err
		}
		current, _ := s.Projects.Get(projectOf(ctx).ID)
		p, err := projects.Set(ctx, s.DB, current, projects.Change(in.Body), author)
		if err != nil {
			return nil, err
		}
		s.Projects.Put(p)
		return &struct{ Body projectSettingsBody }{newProjectSettingsBody(p)}, nil
	})
}
