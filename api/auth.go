package api

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"muster"
	"muster/problem"
	"muster/projects"
)

type projectKey struct{}

// projectOf returns the project whose secret key the request carries; every operation behind [requireSecret] has one.
func projectOf(ctx context.Context) projects.Project {
	p, _ := ctx.Value(projectKey{}).(projects.Project)
	return p
}

// requireSecret lets a request pass that carries a project's secret key, as a Bearer token or as the user of Basic.
func (s *server) requireSecret(ctx huma.Context, next func(huma.Context)) {
	refuse := func(detail string) {
		doc := problem.Of(&muster.Error{
			Code: muster.Unauthorized, Detail: detail,
			Hint: "send \"Authorization: Bearer <secret_key>\"; the first start wrote the key to keys.json in the data directory",
		})
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="muster"`)
		ctx.SetHeader("Content-Type", problem.ContentType)
		ctx.SetStatus(doc.Status)
		_ = strictJSON.Marshal(ctx.BodyWriter(), doc)
	}
	key := bearerOrBasic(ctx.Header("Authorization"))
	if key == "" {
		refuse("the request carries no key")
		return
	}
	id, ok := s.Keys.Project(projects.SecretKey, key)
	if !ok {
		if _, isWrite := s.Keys.Project(projects.WriteKey, key); isWrite {
			refuse("this is a write key; it sends traffic and reads nothing")
			return
		}
		refuse("the key is not known")
		return
	}
	project, ok := s.Projects.Get(id)
	if !ok {
		refuse("the key's project is not loaded yet; try again in a moment")
		return
	}
	next(huma.WithValue(ctx, projectKey{}, project))
}

// bearerOrBasic returns the key in an Authorization header, or nothing.
func bearerOrBasic(header string) string {
	scheme, value, _ := strings.Cut(header, " ")
	switch strings.ToLower(scheme) {
	case "bearer":
		return strings.TrimSpace(value)
	case "basic":
		text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
		if err != nil {
			return ""
		}
		key, _, _ := strings.Cut(string(text), ":")
		return key
	}
	return ""
}
