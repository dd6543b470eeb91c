package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/clickhouse"
)

type compiled struct {
	cost

	Statements []struct {
		Purpose, SQL string
		Parameters   map[string]string
	}
	Plan struct {
		Sources []struct {
			Table, Reads string
			Leaves       []int
			Rows, Marks  uint64
		}
		Leaves []struct {
			Leaf      int
			Condition string
		}
		Set string
	}
	Sentence string
}

// What is shown is what is run: the statement is run here, and must count what the preview counts.
func TestSQL(t *testing.T) {
	h := newHouse(t)
	day := time.Now().Add(-24 * time.Hour)
	h.send(
		identify("ann", `{"plan":"pro"}`), track("ann", "bought", day, `{"amount":5}`), track("ann", "bought", day.Add(time.Hour), `{"amount":5}`),
		identify("bob", `{"plan":"pro"}`), track("bob", "bought", day, `{"amount":50}`), track("ann", "left", day, `{}`),
	)
	definition := `{"all":[{"attribute":"plan","op":"equals","value":"pro"},{"identified":true},
		{"any":[{"event":"bought","count":{"op":"gte","value":2},"within":"7d"},{"event":"bought","where":{"property":"amount","op":"gt","value":9}}]},
		{"not":{"sequence":[{"event":"bought"},{"event":"left","where":{"property":"why","op":"exists"}}],"complete_within":"1d"}},
		{"attribute":"sessions","op":"gte","value":1},{"not":{"attribute":"plan","op":"equals","value":"pro' {x:String} ?"}},
		{"at_least":2,"of":[{"attribute":"plan","op":"exists"},{"attribute":"last_seen","op":"within_last","value":"2d"},{"event":"bought","aggregate":{"fn":"sum","property":"amount"},"op":"gt","value":1}]}]}`
	var c compiled
	h.ask("POST", "/segments/sql", `{"definition":`+definition+`,"as_of":"2030-01-01T00:00:00Z"}`, http.StatusOK, &c)
	if c.AsOf.Format(time.RFC3339) != "2030-01-01T00:00:00Z" || c.ElapsedMS == nil || len(c.Statements) != 2 {
		t.Fatalf("the answer is %+v", c)
	}
	got := h.matching(definition, `"as_of":"2030-01-01T00:00:00Z"`)
	for i, purpose := range []string{"count", "preview"} {
		statement := c.Statements[i]
		if statement.Purpose != purpose {
			t.Errorf("statement %d is for %q", i, statement.Purpose)
		}
		if strings.Contains(statement.SQL, "'pro") {
			t.Errorf("%s: a value is in the statement's text", purpose)
		}
		var target uint16
		var count, of uint64
		var sample, found []uint32
		into := []any{&target, &count, &of, &sample}
		if purpose == "preview" {
			into = append(into, &found)
		}
		if err := h.db.QueryRow(clickhouse.WithParameters(t.Context(), statement.Parameters), statement.SQL).Scan(into...); err != nil {
			t.Fatal(err)
		}
		if of != 2 || uint64(len(got)) != count || len(found) > 0 {
			t.Errorf("the statement for %s counts %d of %d and finds %v, and %v match", purpose, count, of, found, got)
		}
	}
	var reads []string
	leaves := map[int]bool{}
	for _, s := range c.Plan.Sources {
		reads = append(reads, s.Table+": "+s.Reads)
		for _, n := range s.Leaves {
			if leaves[n] {
				t.Errorf("leaf %d comes out of two sources", n)
			}
			leaves[n] = true
		}
		if s.Rows == 0 || s.Marks == 0 {
			t.Errorf("%s has no rows", s.Reads)
		}
	}
	want := []string{
		"actors: identified users", "latest_attributes: attribute plan", "activity: attribute last_seen", "events: attribute sessions",
		"events: event bought", "events: events bought, left, by user and time",
	}
	slices.Sort(reads)
	slices.Sort(want)
	if !slices.Equal(reads, want) {
		t.Errorf("the sources are %q, want %q", reads, want)
	}
	var conditions []string
	for _, l := range c.Plan.Leaves {
		if !leaves[l.Leaf] {
			t.Errorf("leaf %d comes out of no source", l.Leaf)
		}
		conditions = append(conditions, l.Condition)
	}
	for _, condition := range []string{
		"is identified", "plan is pro", "plan is known", "did bought where amount is more than 9 before 2030-01-01T00:00:00.001Z",
		"did bought from 2029-12-25T00:00:00.001Z to before 2030-01-01T00:00:00.001Z, at least 2 times",
		"did bought before 2030-01-01T00:00:00.001Z, sum of amount is more than 1",
		"did bought, then left where why is known, all within 1 day before 2030-01-01T00:00:00.001Z",
		"last_seen is from 2029-12-30T00:00:00.001Z to before 2030-01-01T00:00:00.001Z",
	} {
		if !slices.Contains(conditions, condition) {
			t.Errorf("no leaf is %q; they are %q", condition, conditions)
		}
	}
	if len(conditions) != len(leaves) || !strings.Contains(c.Plan.Set, "at least 2 of (") || !strings.Contains(c.Plan.Set, " or ") || !strings.Contains(c.Plan.Set, "not ") {
		t.Errorf("the set is %q", c.Plan.Set)
	}

	seg := h.save("Some", `{"attribute":"plan","op":"equals","value":"pro"}`)
	var saved compiled
	h.ask("GET", "/segments/"+seg+"/sql?as_of=2030-01-01T00:00:00Z", "", http.StatusOK, &saved)
	if saved.Sentence != "plan is pro" || saved.Plan.Set != "1" || !strings.Contains(saved.Statements[0].SQL, "FROM results") {
		t.Errorf("the segment's SQL is %+v", saved)
	}
	h.refuse(t, []refusal{
		{name: "no segment", method: "GET", path: "/segments/nope/sql", status: 404, code: "not_found", hint: "lists them"},
		{
			name: "an operator that is none", method: "POST", path: "/segments/sql", body: `{"definition":{"attribute":"a","op":"equal","value":1}}`,
			status: 400, code: "invalid_definition", issue: "unknown_operator", pointer: "/definition/op", hint: "docs/segments.md",
		},
		{
			name: "an unknown segment", method: "POST", path: "/segments/sql", body: `{"definition":{"segment":"nope"}}`,
			status: 400, code: "invalid_definition", issue: "unknown_segment", pointer: "/definition/segment",
		},
	})
}
