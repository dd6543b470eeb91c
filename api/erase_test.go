package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"muster"
)

// TestErase erases a user and looks everywhere: now and then, in lists, previews and memberships that were kept before.
func TestErase(t *testing.T) {
	h := newHouse(t)
	hour := time.Now().Add(-time.Hour).UTC().Truncate(time.Millisecond)
	h.send(
		identify("bob", `{"plan":"pro"}`), track("bob", "bought", hour, `{"amount":5}`),
		identify("ann", `{"plan":"pro"}`), track("ann", "bought", hour, `{"amount":7}`),
		`{"type":"track","anonymousId":"v1","event":"bought"}`,
	)
	buyers := `{"event":"bought"}`
	seg := h.save("Buyers", buyers)
	materialize := func() (run struct {
		Run                   string
		Size, Entered, Exited int
	},
	) {
		t.Helper()
		h.ask("POST", "/segments/"+seg+"/materialize", "", http.StatusOK, &run)
		return run
	}
	if run := materialize(); run.Size != 3 || run.Entered != 3 {
		t.Fatalf("the first run is %+v", run)
	}
	then := time.Now().UTC()
	// The visitor turns out to be ann: the old run knows her twice.
	h.send(`{"type":"identify","userId":"ann","anonymousId":"v1"}`, `{"type":"alias","userId":"ann","previousId":"annie"}`)
	if run := materialize(); run.Size != 2 || run.Exited != 1 {
		t.Fatalf("the second run is %+v", run)
	}
	h.acknowledge(track("ann", "bought", hour, `{"amount":9}`)) // she may still be in the spool
	ann := h.address("ann")

	h.ask("DELETE", "/users/"+ann, "", http.StatusNoContent, nil)

	for _, more := range []string{
		`"limit":1000`, fmt.Sprintf(`"as_of":%q`, then.Format(time.RFC3339Nano)), fmt.Sprintf(`"known_at":%q`, then.Format(time.RFC3339Nano)),
	} {
		for _, definition := range []string{
			`{"everyone":true}`, buyers, `{"attribute":"plan","op":"exists"}`, `{"any":[{"identified":true},{"identified":false}]}`,
			`{"not":{"event":"never happened"}}`,
		} {
			body := `{"definition":` + definition + `,` + more + `}`
			var page listed
			h.ask("POST", "/users/query", body, http.StatusOK, &page)
			if got := namesOf(page.Users); page.Total != 1 || !slices.Equal(got, []string{"bob"}) {
				t.Errorf("%s gives %d users: %v; want bob alone", body, page.Total, got)
			}
		}
	}
	var previewed struct{ Count, Of int }
	h.ask("POST", "/segments/preview", `{"definition":`+buyers+`}`, http.StatusOK, &previewed)
	if previewed.Count != 1 || previewed.Of != 1 {
		t.Errorf("the preview is %+v, want 1 of 1", previewed)
	}
	var runs struct {
		Runs []struct{ Size, Entered, Exited int }
	}
	h.ask("GET", "/segments/"+seg+"/runs", "", http.StatusOK, &runs)
	for i, run := range runs.Runs {
		entered := i // bob entered in the older run, the second of the list; nobody exited
		if run.Size != 1 || run.Entered != entered || run.Exited != 0 {
			t.Errorf("run %d from the end counts %+v, want bob alone", i+1, run)
		}
	}
	var members listed
	h.ask("GET", "/segments/"+seg+"/members?as_of="+then.Format(time.RFC3339Nano), "", http.StatusOK, &members)
	if got := namesOf(members.Users); members.Total != 1 || !slices.Equal(got, []string{"bob"}) {
		t.Errorf("the members then are %d: %v, want bob", members.Total, got)
	}
	if run := materialize(); run.Size != 1 || run.Entered != 0 || run.Exited != 0 {
		t.Errorf("the run after is %+v: an erased user did not exit, there never was one", run)
	}
	actors := []muster.Actor{
		muster.NewActor(h.project.ID, muster.Identified, "ann"), muster.NewActor(h.project.ID, muster.Identified, "annie"),
		muster.NewActor(h.project.ID, muster.Anonymous, "v1"),
	}
	for table, columns := range columnsOfUsers(t, h) {
		for _, column := range columns {
			if column == "uid" {
				continue
			}
			var n uint64
			if err := h.db.QueryRow(t.Context(), fmt.Sprintf("SELECT count() FROM %s WHERE %s IN (%d, %d, %d)", table, column,
				actors[0], actors[1], actors[2])).Scan(&n); err != nil {
				t.Fatal(err)
			}
			if n > 0 {
				t.Errorf("%s still has %d rows whose %s is hers", table, n, column)
			}
		}
	}
	h.refuse(t, []refusal{
		{name: "erased already", method: "DELETE", path: "/users/" + ann, status: 404, code: "not_found", hint: "list"},
		{name: "no address", method: "DELETE", path: "/users/ann", status: 400, code: "invalid_argument", hint: "16 hexadecimal digits"},
	})
}

// TestEraseTakesRejectedMessages is about messages of an erased user that were never accepted: they are gone too, those
// that still wait in the spool and those of the user's browser among them, and cannot be replayed.
func TestEraseTakesRejectedMessages(t *testing.T) {
	h := newHouse(t)
	h.send(identify("ann", `{"plan":"pro"}`), `{"type":"identify","userId":"ann","anonymousId":"v1"}`, identify("bob", `{}`))
	post := func(message string) {
		t.Helper()
		if w := h.serve(h.door, "POST", "/v1/batch", `{"batch":[`+message+`]}`, h.keys.WriteKey); w.Code != http.StatusOK {
			t.Fatal(w.Body)
		}
	}
	post(`{"type":"track","userId":"ann"}`)
	post(`{"type":"track","userId":"bob"}`)
	if err := h.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	post(`{"type":"track","anonymousId":"v1"}`) // may be in the spool still

	h.ask("DELETE", "/users/"+h.address("ann"), "", http.StatusNoContent, nil)

	var page struct {
		Rejections []struct{ Message string }
		Counts     map[string]int
	}
	h.ask("GET", "/rejections", "", http.StatusOK, &page)
	if len(page.Rejections) != 1 || page.Rejections[0].Message != `{"type":"track","userId":"bob"}` || page.Counts["missing_field"] != 1 {
		t.Errorf("kept are %+v, want bob's alone", page)
	}
	var replayed struct{ Selected int }
	h.ask("POST", "/rejections/replay", `{}`, http.StatusOK, &replayed)
	if replayed.Selected != 1 {
		t.Errorf("%d were replayed, want bob's alone", replayed.Selected)
	}
}

// columnsOfUsers lists the columns that name actors or users, by table. A table that is new here must be erased from too.
func columnsOfUsers(t *testing.T, h *house) map[string][]string {
	rows, err := h.db.Query(t.Context(), `SELECT table, groupArray(name) FROM system.columns
		WHERE database = currentDatabase() AND name IN ('actor', 'linked', 'uid')
			AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')
		GROUP BY table`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	found := map[string][]string{}
	for rows.Next() {
		var table string
		var columns []string
		if err := rows.Scan(&table, &columns); err != nil {
			t.Fatal(err)
		}
		found[table] = columns
	}
	if err := rows.Err(); err != nil || len(found) < 8 {
		t.Fatalf("only %v name users, %v", found, err)
	}
	return found
}

// TestErasedIDsComeBackAsNewUsers is about what is sent after an erasure: it makes a user without a history, under a uid
// that nobody had.
func TestErasedIDsComeBackAsNewUsers(t *testing.T) {
	h := newHouse(t)
	hour := time.Now().Add(-time.Hour)
	h.send(identify("bob", `{}`))
	h.send(identify("ann", `{"plan":"pro"}`), track("ann", "bought", hour, `{}`)) // with the highest uid
	seg := h.save("Everybody", `{"everyone":true}`)
	h.ask("POST", "/segments/"+seg+"/materialize", "", http.StatusOK, nil)
	for range 3 { // each time anew
		address, uid := h.address("ann"), h.uid("ann")
		h.ask("DELETE", "/users/"+address, "", http.StatusNoContent, nil)
		if got := h.matching(`{"everyone":true}`); !slices.Equal(got, []string{"bob"}) {
			t.Fatalf("the users are %v, want bob", got)
		}
		h.send(identify("ann", `{"seats":3}`))
		if got := h.matching(`{"everyone":true}`); !slices.Equal(got, []string{"ann", "bob"}) {
			t.Fatalf("the users are %v, want ann again", got)
		}
		if again := h.uid("ann"); again <= uid {
			t.Errorf("the new user has uid %d, the erased one had %d", again, uid)
		}
		if got := h.matching(`{"any":[{"event":"bought"},{"attribute":"plan","op":"exists"}]}`); len(got) > 0 {
			t.Errorf("%v have a history that was erased", got)
		}
		var members listed
		h.ask("GET", "/segments/"+seg+"/members", "", http.StatusOK, &members)
		if got := namesOf(members.Users); members.Total != 1 || !slices.Equal(got, []string{"bob"}) {
			t.Errorf("the members of the old run are %d: %v, want bob", members.Total, got)
		}
	}
}

func (h *house) uid(user string) uint32 {
	h.t.Helper()
	var uid uint32
	if err := h.db.QueryRow(h.t.Context(), fmt.Sprintf("SELECT uid FROM actors FINAL WHERE actor = %d",
		muster.NewActor(h.project.ID, muster.Identified, user))).Scan(&uid); err != nil {
		h.t.Fatal(err)
	}
	return uid
}
