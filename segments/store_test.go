package segments_test

import (
	"testing"

	"muster"
	"muster/clickhouse/clickhousetest"
	"muster/queries"
	"muster/segments"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

func decode(t *testing.T, text string) queries.Definition {
	t.Helper()
	d, err := queries.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestRevisions follows a segment from its first revision to its end.
func TestRevisions(t *testing.T) {
	store := segments.NewStore(clickhousetest.DB(t))
	ctx := t.Context()
	draft := segments.Draft{Name: "Everyone", Definition: decode(t, `{"everyone":true}`)}
	first, err := store.Create(ctx, 1, draft, "ann")
	if err != nil {
		t.Fatal(err)
	}
	user, err := store.Create(ctx, 1, segments.Draft{Name: "User", Definition: decode(t, `{"segment":"`+first.ID+`"}`)}, "ann")
	if err != nil {
		t.Fatal(err)
	}
	draft.Definition = decode(t, `{"identified":true}`)
	second, err := store.Replace(ctx, 1, first.ID, first.Revision, draft, "bob")
	if err != nil {
		t.Fatal(err)
	}
	if second.Revision != 2 || !second.CreatedAt.Equal(first.CreatedAt) || second.Author != "bob" {
		t.Errorf("the second revision is %+v", second)
	}
	if _, err := store.Replace(ctx, 1, first.ID, first.Revision, draft, "cat"); muster.CodeOf(err) != muster.Stale {
		t.Errorf("replacing a revision that is not current: %v, want stale", err)
	}
	if _, err := store.Get(ctx, 2, first.ID); muster.CodeOf(err) != muster.NotFound {
		t.Errorf("another project reads the segment: %v, want not found", err)
	}
	all, err := store.Revisions(ctx, 1, first.ID)
	if err != nil || len(all) != 2 || all[1].Revision != 1 || queries.Sentence(all[1].Definition) != "everyone" {
		t.Errorf("the revisions are %+v, %v", all, err)
	}
	if err := store.Delete(ctx, 1, first.ID, 0, "ann"); muster.CodeOf(err) != muster.Conflict {
		t.Errorf("deleting a segment in use: %v, want a conflict", err)
	}
	if err := store.Delete(ctx, 1, user.ID, 0, "ann"); err != nil {
		t.Fatal(err)
	}
	if err := store.Delete(ctx, 1, first.ID, 0, "ann"); err != nil {
		t.Errorf("deleting what nobody uses any more: %v", err)
	}
	list, err := store.List(ctx, 1)
	if err != nil || len(list) != 0 {
		t.Errorf("the list is %+v, %v, want none", list, err)
	}
}
