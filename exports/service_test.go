package exports

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"muster"
)

// one returns a world with one user, who is the only member.
func one(t *testing.T) (*world, Run) {
	t.Helper()
	w := newWorld(t)
	w.says(project, w.actor(project, 1, 0, muster.Identified, "ann"), 1, "plan", "pro")
	w.index()
	return w, w.run(1)
}

func TestCreateRefuses(t *testing.T) {
	w := newWorld(t)
	s := w.service(t.TempDir(), pinned(Run{}))
	for _, c := range []struct {
		request Request
		want    string // pointer and code of each issue
	}{
		{Request{}, "/dataset unknown_dataset, /segment required"},
		{Request{Dataset: "members", Segment: "s", Format: "csv"}, "/format unknown_format"},
		{Request{Dataset: "members", Segment: "s", Attributes: []string{"a", "", "b", "a"}}, "/attributes/1 required, /attributes/3 repeated"},
		{Request{Dataset: "members", Segment: "s", Attributes: []string{"\xff"}}, "/attributes/0 invalid_text"},
		{Request{Dataset: "members", Segment: "s", Attributes: []string{"a", "A", "user_id"}}, ""},
	} {
		_, err := s.Create(t.Context(), project, c.request)
		var got []string
		if e, ok := errors.AsType[*muster.Error](err); ok {
			for _, issue := range e.Issues {
				got = append(got, issue.Pointer+" "+issue.Code)
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%+v: %v, want issues %q", c.request, err, c.want)
		}
	}
	var many []string
	for i := range maxAttributes + 1 {
		many = append(many, fmt.Sprint(i))
	}
	_, err := s.Create(t.Context(), project, Request{Dataset: "members", Segment: "s", Attributes: many})
	if muster.CodeOf(err) != muster.InvalidArgument {
		t.Errorf("%d attributes: %v", len(many), err)
	}
}

func TestOpen(t *testing.T) {
	w, run := one(t)
	dir := t.TempDir()
	s := w.service(dir, pinned(run))
	e := create(t, s)
	if _, _, err := s.Open(t.Context(), project, e.ID, ManifestName); muster.CodeOf(err) != muster.NotFound {
		t.Errorf("the manifest of a queued export: %v", err)
	}
	finished(t, s, e.ID)
	content(t, s, e.ID, "part-00000.parquet")
	content(t, s, e.ID, ManifestName)
	if err := os.WriteFile(filepath.Join(s.folder(project, e.ID), "stray"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"", ".", "..", "stray", "part-00001.parquet", "PART-00000.parquet", "./manifest.json", "../" + e.ID.String() + "/manifest.json",
		"../../owner", filepath.Join(dir, "owner"), "manifest.json\x00", "part-00000.parquet/",
	} {
		if f, _, err := s.Open(t.Context(), project, e.ID, name); muster.CodeOf(err) != muster.NotFound {
			t.Errorf("%q: %v, %v, want not found", name, f, err)
		}
	}
	if _, _, err := s.Open(t.Context(), 2, e.ID, ManifestName); muster.CodeOf(err) != muster.NotFound {
		t.Errorf("another project's manifest: %v", err)
	}
	if _, err := s.Get(t.Context(), 2, e.ID); muster.CodeOf(err) != muster.NotFound {
		t.Errorf("another project's export: %v", err)
	}
	if err := os.RemoveAll(s.folder(project, e.ID)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Open(t.Context(), project, e.ID, ManifestName); muster.CodeOf(err) != muster.NotFound {
		t.Errorf("a dataset that is gone: %v", err)
	}
}

func TestList(t *testing.T) {
	w := newWorld(t)
	s := w.service(t.TempDir(), pinned(Run{}))
	var want []uuid.UUID
	for range 5 {
		want = append(want, create(t, s, "plan").ID)
	}
	slices.Reverse(want)
	var got []uuid.UUID
	for cursor, pages := "", 0; ; pages++ {
		page, err := s.List(t.Context(), project, cursor, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Exports {
			got = append(got, e.ID)
			if e.Status != Queued || e.Request.Segment != "pro" || !slices.Equal(e.Request.Attributes, []string{"plan"}) || e.Files == nil {
				t.Errorf("a listed export is %+v", e)
			}
		}
		if page.Next == nil {
			if pages != 2 {
				t.Errorf("%d full pages before the last, want 2", pages)
			}
			break
		}
		cursor = *page.Next
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
	if page, err := s.List(t.Context(), 2, "", 10); err != nil || len(page.Exports) != 0 {
		t.Errorf("another project lists %v, %v", page, err)
	}
	if _, err := s.List(t.Context(), project, "x", 10); muster.CodeOf(err) != muster.InvalidArgument {
		t.Errorf("a cursor of nobody's: %v", err)
	}
}

// TestRestart ends a service in the middle of an export and starts another over the same directory.
func TestRestart(t *testing.T) {
	w, run := one(t)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	first := w.service(dir, pinned(run))
	first.create = func(path string) (*os.File, error) {
		if filepath.Base(path) == ManifestName {
			cancel() // all rows are written, and the manifest is not
			return nil, ctx.Err()
		}
		return createFile(path)
	}
	e := create(t, first, "plan")
	foreign := create(t, w.service(t.TempDir(), pinned(run)))
	if err := first.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if e, err := first.Get(t.Context(), project, e.ID); err != nil || e.Status != Running {
		t.Fatalf("the export that was interrupted is %+v, %v", e, err)
	}
	// One that is stopped cleans up; one that is killed leaves something like this.
	left := filepath.Join(dir, unfinished+e.ID.String())
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "part-00000.parquet"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}

	second := w.service(dir, pinned(run))
	if got := names(t, dir); slices.Contains(got, filepath.Base(left)) {
		t.Errorf("after the start the directory has %q", got)
	}
	if done := finished(t, second, e.ID); done.Rows != 1 {
		t.Errorf("the export is %+v", done)
	}
	content(t, second, e.ID, "part-00000.parquet")
	if e, err := second.Get(t.Context(), project, foreign.ID); err != nil || e.Status != Queued {
		t.Errorf("the export of another directory is %+v, %v", e, err)
	}
}

// TestPublishedIsKept records a dataset that a process published just before it ended; it is not written again.
func TestPublishedIsKept(t *testing.T) {
	w, run := one(t)
	s := w.service(t.TempDir(), pinned(run))
	e := create(t, s, "plan")
	whole, err := s.write(t.Context(), project, e)
	if err != nil {
		t.Fatal(err)
	}
	s.cfg.Members = func(context.Context, muster.ProjectID, string) (Run, error) {
		return Run{}, errors.New("asked again")
	}
	e = finished(t, s, e.ID)
	if e.Rows != 1 || !slices.Equal(e.Files, whole.files) || e.manifest != whole.manifest {
		t.Errorf("the export is %+v, and the dataset %+v", e, whole)
	}
	content(t, s, e.ID, ManifestName)
}

// TestFailures makes exports fail, and looks at what is said and what is left.
func TestFailures(t *testing.T) {
	w, run := one(t)
	for _, c := range []struct {
		name string
		err  error // of Members, at every attempt
		want string
	}{
		{"no segment", &muster.Error{Code: muster.NotFound, Detail: "there is no segment \"pro\""}, "there is no segment \"pro\""},
		{"ours", errors.New("secret"), "something went wrong on our side; the service's log says what"},
		{"down", &muster.Error{Code: muster.Unavailable, Detail: "not now", Hint: "later"}, "not now; later"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := w.service(t.TempDir(), func(context.Context, muster.ProjectID, string) (Run, error) { return Run{}, c.err })
			e := finish(t, s, create(t, s).ID)
			if e.Status != Failed || e.Error != c.want || e.Files == nil || e.Manifest != "" {
				t.Errorf("the export is %+v, want error %q", e, c.want)
			}
			if left := names(t, s.cfg.Dir); !slices.Equal(left, []string{"owner"}) {
				t.Errorf("the directory has %q", left)
			}
		})
	}
	t.Run("down for a moment", func(t *testing.T) {
		calls := 0
		s := w.service(t.TempDir(), func(context.Context, muster.ProjectID, string) (Run, error) {
			if calls++; calls < attempts {
				return Run{}, &muster.Error{Code: muster.Unavailable, Detail: "not now"}
			}
			return run, nil
		})
		if e := finished(t, s, create(t, s).ID); e.Rows != 1 {
			t.Errorf("the export is %+v", e)
		}
	})
}
