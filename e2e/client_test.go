package e2e

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"
)

// TestPublicClientToParquet sends traffic with @segment/analytics-node, asks for a segment over it, and reads the export
// with DuckDB.
func TestPublicClientToParquet(t *testing.T) {
	s := startService(t, t.TempDir(), freeAddress(t))
	client := exec.CommandContext(t.Context(), "node", "clients/node.mjs", s.url, s.keys.WriteKey)
	if out, err := client.CombinedOutput(); err != nil {
		t.Fatalf("the client failed: %v\n%s", err, out)
	}
	s.flush(t)

	definition := map[string]any{"all": []any{
		map[string]any{"attribute": "plan", "op": "equals", "value": "pro"},
		map[string]any{
			"event": "purchase", "count": map[string]any{"op": "gte", "value": 2}, "within": "1d",
			"where": map[string]any{"property": "currency", "op": "equals", "value": "EUR"},
		},
	}}
	// user-i is pro when i is a multiple of 3, and bought i mod 5 times.
	var want []string
	for i := 1; i <= 60; i++ {
		if i%3 == 0 && i%5 >= 2 {
			want = append(want, fmt.Sprintf("user-%d", i))
		}
	}
	slices.Sort(want)

	var preview struct{ Count, Of int }
	s.call(t, http.MethodPost, "/api/v1/segments/preview", map[string]any{"definition": definition}, http.StatusOK, &preview)
	if preview.Count != len(want) || preview.Of != 61 {
		t.Errorf("preview: %d of %d users, want %d of 61", preview.Count, preview.Of, len(want))
	}

	var segment struct{ ID, Sentence string }
	s.call(t, http.MethodPost, "/api/v1/segments", map[string]any{"name": "Pro buyers", "definition": definition}, http.StatusCreated, &segment)
	var run struct {
		Size, Entered, Exited int
	}
	s.call(t, http.MethodPost, "/api/v1/segments/"+segment.ID+"/materialize", nil, http.StatusOK, &run)
	if run.Size != len(want) || run.Entered != len(want) || run.Exited != 0 {
		t.Errorf("materialized %+v, want %d members, all entered", run, len(want))
	}

	var export struct {
		ID, Status, Manifest string
		Rows                 int
		Files                []struct{ Name string }
	}
	s.call(t, http.MethodPost, "/api/v1/exports", map[string]any{
		"dataset": "members", "segment": segment.ID, "attributes": []string{"plan", "seats", "company.name"}, "format": "parquet",
	}, http.StatusAccepted, &export)
	await(t, "the export", func() bool {
		s.call(t, http.MethodGet, "/api/v1/exports/"+export.ID, nil, http.StatusOK, &export)
		return export.Status == "done" || export.Status == "failed"
	})
	if export.Status != "done" || export.Rows != len(want) || len(export.Files) != 1 {
		t.Fatalf("the export is %+v, want %d rows in one file", export, len(want))
	}
	var parquet []byte
	s.call(t, http.MethodGet, "/api/v1/exports/"+export.ID+"/files/"+export.Files[0].Name, nil, http.StatusOK, &parquet)
	path := filepath.Join(t.TempDir(), "members.parquet")
	if err := os.WriteFile(path, parquet, 0o600); err != nil {
		t.Fatal(err)
	}

	db := must[*sql.DB](t, "open DuckDB")(sql.Open("duckdb", ""))
	defer db.Close()
	rows := must[*sql.Rows](t, "read the export")(db.QueryContext(t.Context(),
		`SELECT user_id, plan, seats, "company.name" FROM read_parquet(?) ORDER BY user_id`, path))
	defer rows.Close()
	var got []string
	for rows.Next() {
		var user, plan, company string
		var seats float64
		if err := rows.Scan(&user, &plan, &seats, &company); err != nil {
			t.Fatal(err)
		}
		if plan != "pro" || user != fmt.Sprintf("user-%g", seats) || company != "Zoë & Söhne" {
			t.Errorf("%s has plan %q, seats %g and company %q", user, plan, seats, company)
		}
		got = append(got, user)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("DuckDB reads members\n%q, want\n%q", got, want)
	}
}
