package segments

import (
	"context"
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"muster/clickhouse"
	"muster/membership"
	"muster/queries"
)

// affected is which users may have changed since the last tick. The slices are by source; zero is everyone.
type affected struct {
	changed []*roaring.Bitmap // in any way
	gained  []*roaring.Bitmap // by rows that came in or came to count
	late    []*roaring.Bitmap // in the same way, but that there may be less than before
	lapsed  []*roaring.Bitmap // by rows that no longer count
	months  map[uint32]bool   // of the events that were gained or late; with zero any
	anybody *roaring.Bitmap
}

// newAffected returns that users have changed in everything.
func newAffected(plan *queries.Plan, moved *roaring.Bitmap) *affected {
	a := &affected{months: map[uint32]bool{}, anybody: moved.Clone()}
	for range plan.Sources() + 1 {
		a.changed, a.gained = append(a.changed, moved.Clone()), append(a.gained, roaring.New())
		a.late, a.lapsed = append(a.late, roaring.New()), append(a.lapsed, roaring.New())
	}
	return a
}

// of returns everybody who may have changed in a source.
func (a *affected) of(source int) *roaring.Bitmap {
	return roaring.FastOr(a.changed[source], a.gained[source], a.late[source], a.lapsed[source])
}

// affected adds the users of each source of whom something arrived, or for whom time has passed.
func (e *Evaluator) affected(ctx context.Context, plan *queries.Plan, since queries.Since, all *affected) error {
	statement := plan.Affected(since)
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return failed(ctx, "read what may have changed", err)
	}
	defer rows.Close()
	for rows.Next() {
		var effect, kind, name, state string
		var only uint16
		var months []uint32
		if err := rows.Scan(&effect, &kind, &name, &only, &state, &months); err != nil {
			return failed(ctx, "read what may have changed", err)
		}
		users, err := membership.Decode(state)
		if err != nil {
			return err
		}
		users.Remove(0)
		all.anybody.Or(users)
		in := map[queries.Effect][]*roaring.Bitmap{
			queries.Changed: all.changed, queries.Gained: all.gained, queries.Late: all.late, queries.Lapsed: all.lapsed,
		}[queries.Effect(effect)]
		if kind == "" {
			in[only].Or(users)
			continue
		}
		for source := 1; source <= plan.Sources(); source++ {
			if !plan.Reads(source, queries.ArrivalKind(kind), name) {
				continue
			}
			in[source].Or(users)
			for _, month := range months {
				all.months[month] = all.months[month] || queries.ArrivalKind(kind) == queries.EventArrival && queries.Effect(effect) != queries.Lapsed
			}
		}
	}
	if err := rows.Err(); err != nil {
		return failed(ctx, "read what may have changed", err)
	}
	return nil
}

// livePart is a part of a plan that is read for some users, or for all.
type livePart struct {
	queries.Part
	users map[int]*roaring.Bitmap // by source, where it is for some
	named bool                    // they are few, and named
	gains bool                    // who is not found stays what it was
}

// add adds leaves of a source to a part that several sources share.
func (part *livePart) add(source int, leaves []int, users *roaring.Bitmap) {
	if len(leaves) == 0 || users.IsEmpty() {
		return
	}
	if part.users == nil {
		part.users = map[int]*roaring.Bitmap{}
	}
	part.Sources, part.Leaves = append(part.Sources, source), append(part.Leaves, leaves...)
	part.users[source] = users
}

// anybody returns the users of all its sources.
func (part livePart) anybody() *roaring.Bitmap {
	return roaring.FastOr(slices.Collect(maps.Values(part.users))...)
}

// leavesOf returns the leaves of a part with the users whom it reads of them, nil for all.
func (part livePart) leavesOf(plan *queries.Plan) map[int]*roaring.Bitmap {
	if len(part.Sources) == 0 {
		return map[int]*roaring.Bitmap{0: part.users[0]}
	}
	of := map[int]*roaring.Bitmap{}
	for _, source := range part.Sources {
		for _, n := range plan.SourceLeaves(source) {
			if slices.Contains(part.Leaves, n) {
				of[n] = part.users[source]
			}
		}
	}
	return of
}

// some returns a part that is read for the given users of a source.
func some(source int, leaves []int, users *roaring.Bitmap) livePart {
	part := livePart{Part: queries.Part{Leaves: leaves, Some: true}, users: map[int]*roaring.Bitmap{source: users}}
	if source > 0 {
		part.Sources = []int{source}
	}
	return part
}

// whole returns a part that is read for all users.
func whole(source int, leaves []int) livePart {
	return livePart{Part: queries.Part{Sources: []int{source}, Leaves: leaves}}
}

// fewerThan is the part of all users, as a divisor, up to which a source is read for the affected users alone.
const fewerThan = 8

// fewNamed is up to how many users of a source are named in a statement.
const fewNamed = 100

// parts returns what has to be read. Of leaves that only say that something happened, nobody leaves by what came in, so only that is
// read, of all such leaves together, and who is at the trailing edge of a window.
func (k *liveLeaves) parts(plan *queries.Plan, all *affected, done *refreshed) []livePart {
	if k == nil {
		parts := []livePart{{}}
		for source := 1; source <= plan.Sources(); source++ {
			parts = append(parts, whole(source, plan.SourceLeaves(source)))
		}
		for n := range plan.Leaves() + 1 {
			done.anew[n] = true
		}
		done.read = plan.Leaves()
		return parts
	}
	few := func(users *roaring.Bitmap) bool {
		return users.GetCardinality() <= k.users[0].GetCardinality()/fewerThan
	}
	var parts []livePart
	// Who was seen stays so: only who changed, or was not one of everyone, has to be looked at.
	if users := roaring.Or(all.changed[0], roaring.AndNot(all.anybody, k.users[0])); !users.IsEmpty() {
		if few(users) {
			parts = append(parts, some(0, nil, users))
		} else {
			parts = append(parts, livePart{})
		}
	}
	gains := livePart{Part: queries.Part{Some: true, Months: all.gainedMonths()}, gains: true}
	lapses := livePart{named: true}
	for source := 1; source <= plan.Sources(); source++ {
		follow, anew := k.follows(plan, source)
		for _, n := range anew {
			done.anew[n] = true
		}
		users := all.of(source)
		if users.IsEmpty() {
			follow = nil
		} else if !few(users) || len(anew) > 0 {
			follow, anew = nil, append(follow, anew...)
		}
		if len(anew) > 0 {
			parts = append(parts, whole(source, anew))
		}
		shrinks := func(n int) bool { return !plan.Grows(n) }
		stays := func(n int) bool { return !plan.Lapses(n) }
		switch {
		case len(follow) == 0:
		case slices.ContainsFunc(follow, shrinks):
			parts = append(parts, some(source, follow, users))
		default:
			if !all.changed[source].IsEmpty() {
				parts = append(parts, some(source, follow, all.changed[source]))
			}
			gains.add(source, follow, roaring.Or(all.gained[source], all.late[source]))
			lapsing, users := slices.DeleteFunc(slices.Clone(follow), stays), all.lapsed[source]
			switch {
			case len(lapsing) == 0 || users.IsEmpty():
			case users.GetCardinality() > fewNamed:
				parts = append(parts, some(source, lapsing, users))
			default:
				lapses.add(source, lapsing, users)
			}
		}
		done.read += len(follow) + len(anew)
	}
	for _, part := range []livePart{lapses, gains} {
		if len(part.Sources) > 0 {
			parts = append(parts, part)
		}
	}
	return parts
}

// follows returns the leaves of a source that are made from what they were before, and those that are not.
func (k *liveLeaves) follows(plan *queries.Plan, source int) (follow, anew []int) {
	for _, n := range plan.SourceLeaves(source) {
		if _, before := plan.LeafKeys(n); k.byKey[before] != nil && plan.Follows(n) {
			follow = append(follow, n)
		} else {
			anew = append(anew, n)
		}
	}
	return follow, anew
}

// gainedMonths returns the months of what was gained; nil where they are not all known.
func (a *affected) gainedMonths() []uint32 {
	if a.months[0] {
		return nil
	}
	maps.DeleteFunc(a.months, func(_ uint32, asked bool) bool { return !asked })
	return slices.Sorted(maps.Keys(a.months))
}

// doubts returns what has to be read besides, given what was: of the users in a leaf of whom something late came in, those who are
// not found in it among what came in.
func (k *liveLeaves) doubts(plan *queries.Plan, all *affected, parts []livePart, read []map[int]*roaring.Bitmap) []livePart {
	var doubts []livePart
	for i, part := range parts {
		if !part.gains {
			continue
		}
		for _, source := range part.Sources {
			doubtful, leaves := roaring.New(), []int(nil)
			for _, n := range plan.SourceLeaves(source) {
				_, before := plan.LeafKeys(n)
				if !slices.Contains(part.Leaves, n) {
					continue
				}
				users := roaring.And(all.late[source], k.byKey[before])
				if found := read[i][n]; found != nil {
					users.AndNot(found)
				}
				if !users.IsEmpty() {
					doubtful.Or(users)
					leaves = append(leaves, n)
				}
			}
			if len(leaves) > 0 {
				doubts = append(doubts, some(source, leaves, doubtful))
			}
		}
	}
	return doubts
}
