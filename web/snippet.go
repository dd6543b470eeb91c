package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// snippetAge is how long a browser uses the snippet it has without asking for a newer one.
const snippetAge = "public, max-age=300, stale-while-revalidate=86400"

// Snippet serves the script that pages of other sites load, as `npm run build` made it.
func Snippet() http.Handler {
	script, err := fs.ReadFile(files, "dist/snippet.js")
	if err != nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, unbuilt, http.StatusNotFound) })
	}
	return newSnippet(script)
}

// snippet is a script, plain and compressed. Each form has an ETag of its own: they are not the same byte for byte.
type snippet struct {
	script, compressed []byte
	tag, compressedTag string
}

func newSnippet(script []byte) *snippet {
	var b bytes.Buffer
	// Writing to memory cannot fail, and the level is a valid one.
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = w.Write(script)
	_ = w.Close()
	sum := sha256.Sum256(script)
	hash := hex.EncodeToString(sum[:8])
	return &snippet{script: script, compressed: b.Bytes(), tag: `"` + hash + `"`, compressedTag: `"` + hash + `-gzip"`}
}

// ServeHTTP answers with the form the browser asks for, or that what it has is the newest. Any page may load it.
func (s *snippet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", snippetAge)
	h.Set("Vary", "Accept-Encoding")
	body, tag := s.script, s.tag
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		body, tag = s.compressed, s.compressedTag
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// acceptsGzip reads an Accept-Encoding header: codings with weights, of which zero means no.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, parameters, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			name, value, _ := strings.Cut(strings.TrimSpace(parameters), "=")
			weight, err := strconv.ParseFloat(value, 64)
			return !strings.EqualFold(name, "q") || err == nil && weight > 0
		}
	}
	return false
}
