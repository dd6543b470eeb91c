package api

import (
	"cmp"
	"html/template"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

// referencePage lists the operations. It is drawn here and needs nothing from outside, so it works without a network.
var referencePage = template.Must(template.New("reference").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Muster API</title>
<style>
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}
td{padding:.35rem .75rem .35rem 0;vertical-align:top;border-bottom:1px solid #8884}
code{font-size:.9em}.m{font-weight:600}
</style>
<h1>Muster API</h1>
<p>Every operation, its body and its answers are described in <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1). Send
<code>Authorization: Bearer &lt;secret_key&gt;</code>. Errors are problem documents (RFC 9457) with a stable <code>code</code>.
Traffic goes to <code>POST /v1/batch</code> and its sisters with the write key.</p>
<table>{{range .}}<tr><td class="m">{{.Method}}</td><td><code>{{.Path}}</code></td><td>{{.Summary}}</td></tr>
{{end}}</table>
</html>
`))

// reference serves a page with every operation of the document.
func reference(doc *huma.OpenAPI) gin.HandlerFunc {
	return func(g *gin.Context) {
		var all []*huma.Operation
		for _, item := range doc.Paths {
			for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
				if op != nil {
					all = append(all, op)
				}
			}
		}
		slices.SortFunc(all, func(a, b *huma.Operation) int {
			return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
		})
		g.Header("Content-Type", "text/html; charset=utf-8")
		g.Status(http.StatusOK)
		_ = referencePage.Execute(g.Writer, all)
	}
}
