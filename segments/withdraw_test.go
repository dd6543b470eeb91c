package segments_test

import (
	"context"
	"testing"
	"time"

	"muster"
	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
	"muster/identity"
	"muster/projects"
	"muster/queries"
	"muster/segments"
)

var project = projects.Project{ID: 1, Name: "test", Zone: time.UTC}

// people makes identified users who were seen a day ago, and returns their uids by id.
func people(t *testing.T, db *clickhouse.DB, ids ...string) map[string]uint32 {
	t.Helper()
	ctx := t.Context()
	yesterday := time.Now().Add(-24 * time.Hour)
	identities, err := db.PrepareBatch(ctx, `INSERT INTO identities (project, actor, kind, link, linked, id, time)`)
	if err != nil {
		t.Fatal(err)
	}
	events, err := db.PrepareBatch(ctx, `INSERT INTO events (project, event, actor, ts, message, time, received, message_id, properties)`)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		actor := uint64(muster.NewActor(project.ID, muster.Identified, id))
		if err := identities.Append(uint32(1), actor, int8(2), int8(0), uint64(0), id, yesterday); err != nil {
			t.Fatal(err)
		}
		if err := events.Append(uint32(1), "seen", actor, yesterday, uint64(i), yesterday, yesterday, id, "{}"); err != nil {
			t.Fatal(err)
		}
	}
	if err := identities.Send(); err != nil {
		t.Fatal(err)
	}
	if err := events.Send(); err != nil {
		t.Fatal(err)
	}
	index := identity.NewIndex(db)
	if err := index.Open(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := index.Run(ctx); err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(ctx, `SELECT id, uid FROM actors FINAL`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	uids := map[string]uint32{}
	for rows.Next() {
		var id string
		var uid uint32
		if err := rows.Scan(&id, &uid); err != nil {
			t.Fatal(err)
		}
		uids[id] = uid
	}
	return uids
}

// A materialization that read a user before it was erased must not keep it afterwards. Here the record of the erasure is
// there, and the user still is too, as such a materialization sees it.
func TestMaterializingWhileAUserIsErased(t *testing.T) {
	db := clickhousetest.DB(t)
	uids := people(t, db, "ann", "bob", "cat")
	store := segments.NewStore(db)
	evaluator := segments.NewEvaluator(db, store)
	seg, err := store.Create(t.Context(), project.ID, segments.Draft{Name: "All", Definition: queries.EveryoneDefinition()}, "ann")
	if err != nil {
		t.Fatal(err)
	}
	erase := clickhouse.WithParameters(context.Background(), clickhouse.Parameters{"uids": queries.Unsigned([]uint32{uids["bob"]})})
	if err := db.Exec(erase, `INSERT INTO erased_users (project, uid) SELECT 1, arrayJoin({uids:Array(UInt32)})`); err != nil {
		t.Fatal(err)
	}
	runs, err := evaluator.Materialize(t.Context(), project, []string{seg.ID})
	if err != nil {
		t.Fatal(err)
	}
	if runs[0].Size != 2 || runs[0].Entered != 2 {
		t.Errorf("the run is %+v, want two members", runs[0])
	}
	page, run, err := evaluator.Members(t.Context(), project, seg.ID, time.Time{}, segments.PageRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Users) != 2 || page.Total != 2 || run.Size != 2 {
		t.Errorf("%d of %d members are listed, of a run of %d; want 2", len(page.Users), page.Total, run.Size)
	}
}
