package ingest

import (
	"net/http"
	"strings"

	"muster"
)

// headerKey returns the write key of the Authorization header: Bearer, or the user name of Basic. It is empty when the
// header says none.
func headerKey(r *http.Request) (string, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", nil
	}
	if user, _, ok := r.BasicAuth(); ok {
		return user, nil
	}
	if scheme, token, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token), nil
	}
	return "", &muster.Error{
		Code: muster.Unauthorized, Detail: "the Authorization header is neither Basic nor Bearer", Hint: "send Bearer and the write key",
	}
}

// errKey is the error of a missing, unknown or wrong key.
var errKey = &muster.Error{
	Code: muster.Unauthorized, Detail: "no known write key was given",
	Hint: `send the project's write key as Bearer, as the user name of Basic, or as "writeKey" in the body; a secret key is none`,
}
