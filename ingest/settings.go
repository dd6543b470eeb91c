package ingest

import (
	"encoding/json"
	"net/http"
	"strings"

	"muster"
	"muster/problem"
)

// settingsOf finds the write key in /v1/projects/{writeKey}/settings.
func settingsOf(path string) (key string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/v1/projects/")
	if !ok {
		return "", false
	}
	key, ok = strings.CutSuffix(rest, "/settings")
	return key, ok && key != "" && !strings.Contains(key, "/")
}

// settingsDocument is what the browser client reads before it sends: where to send, and that nothing else is to be loaded.
type settingsDocument struct {
	Integrations map[string]segmentIO `json:"integrations"`
	Plan         map[string]planOf    `json:"plan"`
	Metrics      struct {
		SampleRate int `json:"sampleRate"` // 0: the client reports nothing about itself
	} `json:"metrics"`
	MiddlewareSettings        struct{}        `json:"middlewareSettings"`
	EnabledMiddleware         map[string]bool `json:"enabledMiddleware"`
	RemotePlugins             []struct{}      `json:"remotePlugins"`
	AnalyticsNextEnabled      bool            `json:"analyticsNextEnabled"`
	LegacyVideoPluginsEnabled bool            `json:"legacyVideoPluginsEnabled"`
}

// segmentIO is the one integration there is: this service, under the name the client knows.
type segmentIO struct {
	APIKey                string              `json:"apiKey"`
	APIHost               string              `json:"apiHost"`  // host, port and path, without the protocol
	Protocol              string              `json:"protocol"` // "http" or "https"
	AddBundledMetadata    bool                `json:"addBundledMetadata"`
	UnbundledIntegrations []string            `json:"unbundledIntegrations"`
	MaybeBundledConfigIDs map[string][]string `json:"maybeBundledConfigIds"`
	VersionSettings       struct {
		Version        string   `json:"version"`
		ComponentTypes []string `json:"componentTypes"`
	} `json:"versionSettings"`
}

// planOf lets every name of one sort of call pass.
type planOf map[string]struct {
	Enabled      bool            `json:"enabled"`
	Integrations map[string]bool `json:"integrations,omitempty"`
}

// writeSettings answers with the settings of a write key.
func (d *Door) writeSettings(w http.ResponseWriter, r *http.Request, key string) {
	if _, ok := d.keys(r.Context(), key); !ok {
		problem.Write(w, &muster.Error{Code: muster.NotFound, Detail: "no project has this write key"})
		return
	}
	s := segmentIO{
		APIKey: key, APIHost: r.Host + "/v1", Protocol: protocolOf(r), UnbundledIntegrations: []string{},
		MaybeBundledConfigIDs: map[string][]string{},
	}
	s.VersionSettings.Version, s.VersionSettings.ComponentTypes = "4.4.7", []string{"browser"}
	all := planOf{"__default": {Enabled: true}}
	doc := settingsDocument{
		Integrations: map[string]segmentIO{"Segment.io": s}, Plan: map[string]planOf{"track": all, "identify": all, "group": all},
		EnabledMiddleware: map[string]bool{}, RemotePlugins: []struct{}{}, AnalyticsNextEnabled: true,
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "public, max-age=60")
	header.Set("Vary", "X-Forwarded-Proto")
	_ = json.NewEncoder(w).Encode(doc) // nobody is left to tell when the connection is gone
}

// protocolOf is how the sender reached us, also where a proxy took its TLS off.
func protocolOf(r *http.Request) string {
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		return "https"
	}
	return "http"
}
