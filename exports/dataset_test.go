package exports

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster"
)

// TestDataset exports three users whose values can be checked by eye.
func TestDataset(t *testing.T) {
	w := newWorld(t)
	ann := w.actor(project, 1, 0, muster.Identified, "ann")
	annPhone := w.actor(project, 1, 1, muster.Anonymous, "phone")
	w.actor(project, 1, 2, muster.Anonymous, "laptop")
	zoe := w.actor(project, 2, 0, muster.Identified, "zoë\U0001F980")
	nobody := w.actor(project, 1_100_000, 0, muster.Anonymous, "x,\"y\"\n") // in another bucket
	other := w.actor(project, 4, 0, muster.Identified, "no member")
	foreign := w.actor(2, 1, 0, muster.Identified, "another project's")
	w.index()

	w.does(ann, 1)
	w.does(annPhone, 5)
	w.does(annPhone, 40) // after the run
	w.does(zoe, 2)
	w.does(zoe, 39)
	w.does(other, 3)

	w.says(project, ann, 10, "plan", "pro")
	w.says(project, annPhone, 20, "plan", "team") // the user's latest, said by another actor
	w.says(project, ann, 40, "plan", "later")     // after the run
	w.says(project, zoe, 10, "plan", "Grün \U0001F33F")
	w.says(project, zoe, 12, "plan", nil) // unset
	w.says(project, nobody, 1, "plan", "")
	w.says(2, foreign, 29, "plan", "foreign")

	w.says(project, ann, 10, "seats", 12.5)
	w.says(project, zoe, 10, "seats", 1e9)
	w.says(project, other, 10, "seats", "many") // no member's: the column stays one of numbers
	w.says(project, ann, 10, "beta", true)
	w.says(project, zoe, 10, "beta", false)
	w.says(project, ann, 10, "teams", []string{"a", "b,c"})
	w.says(project, zoe, 10, "teams", []string{})
	w.says(project, ann, 10, "mixed", 1e21)
	w.says(project, zoe, 10, "mixed", []string{"<x>", "é"})
	w.says(project, nobody, 10, "mixed", true)
	w.says(project, ann, 10, "UID", "not ours")
	w.says(project, ann, 10, "a, `b'\\\" .c", "odd")

	s := w.service(t.TempDir(), pinned(w.run(1, 2, 1_100_000)))
	e := finished(t, s, create(t, s, "teams", "plan", "seats", "first_seen", "beta", "mixed", "UID", "a, `b'\\\" .c", "unknown", "sessions").ID)

	schema, rows := readParquet(t, content(t, s, e.ID, "part-00000.parquet"))
	wantSchema := `message members {
	required binary user (STRING);
	required int32 uid (INT(32,false));
	optional binary user_id (STRING);
	optional binary anonymous_id (STRING);
	optional int64 first_seen (TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS));
	optional int64 last_seen (TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS));
	optional group teams (LIST) {
		repeated group list {
			required binary element (STRING);
		}
	}
	optional binary plan (STRING);
	optional double seats;
	optional boolean beta;
	optional binary mixed (STRING);
	optional binary attribute.UID (STRING);
	optional binary a, ` + "`b'\\\" .c" + ` (STRING);
	optional binary unknown (STRING);
	optional double sessions;
}`
	if diff := cmp.Diff(wantSchema, schema); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}
	ms := func(minute int) string { return fmt.Sprint(day(minute).UnixMilli()) }
	want := []string{
		ann.String() + " | 1 | ann | phone | " + ms(1) + " | " + ms(5) + " | [a b,c] | team | 12.5 | true | 1e+21 | not ours | odd | - | 1",
		zoe.String() + " | 2 | zoë\U0001F980 | - | " + ms(2) + " | " + ms(2) + ` | [] | - | 1e+09 | false | ["<x>","é"] | - | - | - | 1`,
		nobody.String() + " | 1100000 | - | x,\"y\"\n | - | - | - |  | - | - | true | - | - | - | -",
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}

	if e.Rows != 3 || e.Manifest != ManifestName || len(e.Files) != 1 || e.Files[0].Rows != 3 {
		t.Errorf("the export is %+v", e)
	}
	m := manifest(t, s, e.ID)
	kinds := map[string][]string{}
	for _, c := range m.Schema {
		if c.Attribute != "" {
			kinds[c.Name+" of "+c.Attribute] = append(c.Kinds, string(c.Type))
		}
	}
	wantKinds := map[string][]string{
		"teams of teams": {"list", "list<string>"}, "plan of plan": {"text", "string"}, "seats of seats": {"number", "double"},
		"beta of beta": {"boolean", "boolean"}, "mixed of mixed": {"boolean", "list", "number", "string"},
		"attribute.UID of UID": {"text", "string"}, "a, `b'\\\" .c of a, `b'\\\" .c": {"text", "string"}, "unknown of unknown": {"string"},
		"sessions of sessions": {"number", "double"},
	}
	if diff := cmp.Diff(wantKinds, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	m.Schema = nil
	var definition any
	if err := json.Unmarshal(m.Definition, &definition); err != nil {
		t.Error(err)
	}
	if m.Version != 1 || m.Dataset != "members" || m.Format != "parquet" || m.Export != e.ID || m.Project != 1 ||
		m.Segment != (ManifestSegment{ID: "pro", Name: "Pro – people", Revision: 3}) || m.DefinitionHash != "abc" ||
		!m.AsOf.Equal(asOf) || m.Members != 3 || m.Rows != 3 || !slices.Equal(m.Files, e.Files) || m.CreatedAt.IsZero() {
		t.Errorf("the manifest is %+v", m)
	}
	if left := names(t, s.cfg.Dir); !slices.Equal(left, []string{"1", "owner"}) {
		t.Errorf("the directory has %q", left)
	}
}

// TestRemovals exports users of whom custom attributes were removed: before the run and after it, and by another actor.
func TestRemovals(t *testing.T) {
	w := newWorld(t)
	ann := w.actor(project, 1, 0, muster.Identified, "ann")
	phone := w.actor(project, 1, 1, muster.Anonymous, "phone")
	bob := w.actor(project, 2, 0, muster.Identified, "bob")
	cid := w.actor(project, 3, 0, muster.Identified, "cid")
	w.index()
	for _, a := range []muster.Actor{ann, bob, cid} {
		w.does(a, 1)
		w.says(project, a, 1, "plan", "pro")
		w.saysFrom("native", project, a, 1, "email", "x@y")
		w.saysFrom("integration", project, a, 1, "crm", "x")
		w.says(project, a, 1, "group.size", 5.0)
	}
	w.says(project, ann, 1, "seats", "many")
	w.says(project, phone, 2, "", nil)
	w.says(project, bob, 2, "", nil)
	w.says(project, bob, 3, "seats", 3.0)
	w.says(project, bob, 40, "plan", "later") // after the run
	w.says(project, cid, 40, "", nil)         // after the run
	s := w.service(t.TempDir(), pinned(w.run(1, 2, 3)))
	e := finished(t, s, create(t, s, "plan", "email", "crm", "group.size", "seats", "sessions").ID)
	schema, rows := readParquet(t, content(t, s, e.ID, "part-00000.parquet"))
	if !strings.Contains(schema, "optional double seats") {
		t.Errorf("what was removed has a say in the schema:\n%s", schema)
	}
	var values []string
	for _, row := range rows {
		values = append(values, strings.Join(strings.Split(row, " | ")[6:], " "))
	}
	if diff := cmp.Diff([]string{"- x@y x 5 - 1", "- x@y x 5 3 1", "pro x@y x 5 - 1"}, values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// TestGoneMembers exports a run of whom one user was erased and one has joined another since.
func TestGoneMembers(t *testing.T) {
	w := newWorld(t)
	ann := w.actor(project, 1, 0, muster.Identified, "ann")
	w.index()
	w.does(ann, 1)
	w.says(project, ann, 1, "plan", "pro")
	s := w.service(t.TempDir(), pinned(w.run(1, 2, 3)))
	e := finished(t, s, create(t, s, "plan").ID)
	m := manifest(t, s, e.ID)
	if e.Rows != 1 || m.Rows != 1 || m.Members != 3 {
		t.Errorf("%d rows of %d members in the manifest and %d in the export, want 1 of 3", m.Rows, m.Members, e.Rows)
	}
}

func TestEmptySegment(t *testing.T) {
	w := newWorld(t)
	w.index()
	s := w.service(t.TempDir(), pinned(w.run()))
	e := finished(t, s, create(t, s, "plan").ID)
	schema, rows := readParquet(t, content(t, s, e.ID, "part-00000.parquet"))
	if e.Rows != 0 || len(e.Files) != 1 || len(rows) != 0 || !strings.Contains(schema, "optional binary plan (STRING)") {
		t.Errorf("the export is %+v with schema\n%s", e, schema)
	}
	if m := manifest(t, s, e.ID); len(m.Schema) != 7 || m.Rows != 0 {
		t.Errorf("the manifest is %+v", m)
	}
}

// TestSplit exports seven members into files of three, in row groups of two.
func TestSplit(t *testing.T) {
	w := newWorld(t)
	var members []uint32
	for uid := uint32(1); uid <= 7; uid++ {
		a := w.actor(project, uid, 0, muster.Identified, fmt.Sprintf("user-%d", uid))
		w.says(project, a, 1, "n", float64(uid))
		members = append(members, uid)
	}
	w.index()
	s := w.service(t.TempDir(), pinned(w.run(members...)))
	s.limits = limits{fileRows: 3, groupRows: 2, groupBytes: 1 << 20}
	e := finished(t, s, create(t, s, "n").ID)
	var sizes []uint64
	var ids []string
	for _, f := range e.Files {
		sizes = append(sizes, f.Rows)
		_, rows := readParquet(t, content(t, s, e.ID, f.Name))
		for _, row := range rows {
			cells := strings.Split(row, " | ")
			ids = append(ids, cells[2]+"="+cells[6])
		}
	}
	if !slices.Equal(sizes, []uint64{3, 3, 1}) || e.Rows != 7 {
		t.Errorf("files of %d rows, %d in all", sizes, e.Rows)
	}
	if want := "user-1=1 user-2=2 user-3=3 user-4=4 user-5=5 user-6=6 user-7=7"; strings.Join(ids, " ") != want {
		t.Errorf("the files have %q", ids)
	}
}
