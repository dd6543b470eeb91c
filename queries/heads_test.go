package queries_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
	"muster/identity"
	"muster/queries"
)

// someUIDs are users in three buckets, one at each edge.
var someUIDs = []uint32{1, 2, 3, 1<<20 - 1, 1 << 20, 1<<20 + 1, 5 << 20}

// people makes users with the given uids who were seen long ago. The actor of a user is the number of its uid.
func people(t testing.TB, uids []uint32) *clickhouse.DB {
	t.Helper()
	db := clickhousetest.DB(t)
	actors, err := db.PrepareBatch(t.Context(), "INSERT INTO actors (project, actor, uid, rank, kind, id, version)")
	if err != nil {
		t.Fatal(err)
	}
	activity, err := db.PrepareBatch(t.Context(), "INSERT INTO activity (project, actor, first_seen, last_seen)")
	if err != nil {
		t.Fatal(err)
	}
	for _, uid := range uids {
		if err := actors.Append(uint32(project), uint64(uid), uid, uint16(0), int8(2), fmt.Sprint(uid), uint64(1)); err != nil {
			t.Fatal(err)
		}
		if err := activity.Append(uint32(project), uint64(uid), longAgo, longAgo); err != nil {
			t.Fatal(err)
		}
	}
	if err := actors.Send(); err != nil {
		t.Fatal(err)
	}
	if err := activity.Send(); err != nil {
		t.Fatal(err)
	}
	if err := identity.NewIndex(db).Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// compile plans definitions for the users of people.
func compile(t testing.TB, definitions ...string) *queries.Plan {
	t.Helper()
	targets := make([]queries.Target, len(definitions))
	for i, text := range definitions {
		d, err := queries.Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		targets[i] = queries.Target{ID: fmt.Sprintf("s%d", i), Definition: d}
	}
	plan, err := queries.Compile(queries.Scope{Project: project, Now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Zone: time.UTC}, targets)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// ids is a definition of users by their ids.
func ids(all ...uint32) string {
	quoted := make([]string, len(all))
	for i, id := range all {
		quoted[i] = fmt.Sprintf(`"%d"`, id)
	}
	return `{"attribute":"user_id","op":"in","value":[` + strings.Join(quoted, ",") + `]}`
}

func exec(t testing.TB, db *clickhouse.DB, s queries.Statement) {
	t.Helper()
	if err := db.Exec(clickhouse.WithParameters(t.Context(), s.Parameters), s.SQL); err != nil {
		t.Fatal(err)
	}
}

// kept reads what was kept of a run: per bucket its members, who entered and who exited.
func kept(t *testing.T, db *clickhouse.DB, segment string, run uuid.UUID) map[uint16][3][]uint32 {
	t.Helper()
	rows, err := db.Query(clickhouse.WithParameters(t.Context(), clickhouse.Parameters{"segment": segment, "run": run.String()}),
		`SELECT bucket, bitmapToArray(members), bitmapToArray(entered), bitmapToArray(exited) FROM segment_members
		WHERE project = 1 AND segment = {segment:String} AND run = {run:UUID}`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[uint16][3][]uint32{}
	for rows.Next() {
		var bucket uint16
		var b [3][]uint32
		if err := rows.Scan(&bucket, &b[0], &b[1], &b[2]); err != nil {
			t.Fatal(err)
		}
		if _, twice := all[bucket]; twice {
			t.Errorf("bucket %d is kept twice", bucket)
		}
		all[bucket] = b
	}
	return all
}

func TestMaterializeKeepsMembersAndMoves(t *testing.T) {
	db := people(t, someUIDs)
	none := []uint32{}
	first, second, third := uuid.UUID{1}, uuid.UUID{2}, uuid.UUID{3}
	for _, step := range []struct {
		definition    string
		run, previous uuid.UUID
		want          map[uint16][3][]uint32
	}{
		{ids(1, 2, 1<<20-1, 5<<20), first, uuid.Nil, map[uint16][3][]uint32{
			0: {{1, 2, 1<<20 - 1}, {1, 2, 1<<20 - 1}, none},
			5: {{5 << 20}, {5 << 20}, none},
		}},
		// Bucket 1 is new, bucket 5 has only those who exited.
		{ids(2, 3, 1<<20-1, 1<<20, 1<<20+1), second, first, map[uint16][3][]uint32{
			0: {{2, 3, 1<<20 - 1}, {3}, {1}},
			1: {{1 << 20, 1<<20 + 1}, {1 << 20, 1<<20 + 1}, none},
			5: {none, none, {5 << 20}},
		}},
		// Nobody any more; bucket 5 has nothing to say.
		{`{"not":{"everyone":true}}`, third, second, map[uint16][3][]uint32{
			0: {none, none, {2, 3, 1<<20 - 1}},
			1: {none, none, {1 << 20, 1<<20 + 1}},
		}},
	} {
		exec(t, db, compile(t, step.definition).Materialize([]queries.Run{{ID: step.run, Base: step.previous}}))
		if diff := cmp.Diff(step.want, kept(t, db, "s0", step.run)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.definition, diff)
		}
	}
}

// Hundreds of segments are one statement, and those that say the same are computed once.
func TestMaterializeTakesHundredsOfSegments(t *testing.T) {
	db := people(t, someUIDs)
	const segments = 500
	definitions := make([]string, segments)
	runs := make([]queries.Run, segments)
	for i := range segments {
		definitions[i] = fmt.Sprintf(`{"all":[%s,{"any":[{"attribute":"plan%d","op":"not_equals","value":"x"},{"event":"e%d","count":{"op":"gte","value":%d}}]}]}`,
			ids(someUIDs[:1+i%len(someUIDs)]...), i%20, i%30, 1+i%50)
		runs[i] = queries.Run{ID: uuid.New()}
	}
	plan := compile(t, definitions...)
	if plan.Leaves() != len(someUIDs)+20+150 || plan.Sources() != 1+20+30 {
		t.Errorf("%d leaves from %d sources", plan.Leaves(), plan.Sources())
	}
	exec(t, db, plan.Materialize(runs))
	for i, run := range runs {
		want := slices.Clone(someUIDs[:1+i%len(someUIDs)])
		var got []uint32
		buckets := kept(t, db, fmt.Sprintf("s%d", i), run.ID)
		for _, bucket := range slices.Sorted(maps.Keys(buckets)) {
			got = append(got, buckets[bucket][0]...)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("segment %d has %v, not %v", i, got, want)
		}
	}
}

func TestCountsOfSeveralTargets(t *testing.T) {
	db := people(t, someUIDs)
	statement := compile(t, `{"everyone":true}`, ids(2, 1<<20), `{"not":{"everyone":true}}`).Counts(2)
	rows, err := db.Query(clickhouse.WithParameters(t.Context(), statement.Parameters), statement.SQL)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var target uint16
		var size, of uint64
		var sample []uint32
		if err := rows.Scan(&target, &size, &of, &sample); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(target, size, of, sample))
	}
	if diff := cmp.Diff([]string{"0 7 7 [1 2]", "1 2 7 [2 1048576]", "2 0 7 []"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPagesFollowEachOther(t *testing.T) {
	db := people(t, someUIDs)
	plan := compile(t, `{"not":`+ids(3)+`}`)
	var all []uint32
	after := uint32(0)
	for range len(someUIDs) {
		statement := plan.Page(after, 2)
		var size uint64
		var page []uint32
		if err := db.QueryRow(clickhouse.WithParameters(t.Context(), statement.Parameters), statement.SQL).Scan(&size, &page); err != nil {
			t.Fatal(err)
		}
		if size != 6 {
			t.Errorf("the size is %d", size)
		}
		if all = append(all, page...); len(page) < 2 {
			break
		}
		after = page[1]
	}
	if want := []uint32{1, 2, 1<<20 - 1, 1 << 20, 1<<20 + 1, 5 << 20}; !slices.Equal(all, want) {
		t.Errorf("the pages are %v, not %v", all, want)
	}
}

// Sets that are used many times over stay columns: written out, this would be a statement of astronomical size.
func TestAtLeastHalfOfMany(t *testing.T) {
	db := people(t, someUIDs)
	for _, n := range []int{2, 3, 5, 16, 64} {
		conditions := make([]string, n)
		for i := range n {
			conditions[i] = fmt.Sprintf(`{"any":[%s,{"attribute":"a%d","op":"exists"}]}`, ids(someUIDs[:1+i%len(someUIDs)]...), i%3)
		}
		for _, k := range []int{1, 2, n / 2, n} {
			definition := fmt.Sprintf(`{"at_least":%d,"of":[%s]}`, max(k, 1), strings.Join(conditions, ","))
			var want []uint32
			for u := range someUIDs { // the user at place u is in every condition that takes more than u users
				in := 0
				for i := range n {
					if i%len(someUIDs) >= u {
						in++
					}
				}
				if in >= max(k, 1) {
					want = append(want, someUIDs[u])
				}
			}
			statement := compile(t, definition).Page(0, 100)
			var size uint64
			var got []uint32
			if err := db.QueryRow(clickhouse.WithParameters(t.Context(), statement.Parameters), statement.SQL).Scan(&size, &got); err != nil {
				t.Fatalf("%d of %d: %v", k, n, err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("at least %d of %d: %v, not %v", k, n, got, want)
			}
		}
	}
}

// The largest definition of the language is printed, parsed and run.
func TestLargestGroupRuns(t *testing.T) {
	db := people(t, someUIDs)
	conditions := make([]string, queries.MaxLeaves)
	for i := range conditions {
		conditions[i] = fmt.Sprintf(`{"event":"e%d"}`, i)
	}
	for _, definition := range []string{
		`{"any":[` + strings.Join(conditions, ",") + `]}`,
		`{"at_least":8,"of":[` + strings.Join(conditions, ",") + `]}`,
		strings.Repeat(`{"any":[{"event":"x"},{"not":{"all":[{"event":"y"},`, 5) + `{"event":"z"}` + strings.Repeat(`]}}]}`, 5),
	} {
		exec(t, db, compile(t, definition).Page(0, 1))
	}
}
