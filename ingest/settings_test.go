package ingest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestDoorTellsTheBrowserClientWhereToSend(t *testing.T) {
	d := newTestDoor(t, openSpool(t))
	get := func(path, proto string) (*httptest.ResponseRecorder, map[string]any) {
		r := httptest.NewRequest(http.MethodGet, "http://muster.example:8080"+path, nil)
		if proto != "" {
			r.Header.Set("X-Forwarded-Proto", proto)
		}
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		var doc map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		return w, doc
	}
	for proto, want := range map[string]string{"": "http", "https": "https"} {
		w, doc := get("/v1/projects/wk/settings", proto)
		if w.Code != 200 || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Fatalf("answered %d %s", w.Code, w.Body)
		}
		all, ok := doc["integrations"].(map[string]any)
		if !ok || len(all) != 1 {
			t.Fatalf("the integrations are %v, not one", doc["integrations"])
		}
		s, ok := all["Segment.io"].(map[string]any)
		if !ok || s["apiKey"] != "wk" || s["apiHost"] != "muster.example:8080/v1" || s["protocol"] != want {
			t.Errorf("the client is told %v", s)
		}
		if metrics, ok := doc["metrics"].(map[string]any); !ok || metrics["sampleRate"] != 0.0 {
			t.Errorf("the client is to report about itself: %v", doc["metrics"])
		}
		if _, ok := doc["plan"].(map[string]any)["track"].(map[string]any)["__default"]; !ok {
			t.Errorf("the plan is %v", doc["plan"])
		}
	}
	for _, path := range []string{"/v1/projects/other/settings", "/v1/projects//settings", "/v1/projects/wk/x/settings", "/v1/projects/wk"} {
		if w, _ := get(path, ""); w.Code != 404 {
			t.Errorf("%s: answered %d", path, w.Code)
		}
	}
}
