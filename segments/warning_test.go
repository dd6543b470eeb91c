package segments_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/clickhouse/clickhousetest"
	"muster/segments"
)

// TestExpensive has a project of three rows and no patience.
func TestExpensive(t *testing.T) {
	db := clickhousetest.DB(t)
	people(t, db, "ann", "bob", "cat")
	evaluator := segments.NewEvaluator(db, segments.NewStore(db))
	for _, c := range []struct {
		definition string
		want       []string
	}{
		{`{"event":"seen","count":{"op":"gte","value":2}}`, []string{" put together a time window"}},
		{`{"not":{"event":"seen","count":{"op":"gte","value":2},"within":"7d"}}`, []string{"/not put together "}},
		{`{"any":[{"attribute":"sessions","op":"gte","value":2},{"sequence":[{"event":"seen"},{"event":"seen"}]}]}`, []string{
			"/any/0 sessions ", "/any/1 sorted by time a time window",
		}},
		{`{"event":"seen"}`, []string{" looked at a time window"}},
		{`{"event":"seen","last":{"op":"within_last","value":"2d"}}`, []string{" looked at "}},
		{`{"everyone":true}`, nil},
	} {
		d := decode(t, c.definition)
		patient, err := segments.NewEvaluator(db, segments.NewStore(db)).Warnings(t.Context(), project, d)
		if err != nil || len(patient) > 0 {
			t.Errorf("%s: of three rows it is warned: %+v, %v", c.definition, patient, err)
		}
		evaluator.Impatient()
		warnings, err := evaluator.Warnings(t.Context(), project, d)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range warnings {
			said := ""
			for _, words := range []string{"sessions", "put together", "sorted by time", "looked at"} {
				if said == "" && strings.Contains(w.Detail, words) {
					said = words
				}
			}
			suggested, _, _ := strings.Cut(w.Suggestion, ",")
			got = append(got, fmt.Sprintf("%s %s %s", w.Pointer, said, suggested))
			if w.Code != "expensive" || !strings.Contains(w.Detail, "about 3 rows") {
				t.Errorf("%s: the warning is %+v", c.definition, w)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: warned %q, want %q", c.definition, got, c.want)
		}
	}
}
