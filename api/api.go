package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"muster"
	"muster/clickhouse"
	"muster/exports"
	"muster/ingest"
	"muster/membership"
	"muster/problem"
	"muster/projects"
	"muster/segments"
)

// Config is what the API stands on.
type Config struct {
	Keys      *projects.Keyring
	Projects  *projects.Directory
	Segments  *segments.Store
	Evaluator *segments.Evaluator
	Current   *membership.Current // who is in the live segments now
	Exports   *exports.Service
	Tags      *segments.Tagger
	// Rejections are the messages the door did not accept.
	Rejections *ingest.Rejections
	DB         *clickhouse.DB // where a project's settings are kept
	// Flush returns when everything acknowledged before is queryable.
	Flush func(context.Context) error
	// Erase takes the user that an actor is out of everything.
	Erase     func(context.Context, muster.ProjectID, muster.Actor) error
	Dashboard http.Handler // answers every path that is nobody else's
	Log       *slog.Logger
}

// queryTimeout bounds every request. One that takes longer is stopped and answered with an error, never with a part.
const queryTimeout = 2 * time.Minute

type server struct{ Config }

// New returns the handler of /api/v1, /openapi.json, /docs and the dashboard.
func New(c Config) (http.Handler, error) {
	if c.Keys == nil || c.Projects == nil || c.Segments == nil || c.Evaluator == nil || c.Current == nil || c.Exports == nil || c.Tags == nil ||
		c.Flush == nil || c.Erase == nil || c.Rejections == nil || c.DB == nil || c.Dashboard == nil || c.Log == nil {
		return nil, errors.New("api: a part of the configuration is missing")
	}
	s := &server{c}
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.UseRawPath = true // the name of an attribute may have a slash in it
	router.Use(s.recoverPanics)
	router.NoRoute(func(g *gin.Context) {
		if isAPI(g.Request.URL.Path) {
			problem.Write(g.Writer, &muster.Error{
				Code: muster.NotFound, Detail: "there is nothing at " + g.Request.URL.Path, Hint: "/docs lists what there is",
			})
			return
		}
		c.Dashboard.ServeHTTP(g.Writer, g.Request)
	})

	huma.NewError = newHumaError
	config := huma.DefaultConfig("Muster", "1")
	config.CreateHooks = nil // answers carry no $schema links
	config.Formats = map[string]huma.Format{"application/json": strictJSON, "json": strictJSON}
	config.DocsPath = ""
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"secret": {Type: "http", Scheme: "bearer", Description: "the project's secret key"},
	}
	api := humagin.New(router, config)
	group := huma.NewGroup(api, "/api/v1")
	group.UseMiddleware(s.requireSecret, limitTime)
	s.registerSegments(group)
	s.registerPreview(group)
	s.registerExplain(group)
	s.registerDiff(group)
	s.registerSQL(group)
	s.registerMembers(group)
	s.registerRuns(group)
	s.registerChanges(group)
	s.registerUsers(group)
	s.registerProfile(group)
	s.registerTags(group)
	s.registerErase(group)
	s.registerMemberships(group)
	s.registerCatalog(group)
	s.registerExports(group)
	s.registerRejections(group)
	s.registerProjectSettings(group)
	s.registerFlush(group)
	s.registerProject(group)
	describeMe(api.OpenAPI())
	router.GET("/docs", reference(api.OpenAPI()))
	return router, nil
}

// limitTime gives every request an end.
func limitTime(ctx huma.Context, next func(huma.Context)) {
	limited, cancel := context.WithTimeout(ctx.Context(), queryTimeout)
	defer cancel()
	next(huma.WithContext(ctx, limited))
}

// recoverPanics turns a panic into a problem document and a line in the log.
func (s *server) recoverPanics(g *gin.Context) {
	defer func() {
		if r := recover(); r != nil {
			s.Log.ErrorContext(g.Request.Context(), "request panicked", slog.String("path", g.Request.URL.Path), slog.Any("panic", r))
			problem.Write(g.Writer, &muster.Error{Code: muster.Internal, Detail: "something went wrong on our side"})
		}
	}()
	g.Next()
}

func isAPI(path string) bool {
	return len(path) >= 5 && path[:5] == "/api/" || len(path) >= 4 && path[:4] == "/v1/"
}
