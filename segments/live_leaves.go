package segments

import (
	"context"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"muster"
	"muster/clickhouse"
	"muster/membership"
	"muster/projects"
	"muster/queries"
)

// liveLeaves is which users the leaves of a plan hold for, as of a time.
type liveLeaves struct {
	now   time.Time
	zone  string
	began time.Time                  // when everything was computed from nothing
	since time.Time                  // on the server's clock: what was inserted before has been read
	users []*roaring.Bitmap          // by number; zero is everyone
	byKey map[string]*roaring.Bitmap // by what the leaf asked
}

func (k *liveLeaves) set(n int) *roaring.Bitmap { return k.users[n] }

// erase takes users out of all sets.
func (k *liveLeaves) erase(users *roaring.Bitmap) {
	for _, set := range k.users {
		set.AndNot(users)
	}
}

// refreshed is what a refresh read.
type refreshed struct {
	read int          // leaves
	anew map[int]bool // by number: those that were not made from what they were before
}

// refresh brings what is remembered of the leaves to the plan's now, and returns which users may have changed in any of them.
// When it fails, what is remembered stays what it was.
func (e *Evaluator) refresh(ctx context.Context, project projects.Project, p *liveProject, plan *queries.Plan) (*roaring.Bitmap, refreshed, error) {
	done := refreshed{anew: map[int]bool{}}
	next, err := e.arrivedBefore(ctx)
	if err != nil {
		return nil, done, err
	}
	affected := make([]*roaring.Bitmap, plan.Sources()+1) // by source
	p.moved.AndNot(p.erased)
	for i := range affected {
		affected[i] = p.moved.Clone()
	}
	if p.leaves != nil {
		if err := e.affected(ctx, plan, p.leaves.since, affected); err != nil {
			return nil, done, err
		}
	}
	all := roaring.FastOr(affected...)
	affected[0] = all
	parts := p.leaves.parts(plan, affected, &done)
	read, err := e.readLeaves(ctx, project.ID, plan, parts, affected)
	if err != nil {
		return nil, done, err
	}
	for _, users := range read {
		users.AndNot(p.erased) // their facts may not be gone yet
	}
	p.leaves = p.leaves.updated(plan, parts, read, affected)
	p.leaves.zone, p.leaves.since = project.Zone.String(), next
	p.moved = roaring.New()
	return all, done, nil
}

// fewerThan is the part of all users, as a divisor, up to which a source is read for the affected users alone.
const fewerThan = 8

// parts says which leaves have to be read, and done how many. A leaf that was not kept, or whose conditions moved, is
// read of all users.
func (k *liveLeaves) parts(plan *queries.Plan, affected []*roaring.Bitmap, done *refreshed) []queries.Part {
	if k == nil {
		parts := []queries.Part{{}}
		for source := 1; source <= plan.Sources(); source++ {
			parts = append(parts, queries.Part{Source: source, Leaves: plan.SourceLeaves(source)})
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
	var parts []queries.Part
	if !affected[0].IsEmpty() {
		parts = append(parts, queries.Part{Affected: few(affected[0])})
	}
	for source := 1; source <= plan.Sources(); source++ {
		var follow, anew []int
		for _, n := range plan.SourceLeaves(source) {
			_, before := plan.LeafKeys(n)
			if k.byKey[before] != nil && plan.Follows(n) {
				follow = append(follow, n)
			} else {
				anew = append(anew, n)
				done.anew[n] = true
			}
		}
		if affected[source].IsEmpty() {
			follow = nil
		} else if !few(affected[source]) || len(anew) > 0 {
			follow, anew = nil, append(follow, anew...)
		}
		if len(follow) > 0 {
			parts = append(parts, queries.Part{Source: source, Leaves: follow, Affected: true})
		}
		if len(anew) > 0 {
			parts = append(parts, queries.Part{Source: source, Leaves: anew})
		}
		done.read += len(follow) + len(anew)
	}
	return parts
}

// updated returns the sets as of the plan's now, given those that were read. The sets of k are used up.
func (k *liveLeaves) updated(plan *queries.Plan, parts []queries.Part, read map[int]*roaring.Bitmap, affected []*roaring.Bitmap) *liveLeaves {
	next := &liveLeaves{now: plan.Now(), began: plan.Now(), users: make([]*roaring.Bitmap, plan.Leaves()+1), byKey: map[string]*roaring.Bitmap{}}
	if k != nil {
		next.began = k.began
		next.users[0] = k.users[0]
		taken := map[*roaring.Bitmap]bool{}
		for n := 1; n <= plan.Leaves(); n++ {
			_, before := plan.LeafKeys(n)
			users := k.byKey[before]
			if taken[users] { // two leaves that asked the same before
				users = users.Clone()
			}
			next.users[n], taken[users] = users, users != nil
		}
	}
	for _, part := range parts {
		leaves := part.Leaves
		if part.Source == 0 {
			leaves = []int{0}
		}
		for _, n := range leaves {
			users := read[n]
			if users == nil {
				users = roaring.New()
			}
			users.Remove(0)
			if part.Affected {
				users.And(affected[part.Source]) // actors may have moved to others since
				next.users[n].AndNot(affected[part.Source])
				next.users[n].Or(users)
			} else {
				users.RunOptimize()
				next.users[n] = users
			}
		}
	}
	for n := 1; n <= plan.Leaves(); n++ {
		now, _ := plan.LeafKeys(n)
		next.byKey[now] = next.users[n]
	}
	return next
}

// arrivedBefore returns a time on the server's clock: what was inserted before it can be read by now, and all that comes will carry
// a later one. It is when the oldest insert began that is still under way; where the server does not tell, long before that.
func (e *Evaluator) arrivedBefore(ctx context.Context) (time.Time, error) {
	var now time.Time
	var elapsed float64
	err := e.db.QueryRow(ctx, `
		SELECT now64(3, 'UTC'), maxIf(elapsed, query_kind IN ('Insert', 'AsyncInsertFlush')) FROM system.processes`).Scan(&now, &elapsed)
	if err != nil && !clickhouse.IsUnavailable(err) {
		elapsed = longestInsert.Seconds()
		err = e.db.QueryRow(ctx, `SELECT now64(3, 'UTC')`).Scan(&now)
	}
	if err != nil {
		return now, failed(ctx, "look for inserts under way", err)
	}
	return now.Add(-time.Duration(elapsed * float64(time.Second))).Add(-arrivalMargin), nil
}

const (
	// arrivalMargin is taken off in addition: the ages of inserts are not exact.
	arrivalMargin = 250 * time.Millisecond
	// longestInsert is how long an insert is taken to be under way where the server does not show its inserts.
	longestInsert = 2 * time.Minute
)

// affected adds the users of each source of whom something arrived, or for whom time has passed.
func (e *Evaluator) affected(ctx context.Context, plan *queries.Plan, since time.Time, affected []*roaring.Bitmap) error {
	statement := plan.Affected(since)
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return failed(ctx, "read what may have changed", err)
	}
	defer rows.Close()
	for rows.Next() {
		var kind, name, state string
		var only uint16
		if err := rows.Scan(&kind, &name, &only, &state); err != nil {
			return failed(ctx, "read what may have changed", err)
		}
		users, err := membership.Decode(state)
		if err != nil {
			return err
		}
		users.Remove(0)
		if kind == "" {
			affected[only].Or(users)
			continue
		}
		affected[0].Or(users)
		for source := 1; source <= plan.Sources(); source++ {
			if plan.Reads(source, queries.ArrivalKind(kind), name) {
				affected[source].Or(users)
			}
		}
	}
	if err := rows.Err(); err != nil {
		return failed(ctx, "read what may have changed", err)
	}
	return nil
}

// readLeaves reads the parts of a plan.
func (e *Evaluator) readLeaves(ctx context.Context, project muster.ProjectID, plan *queries.Plan, parts []queries.Part, affected []*roaring.Bitmap) (map[int]*roaring.Bitmap, error) {
	if len(parts) == 0 {
		return nil, nil
	}
	table, err := clickhouse.NewTable("affected", clickhouse.Column{Name: "source", Type: "UInt16"}, clickhouse.Column{Name: "actor", Type: "UInt64"})
	if err != nil {
		return nil, fmt.Errorf("name the affected users: %w", err)
	}
	wanted := roaring.New()
	for _, part := range parts {
		if part.Affected {
			wanted.Or(affected[part.Source])
		}
	}
	if !wanted.IsEmpty() {
		actors, err := e.actorsOf(ctx, project, wanted)
		if err != nil {
			return nil, err
		}
		for _, part := range parts {
			if !part.Affected {
				continue
			}
			for _, a := range actors {
				if !affected[part.Source].Contains(a.uid) {
					continue
				}
				if err := table.Append(uint16(part.Source), uint64(a.actor)); err != nil {
					return nil, fmt.Errorf("name the affected users: %w", err)
				}
			}
		}
	}
	return e.readSets(ctx, plan.Refresh(parts), table)
}

// readSets reads numbered sets of users.
func (e *Evaluator) readSets(ctx context.Context, statement queries.Statement, table *clickhouse.Table) (map[int]*roaring.Bitmap, error) {
	asked := clickhouse.WithParameters(ctx, statement.Parameters)
	if table != nil {
		asked = clickhouse.WithTable(ctx, statement.Parameters, table)
	}
	rows, err := e.db.Query(asked, statement.SQL)
	if err != nil {
		return nil, failed(ctx, "read the leaves of live segments", err)
	}
	defer rows.Close()
	sets := map[int]*roaring.Bitmap{}
	for rows.Next() {
		var n uint16
		var state string
		if err := rows.Scan(&n, &state); err != nil {
			return nil, failed(ctx, "read the leaves of live segments", err)
		}
		users, err := membership.Decode(state)
		if err != nil {
			return nil, err
		}
		if sets[int(n)] != nil {
			users.Or(sets[int(n)])
		}
		sets[int(n)] = users
	}
	if err := rows.Err(); err != nil {
		return nil, failed(ctx, "read the leaves of live segments", err)
	}
	return sets, nil
}
