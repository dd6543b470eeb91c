package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"muster"
	"muster/problem"
)

func TestWriteSaysWhatWhereAndWhatToDo(t *testing.T) {
	w := httptest.NewRecorder()
	problem.Write(w, fmt.Errorf("take: %w", &muster.Error{
		Code: muster.InvalidArgument, Detail: "no", Hint: "yes", Err: errors.New("secret"),
		Issues: []muster.Issue{{Pointer: "/a/0", Code: "bad", Detail: "worse"}},
	}))
	want := `{"type":"urn:muster:problem:invalid_argument","title":"Bad Request","status":400,"code":"invalid_argument",` +
		`"detail":"no","errors":[{"pointer":"/a/0","code":"bad","detail":"worse"}],"hint":"yes"}`
	if got := strings.TrimSpace(w.Body.String()); w.Code != 400 || got != want {
		t.Errorf("answered %d with\n%s\nnot 400 with\n%s", w.Code, got, want)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("the content type is %q", got)
	}
}

func TestStatusOfEveryCode(t *testing.T) {
	for code, want := range map[muster.Code]int{
		muster.InvalidArgument: 400, muster.InvalidJSON: 400, muster.InvalidDefinition: 400, muster.Unauthorized: 401,
		muster.NotFound: 404, muster.Conflict: 409, muster.Stale: 412, muster.TooLarge: 413, muster.RateLimited: 429, muster.Internal: 500,
		muster.Unavailable: 503, muster.Timeout: 504, "new": 500,
	} {
		if got := problem.Status(code); got != want {
			t.Errorf("%s is %d, not %d", code, got, want)
		}
	}
}

func TestWriteHidesOtherErrors(t *testing.T) {
	w := httptest.NewRecorder()
	problem.Write(w, errors.New("password=hunter2"))
	var doc problem.Document
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Status != 500 || doc.Code != muster.Internal || strings.Contains(w.Body.String(), "hunter2") {
		t.Errorf("answered %s", w.Body)
	}
}

func TestWriteTellsWhenToComeBack(t *testing.T) {
	w := httptest.NewRecorder()
	problem.Write(w, &muster.Error{Code: muster.Unavailable})
	if got := w.Header().Get("Retry-After"); got != "5" {
		t.Errorf("Retry-After is %q", got)
	}
	w = httptest.NewRecorder()
	w.Header().Set("Retry-After", "60")
	problem.Write(w, &muster.Error{Code: muster.RateLimited})
	if got := w.Header().Get("Retry-After"); got != "60" {
		t.Errorf("Retry-After was overwritten with %q", got)
	}
}
