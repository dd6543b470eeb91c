package segments_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"muster"
	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
	"muster/identity"
	"muster/projects"
	"muster/segments"
)

// hand is one process that changes tags: what it states is in the table at once, or later.
type hand struct {
	db      *clickhouse.DB
	message *uint64
	late    func() // called before a statement of this hand is written
}

func (h hand) state(ctx context.Context, s segments.Statement) (uint64, error) {
	if h.late != nil {
		h.late()
	}
	*h.message++
	actor := muster.NewActor(s.Project, s.Kind, s.ID)
	batch, err := h.db.PrepareBatch(ctx, `INSERT INTO attribute_snapshots (project, attribute, actor, ts, message, time, received, source, kind, list)`)
	if err != nil {
		return 0, err
	}
	if err := batch.Append(uint32(s.Project), s.Attribute, uint64(actor), s.At, *h.message, s.At, time.Now().UTC(), "native", "list", s.List); err != nil {
		return 0, err
	}
	return *h.message, batch.Send()
}

// TestTagsOfTwoProcesses lets another process change the same user's tags between what a change reads and what it writes.
func TestTagsOfTwoProcesses(t *testing.T) {
	db := clickhousetest.DB(t)
	ctx := t.Context()
	ann := muster.NewActor(1, muster.Identified, "ann")
	if err := db.Exec(ctx, `INSERT INTO actors (project, actor, uid, rank, kind, id, version) VALUES (1, `+strconv.FormatUint(uint64(ann), 10)+`, 1, 0, 'user', 'ann', 1)`); err != nil {
		t.Fatal(err)
	}
	if err := identity.NewIndex(db).Open(ctx); err != nil {
		t.Fatal(err)
	}
	evaluator := segments.NewEvaluator(db, segments.NewStore(db))
	project := projects.Project{ID: 1, Zone: time.UTC}
	var message uint64
	tagger := func(late func()) *segments.Tagger {
		made, err := segments.NewTagger(segments.TaggerConfig{
			Evaluator: evaluator, State: hand{db, &message, late}.state, Flush: func(context.Context) error { return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	change := func(by *segments.Tagger, add, remove []string) []string {
		t.Helper()
		tags, err := by.Change(ctx, project, ann, add, remove)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(tags)
		return tags
	}
	other := tagger(nil)
	change(other, []string{"old"}, nil)
	times := 0
	ours := tagger(func() {
		if times++; times <= 2 {
			change(other, []string{"theirs" + string(rune('0'+times))}, []string{"old"})
		}
	})
	if got := change(ours, []string{"ours"}, nil); !slices.Equal(got, []string{"ours", "theirs1", "theirs2"}) {
		t.Errorf("the tags are %q: one of two changes at the same time is lost", got)
	}
	if got := change(other, nil, []string{"theirs1"}); !slices.Equal(got, []string{"ours", "theirs2"}) {
		t.Errorf("the tags are %q", got)
	}
	if got := change(other, nil, []string{"ours", "theirs2"}); len(got) != 0 || got == nil {
		t.Errorf("the tags are %#v, want an empty list", got)
	}
	never := tagger(func() { change(tagger(nil), []string{time.Now().String()}, nil) })
	if _, err := never.Change(ctx, project, ann, []string{"x"}, nil); muster.CodeOf(err) != muster.Conflict {
		t.Errorf("against somebody who never stops: %v, want a conflict", err)
	}
}
