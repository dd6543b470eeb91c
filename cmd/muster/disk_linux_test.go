package main

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFullDisk makes every file of this process full at its present size: the door answers 503 and Retry-After, says on
// /readyz that it takes nothing, and goes on when there is room again. Nothing acknowledged is lost, and nothing else kept.
func TestFullDisk(t *testing.T) {
	s := startTest(t, t.TempDir())
	defer s.close()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limit := func(bytes uint64) {
		t.Helper()
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: before.Max}); err != nil {
			t.Fatal(err)
		}
	}
	defer limit(before.Cur)
	send := func(id string) (status int, header http.Header) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url()+"/v1/track",
			strings.NewReader(`{"userId":"u","event":"e","messageId":"`+id+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(s.keyFile.WriteKey, "")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode, response.Header
	}
	if status, _ := send("before"); status != http.StatusOK {
		t.Fatalf("answered %d", status)
	}
	ask(t, s, "POST", "/api/v1/flush", "", 204, nil)
	limit(20) // a segment's header has more
	for _, id := range []string{"full-1", "full-2"} {
		if status, header := send(id); status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
			t.Errorf("on a full disk answered %d with %v", status, header)
		}
	}
	ask(t, s, "GET", "/readyz", "", 503, nil)
	limit(before.Cur)
	if status, _ := send("after"); status != http.StatusOK {
		t.Fatalf("when there is room again answered %d", status)
	}
	ask(t, s, "GET", "/readyz", "", 200, nil)
	ask(t, s, "POST", "/api/v1/flush", "", 204, nil)
	var p previewed
	ask(t, s, "POST", "/api/v1/segments/preview", `{"definition":{"event":"e","count":{"op":"eq","value":2}}}`, 200, &p)
	if p.Count != 1 {
		t.Error("what was acknowledged is not there once")
	}
}
