package ingest

import (
	"cmp"
	"slices"
	"time"

	"muster"
)

// link is the way a message says one actor belongs to another; the numbers are those of table identities.
type link uint8

const (
	linkNone     link = 0
	linkIdentify link = 1
	linkAlias    link = 2
)

// saying is what a message says about an identifier: that its actor exists, or that it belongs to another.
type saying struct {
	actor  muster.Actor // the hash of its project, kind and id
	linked muster.Actor // zero when link is linkNone
	link   link
}

// said is a saying as a row of table identities.
type said struct {
	saying

	project muster.ProjectID
	kind    muster.ActorKind
	id      string
	time    int64 // the earliest such saying, in unix milliseconds
}

// sayings calls yield with all a message says about identifiers.
func (m *Message) sayings(yield func(said)) {
	if m.Type == Statement {
		return // its user is known
	}
	actor := m.Actor()
	own := said{saying: saying{actor: actor}, project: m.Project, kind: muster.Identified, id: m.UserID, time: m.Time}
	if m.UserID == "" {
		own.kind, own.id = muster.Anonymous, m.AnonymousID
	}
	yield(own)
	switch {
	case m.UserID == "":
	case m.Type == Alias && m.PreviousID != "":
		previous := muster.NewActor(m.Project, muster.Identified, m.PreviousID)
		yield(said{saying{previous, actor, linkAlias}, m.Project, muster.Identified, m.PreviousID, m.Time})
	case (m.Type == Identify || m.Type == Alias) && m.AnonymousID != "":
		visitor := muster.NewActor(m.Project, muster.Anonymous, m.AnonymousID)
		yield(said{saying{visitor, actor, linkIdentify}, m.Project, muster.Anonymous, m.AnonymousID, m.Time})
	}
}

// identitiesOf lists what the messages say about identifiers, each once, in the order of the table's key.
func identitiesOf(messages []Message) []said {
	earliest := map[saying]said{}
	for i := range messages {
		messages[i].sayings(func(s said) {
			if have, ok := earliest[s.saying]; !ok || s.time < have.time {
				earliest[s.saying] = s
			}
		})
	}
	all := make([]said, 0, len(earliest))
	for _, s := range earliest {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b said) int {
		return cmp.Or(cmp.Compare(a.project, b.project), cmp.Compare(a.actor, b.actor), cmp.Compare(a.kind, b.kind),
			cmp.Compare(a.link, b.link), cmp.Compare(a.linked, b.linked))
	})
	return all
}

// maxKnown bounds one generation of [known]; two are kept, about 40 MB at most.
const maxKnown = 250_000

// known remembers sayings that are in the table already, with their earliest time, so that a user who sends a thousand
// messages takes one row. It may forget; the table collapses what is written again.
type known struct{ young, old map[saying]int64 }

// unknown returns the sayings that are not in the table yet, or only with a later time.
func (k *known) unknown(all []said) []said {
	var fresh []said
	for _, s := range all {
		if t, ok := k.time(s.saying); !ok || s.time < t {
			fresh = append(fresh, s)
		}
	}
	return fresh
}

func (k *known) time(s saying) (int64, bool) {
	if t, ok := k.young[s]; ok {
		return t, true
	}
	t, ok := k.old[s]
	return t, ok
}

// remember takes sayings in after they were inserted.
func (k *known) remember(inserted []said) {
	for _, s := range inserted {
		if len(k.young) >= maxKnown || k.young == nil {
			k.young, k.old = map[saying]int64{}, k.young
		}
		k.young[s.saying] = s.time
	}
}

// columns are the rows of table identities.
func identityColumns(rows []said) []any {
	n := len(rows)
	project, actor, linked := make([]uint32, n), make([]uint64, n), make([]uint64, n)
	kind, how, id, at := make([]int8, n), make([]int8, n), make([]string, n), make([]time.Time, n)
	for i, s := range rows {
		project[i], actor[i], linked[i] = uint32(s.project), uint64(s.actor), uint64(s.linked)
		kind[i], how[i], id[i], at[i] = int8(s.kind), int8(s.link), s.id, time.UnixMilli(s.time)
	}
	return []any{project, actor, kind, how, linked, id, at}
}
