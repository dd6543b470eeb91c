package main

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"muster/ingest"
)

type myself struct {
	User     *string
	Segments []struct{ ID, Name string }
	AsOf     time.Time `json:"as_of"`
}

// askMe asks as a page does, without headers of its own.
func askMe(t *testing.T, s *service, query string) (int, myself) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url()+"/v1/me/segments?"+query, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("a page may not read the answer to %s", query)
	}
	var me myself
	if response.StatusCode == http.StatusOK {
		if err := json.NewDecoder(response.Body).Decode(&me); err != nil {
			t.Fatal(err)
		}
	} else if response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") == "" {
		t.Error("an answer that is not there yet does not say when it is")
	}
	return response.StatusCode, me
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came to be that " + what)
		}
	}
}

// TestLiveSegments asks for a user's segments while traffic moves the user in and out.
func TestLiveSegments(t *testing.T) {
	s := startTest(t, t.TempDir())
	defer s.close()
	write, secret := "writeKey="+s.keyFile.WriteKey, "writeKey="+s.keyFile.SecretKey
	var pro, all struct{ ID string }
	ask(t, s, "POST", "/api/v1/segments",
		`{"name":"Pro","live":true,"browser_visible":true,"definition":{"attribute":"plan","op":"equals","value":"pro"}}`, 201, &pro)
	ask(t, s, "POST", "/api/v1/segments", `{"name":"All","live":true,"definition":{"everyone":true}}`, 201, &all)
	ask(t, s, "POST", "/v1/identify", `{"userId":"ann","anonymousId":"a1","traits":{"plan":"pro"}}`, 200, nil)
	in := func(query string) map[string]bool {
		status, me := askMe(t, s, query)
		if status != http.StatusOK && status != http.StatusServiceUnavailable {
			t.Fatalf("%s answers %d", query, status)
		}
		ids := map[string]bool{}
		for _, seg := range me.Segments {
			ids[seg.ID] = true
		}
		return ids
	}
	eventually(t, "ann is pro", func() bool { return in(write + "&user_id=ann")[pro.ID] })
	if ids := in(write + "&anonymous_id=a1"); !ids[pro.ID] || ids[all.ID] {
		t.Errorf("to a page ann's browser is in %v", ids)
	}
	if ids := in(secret + "&user_id=ann"); !ids[pro.ID] || !ids[all.ID] {
		t.Errorf("to a server ann is in %v", ids)
	}
	if status, me := askMe(t, s, secret+"&user_id=nobody"); status != http.StatusOK || me.User != nil || me.Segments == nil || len(me.Segments) != 0 {
		t.Errorf("a user nobody has heard of: %d, %+v", status, me)
	}
	for query, want := range map[string]int{write: 400, "user_id=ann": 401, "writeKey=wrong&user_id=ann": 401} {
		if status, _ := askMe(t, s, query); status != want {
			t.Errorf("%s answers %d, want %d", query, status, want)
		}
	}

	_, me := askMe(t, s, secret+"&user_id=ann")
	var of myself
	ask(t, s, "POST", "/api/v1/users/"+*me.User+"/segments", `{"segments":["`+all.ID+`"]}`, 200, &of)
	if len(of.Segments) != 1 || of.Segments[0].Name != "All" || *of.User != *me.User {
		t.Errorf("of all segments ann is in %+v", of)
	}
	ask(t, s, "POST", "/api/v1/users/"+*me.User+"/segments", `{}`, 200, &of)
	if len(of.Segments) != 2 {
		t.Errorf("ann is in %+v, want both", of)
	}
	ask(t, s, "POST", "/api/v1/users/"+*me.User+"/segments", `{"segments":["nope"]}`, 400, nil)
	ask(t, s, "POST", "/api/v1/users/0000000000000002/segments", `{}`, 404, nil)

	// An export materializes the segment by itself, between two ticks.
	var export struct {
		ID, Status string
		Rows       int
	}
	ask(t, s, "POST", "/api/v1/exports", `{"dataset":"members","segment":"`+pro.ID+`","format":"parquet"}`, 202, &export)
	eventually(t, "the export is done", func() bool {
		ask(t, s, "GET", "/api/v1/exports/"+export.ID, "", 200, &export)
		return export.Status == "done"
	})
	if export.Rows != 1 {
		t.Errorf("the export is %+v, want ann alone", export)
	}

	ask(t, s, "POST", "/v1/identify", `{"userId":"ann","traits":{"plan":"free"}}`, 200, nil)
	eventually(t, "ann is pro no more", func() bool { return !in(write + "&user_id=ann")[pro.ID] })
	var seg struct {
		LastRun  struct{ Size, Exited int } `json:"last_run"`
		LiveAsOf time.Time                  `json:"live_as_of"`
	}
	ask(t, s, "GET", "/api/v1/segments/"+pro.ID, "", 200, &seg)
	if seg.LastRun.Size != 0 || seg.LastRun.Exited != 1 || time.Since(seg.LiveAsOf) > 2*time.Minute {
		t.Errorf("the segment says %+v", seg)
	}
	var changes struct {
		Changes []struct{ Change string }
	}
	ask(t, s, "GET", "/api/v1/segments/"+pro.ID+"/changes", "", 200, &changes)
	if len(changes.Changes) != 2 || changes.Changes[0].Change != "entered" || changes.Changes[1].Change != "exited" {
		t.Errorf("the changes are %+v, want that ann entered and exited", changes)
	}

	var document struct{ Paths map[string]any }
	ask(t, s, "GET", "/openapi.json", "", 200, &document)
	if document.Paths["/v1/me/segments"] == nil {
		t.Error("the document of the API does not tell of /v1/me/segments")
	}
	var project struct {
		IdentifySecret string `json:"identify_secret"`
	}
	ask(t, s, "PUT", "/api/v1/project", `{"signed_identify":true}`, 200, &project)
	signed := "&signature=" + ingest.Sign(project.IdentifySecret, "ann")
	for query, want := range map[string]int{
		write + "&user_id=ann": 401, write + "&user_id=ann" + signed: 200, write + "&user_id=bob" + signed: 401, secret + "&user_id=ann": 200,
	} {
		if status, _ := askMe(t, s, query); status != want {
			t.Errorf("where identification must be signed, %s answers %d, want %d", query, status, want)
		}
	}
}
