package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster"
	"muster/ingest"
	"muster/membership"
	"muster/problem"
	"muster/projects"
)

// Me answers GET /v1/me/segments: the live segments of a user, from memory. Pages ask it with the write key and see what is
// visible to the browser; servers ask with the secret key and see all.
type Me struct {
	keys    *projects.Keyring
	signing ingest.Signing
	current *membership.Current
}

// NewMe returns the handler. Signing says, as for traffic, where a page must prove which user it is of.
func NewMe(keys *projects.Keyring, signing ingest.Signing, current *membership.Current) *Me {
	return &Me{keys, signing, current}
}

// membershipsBody is the live segments of a user.
type membershipsBody struct {
	User     *string       `json:"user" doc:"the user's address; null for a user nobody has heard of"`
	Segments []segmentName `json:"segments"`
	AsOf     time.Time     `json:"as_of"`
}

type segmentName struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func newMembershipsBody(a membership.Answer) membershipsBody {
	body := membershipsBody{Segments: make([]segmentName, len(a.Segments)), AsOf: a.AsOf}
	if a.User != 0 {
		user := a.User.String()
		body.User = &user
	}
	for i, s := range a.Segments {
		body.Segments[i] = segmentName{s.ID, s.Name}
	}
	return body
}

// describeMe tells of the operation, which is answered outside of the API, in its document.
func describeMe(doc *huma.OpenAPI) {
	text := &huma.Schema{Type: huma.TypeString}
	body := doc.Components.Schemas.Schema(reflect.TypeFor[membershipsBody](), true, "")
	doc.AddOperation(&huma.Operation{
		OperationID: "get-me-segments", Method: http.MethodGet, Path: "/v1/me/segments",
		Summary:  "Tell which live segments a user is in, from memory; with the write key, those visible to the browser",
		Security: []map[string][]string{{"secret": {}}, {}},
		Parameters: []*huma.Param{
			{Name: "user_id", In: "query", Schema: text, Description: "this or anonymous_id"},
			{Name: "anonymous_id", In: "query", Schema: text},
			{Name: "writeKey", In: "query", Schema: text, Description: "the key, where no header has it"},
			{Name: "signature", In: "query", Schema: text, Description: "of the user_id, where the project demands signed identification"},
		},
		Responses: map[string]*huma.Response{
			"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: body}}},
		},
	})
}

// errNotLoaded says that memberships are not in memory yet.
var errNotLoaded = &muster.Error{
	Code: muster.Unavailable, Detail: "the memberships of live segments are not loaded yet", Hint: "ask again in a few seconds",
}

// errSignature says that a page did not prove which user it is of: anybody could ask about anybody.
var errSignature = &muster.Error{
	Code: muster.Unauthorized, Detail: "the project demands signed identification",
	Issues: []muster.Issue{{
		Pointer: "/signature", Code: string(ingest.RejectSignature),
		Detail: `"signature" must be the hexadecimal HMAC-SHA256 of the user_id with the project's identify secret`,
	}},
	Hint: "have your server make the signature, or ask from there with the secret key",
}

// ServeHTTP answers one request. Pages of any origin may ask.
func (m *Me) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Expose-Headers", "Retry-After")
	switch r.Method {
	case http.MethodOptions:
		header.Set("Access-Control-Allow-Methods", "GET")
		header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		header.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
		return
	case http.MethodGet, http.MethodHead:
	default:
		problem.Write(w, &muster.Error{Code: muster.NotFound, Detail: "there is nothing to write here; ask with GET"})
		return
	}
	body, err := m.answer(r)
	if err != nil {
		problem.Write(w, err)
		return
	}
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(body) // nobody is left to tell when the connection is gone
}

func (m *Me) answer(r *http.Request) (membershipsBody, error) {
	query := r.URL.Query()
	key := bearerOrBasic(r.Header.Get("Authorization"))
	if key == "" {
		key = query.Get("writeKey")
	}
	project, isSecret := m.keys.Project(projects.SecretKey, key)
	if !isSecret {
		var ok bool
		if project, ok = m.keys.Project(projects.WriteKey, key); !ok {
			return membershipsBody{}, &muster.Error{
				Code: muster.Unauthorized, Detail: "no known key was given",
				Hint: `send the project's write key as Bearer, as the user name of Basic, or as "writeKey" in the address`,
			}
		}
	}
	var actor muster.Actor
	switch userID, anonymousID := query.Get("user_id"), query.Get("anonymous_id"); {
	case userID != "":
		if secret, demanded := m.signing(project); demanded && !isSecret && !ingest.IsSignature(secret, userID, query.Get("signature")) {
			return membershipsBody{}, errSignature
		}
		actor = muster.NewActor(project, muster.Identified, userID)
	case anonymousID != "":
		actor = muster.NewActor(project, muster.Anonymous, anonymousID)
	default:
		return membershipsBody{}, &muster.Error{
			Code: muster.InvalidArgument, Detail: "the address names no user", Hint: "add user_id=… or anonymous_id=…",
		}
	}
	answer, loaded := m.current.Project(project).Of(actor, func(s membership.Segment) bool { return isSecret || s.BrowserVisible })
	if !loaded {
		return membershipsBody{}, errNotLoaded
	}
	return newMembershipsBody(answer), nil
}
