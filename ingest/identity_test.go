package ingest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster"
)

func TestSayingsOfMessages(t *testing.T) {
	user := func(id string) muster.Actor { return muster.NewActor(7, muster.Identified, id) }
	visitor := func(id string) muster.Actor { return muster.NewActor(7, muster.Anonymous, id) }
	is := func(a muster.Actor, kind muster.ActorKind, id string) said {
		return said{saying{actor: a}, 7, kind, id, 5}
	}
	for _, c := range []struct {
		name string
		in   Message
		want []said
	}{
		{"a visitor exists", Message{Type: Track, AnonymousID: "a"}, []said{is(visitor("a"), muster.Anonymous, "a")}},
		{"a track links nobody", Message{Type: Track, UserID: "u", AnonymousID: "a"}, []said{is(user("u"), muster.Identified, "u")}},
		{"a group links nobody", Message{Type: Group, UserID: "u", AnonymousID: "a"}, []said{is(user("u"), muster.Identified, "u")}},
		{"an identify without a visitor", Message{Type: Identify, UserID: "u"}, []said{is(user("u"), muster.Identified, "u")}},
		{"an identify without a user", Message{Type: Identify, AnonymousID: "a"}, []said{is(visitor("a"), muster.Anonymous, "a")}},
		{
			"an identify links the visitor",
			Message{Type: Identify, UserID: "u", AnonymousID: "a"},
			[]said{is(user("u"), muster.Identified, "u"), {saying{visitor("a"), user("u"), linkIdentify}, 7, muster.Anonymous, "a", 5}},
		},
		{
			"an alias links two users and leaves the visitor alone",
			Message{Type: Alias, UserID: "u", PreviousID: "v", AnonymousID: "a"},
			[]said{is(user("u"), muster.Identified, "u"), {saying{user("v"), user("u"), linkAlias}, 7, muster.Identified, "v", 5}},
		},
		{
			"an alias of the visitor",
			Message{Type: Alias, UserID: "u", AnonymousID: "a"},
			[]said{is(user("u"), muster.Identified, "u"), {saying{visitor("a"), user("u"), linkIdentify}, 7, muster.Anonymous, "a", 5}},
		},
	} {
		c.in.Project, c.in.Time = 7, 5
		var got []said
		c.in.sayings(func(s said) { got = append(got, s) })
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(said{}, saying{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestIdentitiesAreListedOnceWithTheirEarliestTime(t *testing.T) {
	var messages []Message
	for _, at := range []int64{30, 10, 20} {
		messages = append(messages, Message{Project: 7, Type: Track, UserID: "u", Time: at})
	}
	if got := identitiesOf(messages); len(got) != 1 || got[0].time != 10 {
		t.Errorf("listed %+v", got)
	}
}

func TestKnownIdentifiersAreForgottenInTime(t *testing.T) {
	var k known
	one := func(i int, at int64) []said { return []said{{saying: saying{actor: muster.Actor(i)}, time: at}} }
	k.remember(one(1, 100))
	if len(k.unknown(one(1, 100))) != 0 || len(k.unknown(one(1, 99))) != 1 || len(k.unknown(one(2, 100))) != 1 {
		t.Error("only sayings that are new, or earlier than known, are to be written")
	}
	for i := range 2 * maxKnown {
		k.remember(one(10+i, 1))
	}
	if len(k.young) > maxKnown || len(k.old) > maxKnown {
		t.Errorf("%d and %d are remembered", len(k.young), len(k.old))
	}
	if len(k.unknown(one(1, 100))) != 1 {
		t.Error("the oldest was not forgotten")
	}
}
