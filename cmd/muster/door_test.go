package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"muster/ingest"
)

type rejectionList struct {
	Rejections []struct{ ID, Code, Pointer, Message string }
	Counts     map[string]int
	Next       *string
}

// TestRejections is what an operator does about a client that sends nonsense: look, mend, replay.
func TestRejections(t *testing.T) {
	dir := t.TempDir()
	s := startTest(t, dir)
	closed := false
	defer func() {
		if !closed {
			s.close()
		}
	}()
	ask(t, s, "PUT", "/api/v1/project", `{"signed_identify":true}`, 200, nil)
	var answer struct {
		Accepted int
		Rejected []struct{ Code string }
	}
	ask(t, s, "POST", "/v1/batch", `{"batch":[{"type":"identify","userId":"ann","traits":{"plan":"pro"}},{"type":"track","userId":"ann","event":"e"},{"type":"track","event":"e"}]}`, 200, &answer)
	if answer.Accepted != 1 || len(answer.Rejected) != 2 || answer.Rejected[0].Code != "invalid_signature" {
		t.Fatalf("answered %+v", answer)
	}
	s.close() // and they survive a restart
	closed = true
	s = startTest(t, dir)
	defer s.close()
	ask(t, s, "POST", "/api/v1/flush", "", 204, nil)
	var list rejectionList
	ask(t, s, "GET", "/api/v1/rejections?limit=1", "", 200, &list)
	if len(list.Rejections) != 1 || list.Rejections[0].Code != "missing_id" || list.Rejections[0].Pointer != "/batch/2" ||
		list.Rejections[0].Message != `{"type":"track","event":"e"}` || list.Next == nil || list.Counts["invalid_signature"] != 1 || list.Counts["missing_id"] != 1 {
		t.Fatalf("the first page is %+v", list)
	}
	ask(t, s, "GET", "/api/v1/rejections?limit=1&cursor="+*list.Next, "", 200, &list)
	if len(list.Rejections) != 1 || list.Rejections[0].Code != "invalid_signature" {
		t.Fatalf("the second page is %+v", list)
	}
	ask(t, s, "GET", "/api/v1/rejections?cursor=nonsense", "", 400, nil)
	ask(t, s, "GET", "/api/v1/rejections?code=%27", "", 400, nil)

	var replayed struct {
		Selected, Accepted int
		Rejected           map[string]int
	}
	var settings struct {
		IdentifySecret string `json:"identify_secret"`
		Revision       int
	}
	ask(t, s, "PUT", "/api/v1/project", `{"signed_identify":false,"time_zone":"Europe/Paris"}`, 200, &settings)
	if settings.Revision != 2 || settings.IdentifySecret == "" {
		t.Errorf("the settings are %+v", settings)
	}
	ask(t, s, "POST", "/api/v1/rejections/replay", `{"code":"invalid_signature"}`, 200, &replayed)
	if replayed.Selected != 1 || replayed.Accepted != 1 || len(replayed.Rejected) != 0 {
		t.Errorf("replayed %+v", replayed)
	}
	ask(t, s, "POST", "/api/v1/rejections/replay", `{}`, 200, &replayed)
	if replayed.Selected != 1 || replayed.Accepted != 0 || replayed.Rejected["missing_id"] != 1 {
		t.Errorf("replayed %+v", replayed)
	}
	ask(t, s, "POST", "/api/v1/flush", "", 204, nil)
	var preview previewed
	ask(t, s, "POST", "/api/v1/segments/preview", `{"definition":{"attribute":"plan","op":"equals","value":"pro"}}`, 200, &preview)
	if preview.Count != 1 {
		t.Errorf("%d users have the attribute that was replayed", preview.Count)
	}
	ask(t, s, "PUT", "/api/v1/project", `{"signed_identify":true}`, 200, nil)
	ask(t, s, "POST", "/v1/identify", `{"userId":"bob","signature":"`+ingest.Sign(settings.IdentifySecret, "bob")+`"}`, 200, nil)
	ask(t, s, "POST", "/v1/identify", `{"userId":"bob","signature":"`+ingest.Sign("another", "bob")+`"}`, 400, nil)
}

// TestMetrics checks that what happens is counted, by what it is.
func TestMetrics(t *testing.T) {
	s := startTest(t, t.TempDir())
	defer s.close()
	for range 2 {
		ask(t, s, "POST", "/v1/batch", `{"batch":[{"type":"track","userId":"u","event":"e","messageId":"m"},{"type":"track","event":"e"}]}`, 200, nil)
	}
	ask(t, s, "POST", "/v1/track", `{"userId":"u"}`, 400, nil)
	ask(t, s, "POST", "/api/v1/flush", "", 204, nil)
	response, err := http.Get(s.url() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"muster_messages_accepted_total 2", `muster_messages_rejected_total{code="missing_id"} 2`,
		`muster_messages_rejected_total{code="missing_field"} 1`, `muster_requests_refused_total{code="invalid_argument"} 1`,
		"muster_messages_rejected_unkept_total 0", "muster_drain_messages_total 1", "muster_drain_repeats_total 1", "muster_drain_refused_total 0",
		"muster_drain_failures_total 0", "muster_spool_bytes 0", "muster_spool_segments 0", "muster_spool_oldest_seconds 0",
		fmt.Sprintf("muster_spool_limit_bytes %g", float64(defaultMaxSpool)), "muster_engine_restarts_total 0",
	} {
		if !strings.Contains(string(text), "\n"+line+"\n") {
			name, _, _ := strings.Cut(line, " ")
			t.Errorf("not %q, but %q", line, grep(string(text), name))
		}
	}
	if !strings.Contains(string(text), `muster_insert_seconds_count{table="events"}`) {
		t.Error("the time of inserts is not measured")
	}
}

func grep(text, what string) (found []string) {
	for line := range strings.Lines(text) {
		if strings.Contains(line, what) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}
