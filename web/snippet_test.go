package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func ask(t *testing.T, method string, headers map[string]string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/snippet.js", nil)
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	newSnippet([]byte(script)).ServeHTTP(w, r)
	return w.Result()
}

var script = "(function(){/* " + strings.Repeat("muster ", 100) + "*/})()"

func TestSnippet(t *testing.T) {
	plain := ask(t, http.MethodGet, nil)
	body, err := io.ReadAll(plain.Body)
	if err != nil || string(body) != script {
		t.Errorf("the plain script is %q, %v", body, err)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/javascript; charset=utf-8", "Access-Control-Allow-Origin": "*",
		"Cross-Origin-Resource-Policy": "cross-origin", "Vary": "Accept-Encoding", "Content-Encoding": "",
	} {
		if got := plain.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}

	compressed := ask(t, http.MethodGet, map[string]string{"Accept-Encoding": "br, gzip"})
	reader, err := gzip.NewReader(compressed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if body, err = io.ReadAll(reader); err != nil || string(body) != script || compressed.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("the compressed script is %q, %v", body, err)
	}

	tag, other := plain.Header.Get("ETag"), compressed.Header.Get("ETag")
	if tag == "" || tag == other {
		t.Errorf("the plain and the compressed script have the tags %q and %q, want two", tag, other)
	}
	if again := ask(t, http.MethodGet, map[string]string{"If-None-Match": tag}); again.StatusCode != http.StatusNotModified {
		t.Errorf("asked with its tag the status is %d, want 304", again.StatusCode)
	}
	if newer := ask(t, http.MethodGet, map[string]string{"If-None-Match": `"older"`}); newer.StatusCode != http.StatusOK {
		t.Errorf("asked with another tag the status is %d, want 200", newer.StatusCode)
	}
	head := ask(t, http.MethodHead, nil)
	if body, err = io.ReadAll(head.Body); err != nil || len(body) > 0 || head.Header.Get("ETag") != tag {
		t.Errorf("HEAD answers %d bytes and the tag %q, %v", len(body), head.Header.Get("ETag"), err)
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "br": false, "gzip": true, "GZIP": true, "gzip, deflate, br": true, "br;q=1, gzip;q=0.8": true,
		"gzip;q=0": false, "gzip;q=0.0, br": false, "gzip; q=0.5": true, "gzip;q=x": false, "x-gzip": false,
	} {
		if got := acceptsGzip(header); got != want {
			t.Errorf("%q: %t, want %t", header, got, want)
		}
	}
}
