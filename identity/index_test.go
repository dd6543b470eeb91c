package identity

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster"
	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

func openIndex(t *testing.T, db *clickhouse.DB) *Index {
	t.Helper()
	x := NewIndex(db)
	if err := x.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return x
}

// hear puts sayings into the table traffic puts them into.
func hear(t *testing.T, db *clickhouse.DB, all ...saying) {
	t.Helper()
	batch, err := db.PrepareBatch(t.Context(), `INSERT INTO identities (project, actor, kind, link, linked, id, time)`)
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Close()
	for _, s := range all {
		if err := batch.Append(uint32(1), uint64(s.actor), int8(s.kind), int8(s.link), uint64(s.linked), s.id, s.time); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
}

// users asks the dictionary, as every query does, who is one user with whom.
func users(t *testing.T, db *clickhouse.DB) map[string]string {
	t.Helper()
	rows, err := db.Query(t.Context(), `
		WITH sent AS (SELECT DISTINCT actor, concat(if(kind = 'anonymous', '?', ''), id) AS name FROM identities),
			known AS (SELECT uid, concat(if(kind = 'anonymous', '?', ''), id) AS name FROM actors FINAL WHERE rank = 0)
		SELECT sent.name, known.name FROM sent JOIN known ON known.uid = dictGet('actor_uids', 'uid', sent.actor)`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[string]string{}
	for rows.Next() {
		var name, known string
		if err := rows.Scan(&name, &known); err != nil {
			t.Fatal(err)
		}
		if other, ok := got[name]; ok && other != known {
			t.Errorf("%s is known by %s and by %s", name, other, known)
		}
		got[name] = known
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestIndexFollowsWhatIsSaidInAnyOrder(t *testing.T) {
	db := clickhousetest.DB(t)
	x := openIndex(t, db)
	want := map[string]string{}
	for _, step := range []struct {
		said []saying
		want map[string]string
	}{
		{[]saying{visitor("a", 1), visitor("b", 2)}, map[string]string{"?a": "?a", "?b": "?b"}},
		{identify("a", "u", 3), map[string]string{"?a": "u", "u": "u"}},
		{identify("b", "u", 4), map[string]string{"?b": "u"}},            // a second device
		{identify("a", "v", 5), map[string]string{"v": "v"}},             // the browser is shared: nothing changes for the rest
		{identify("a", "u", 6), nil},                                     // said again
		{identify("c", "late", 9), map[string]string{"?c": "late"}},      // heard before what was said earlier
		{identify("c", "early", 8), map[string]string{"?c": "early"}},    // and now that
		{alias("u", "v", 10), map[string]string{"?a": "v", "?b": "v"}},   // two users are one
		{alias("v", "u", 11), nil},                                       // a ring is refused
		{identify("d", "u", 12), map[string]string{"?d": "v"}},           // and the one user goes on
		{alias("late", "early", 13), map[string]string{"late": "early"}}, // apart from everybody else
	} {
		hear(t, db, step.said...)
		if _, err := x.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, s := range step.said {
			name := s.id
			if s.kind == muster.Anonymous {
				name = "?" + name
			}
			if _, ok := want[name]; !ok {
				want[name] = name
			}
		}
		maps.Copy(want, step.want)
		if want["?a"] == "v" {
			want["u"] = "v"
		}
		if diff := cmp.Diff(want, users(t, db)); diff != "" {
			t.Fatalf("after %+v other users (-want +got):\n%s", step.said, diff)
		}
		sameUsers(t, db)
	}
	if changed, err := x.Run(t.Context()); err != nil || changed != 0 {
		t.Errorf("another run changed %d actors, %v", changed, err)
	}
	if err := db.Exec(t.Context(), `OPTIMIZE TABLE actors FINAL`); err != nil {
		t.Fatal(err)
	}
	sameUsers(t, db)
}

// sameUsers compares the users by the projection of table actors with those of its rows, before and after parts merge.
func sameUsers(t *testing.T, db *clickhouse.DB) {
	t.Helper()
	for _, condition := range []string{"rank = 0", "kind = 'user'"} {
		var got, want []uint32
		err := db.QueryRow(t.Context(), `
			SELECT arraySort(bitmapToArray(bitmapAndnot(groupBitmapStateIf(uid, `+condition+`), bitmapBuild(groupUniqArrayArray(vacated)))))
			FROM actors WHERE project = 1 SETTINGS force_optimize_projection = 1`).Scan(&got)
		if err != nil {
			t.Fatal(err)
		}
		err = db.QueryRow(t.Context(), `SELECT arraySort(groupUniqArray(uid)) FROM actors FINAL WHERE project = 1 AND `+condition).Scan(&want)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("with %s there are other users in the projection (-want +got):\n%s", condition, diff)
		}
	}
}

// Several processes may index at once: whoever comes second starts over from what the first one wrote.
func TestTwoIndexesGiveNoNumberOutTwice(t *testing.T) {
	db := clickhousetest.DB(t)
	indexes := []*Index{openIndex(t, db), openIndex(t, db), openIndex(t, db)}
	const perRound, rounds = 40, 4
	for round := range rounds {
		for i := range perRound {
			hear(t, db, identify(fmt.Sprintf("a%d-%d", round, i), fmt.Sprintf("u%d", (round*perRound+i)%100), 1+i)...)
		}
		var running sync.WaitGroup
		for _, x := range indexes {
			running.Go(func() {
				if _, err := x.Run(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
	}
	var people, roots, highest, actors uint64
	if err := db.QueryRow(t.Context(), `SELECT uniqExact(uid), countIf(rank = 0), toUInt64(max(uid)), count() FROM actors FINAL`).
		Scan(&people, &roots, &highest, &actors); err != nil {
		t.Fatal(err)
	}
	if people != 100 || roots != 100 || highest != 100 || actors != 100+perRound*rounds {
		t.Errorf("%d users of whom %d are known by somebody, numbered up to %d, with %d actors", people, roots, highest, actors)
	}
}

func TestIndexTakesManyActors(t *testing.T) {
	db := clickhousetest.DB(t)
	x := openIndex(t, db)
	const n = passSize + 1000
	if err := db.Exec(t.Context(), fmt.Sprintf(
		`INSERT INTO identities (project, actor, kind, link, linked, id, time)
		SELECT 1, number * 2 + 2, 'user', 'none', 0, toString(number), now64(3) FROM numbers(%d)`, n)); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	changed, err := x.Run(t.Context())
	if err != nil || changed != n {
		t.Errorf("%d actors were indexed, %v", changed, err)
	}
	t.Logf("%d actors took %s", n, time.Since(start))
}
