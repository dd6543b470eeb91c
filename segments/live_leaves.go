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
	since queries.Since              // how far rows have been read
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
	p.moved.AndNot(p.erased)
	all := newAffected(plan, p.moved)
	if p.leaves != nil {
		if err := e.affected(ctx, plan, p.leaves.since, all); err != nil {
			return nil, done, err
		}
	}
	parts := p.leaves.parts(plan, all, &done)
	read, err := e.readLeaves(ctx, project.ID, plan, parts)
	if err != nil {
		return nil, done, err
	}
	doubts := p.leaves.doubts(plan, all, parts, read)
	again, err := e.readLeaves(ctx, project.ID, plan, doubts)
	if err != nil {
		return nil, done, err
	}
	parts, read = append(parts, doubts...), append(read, again...)
	for _, sets := range read {
		for _, users := range sets {
			users.AndNot(p.erased) // their facts may not be gone yet
		}
	}
	received, err := e.newestReceipt(ctx, project.ID, p.leaves)
	if err != nil {
		return nil, done, err
	}
	p.leaves = p.leaves.updated(plan, parts, read)
	p.leaves.zone, p.leaves.since = project.Zone.String(), queries.Since{Inserted: next, Received: received}
	p.moved = roaring.New()
	return all.anybody, done, nil
}

// updated returns the sets as of the plan's now, given those that were read, by part. The sets of k are used up.
func (k *liveLeaves) updated(plan *queries.Plan, parts []livePart, read []map[int]*roaring.Bitmap) *liveLeaves {
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
	for i, part := range parts {
		for n, of := range part.leavesOf(plan) {
			users := read[i][n]
			if users == nil {
				users = roaring.New()
			}
			users.Remove(0)
			if of == nil {
				users.RunOptimize()
				next.users[n] = users
				continue
			}
			users.And(of) // actors may have moved to others since
			if !part.gains {
				next.users[n].AndNot(of)
			}
			next.users[n].Or(users)
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

// newestReceipt returns the newest receipt of the events that can be read by now.
func (e *Evaluator) newestReceipt(ctx context.Context, project muster.ProjectID, k *liveLeaves) (time.Time, error) {
	var newest time.Time
	parameters := clickhouse.Parameters{"project": number(project)}
	sql := `SELECT max(received) FROM events WHERE project = {project:UInt32}`
	if k != nil {
		newest = k.since.Received
		parameters["since"] = number(k.since.Inserted.UnixMilli())
		sql = `SELECT max(received) FROM arrivals WHERE project = {project:UInt32} AND inserted >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')`
	}
	var received time.Time
	if err := e.db.QueryRow(clickhouse.WithParameters(ctx, parameters), sql).Scan(&received); err != nil {
		return newest, failed(ctx, "look for the newest event", err)
	}
	if received.After(newest) {
		newest = received
	}
	return newest, nil
}

// readLeaves reads the parts of a plan, and returns the sets of each by their leaves.
func (e *Evaluator) readLeaves(ctx context.Context, project muster.ProjectID, plan *queries.Plan, parts []livePart) ([]map[int]*roaring.Bitmap, error) {
	if len(parts) == 0 {
		return nil, nil
	}
	table, err := clickhouse.NewTable("affected", clickhouse.Column{Name: "part", Type: "UInt16"}, clickhouse.Column{Name: "actor", Type: "UInt64"})
	if err != nil {
		return nil, fmt.Errorf("name the affected users: %w", err)
	}
	wanted := roaring.New()
	for _, part := range parts {
		wanted.Or(part.anybody())
	}
	var actors []placedActor
	if !wanted.IsEmpty() {
		if actors, err = e.actorsOf(ctx, project, wanted); err != nil {
			return nil, err
		}
	}
	asked := make([]queries.Part, len(parts))
	for i, part := range parts {
		asked[i] = part.Part
		if part.named {
			for _, source := range part.Sources {
				asked[i].Named = append(asked[i].Named, actorsAmong(actors, part.users[source]))
			}
		}
		if !part.Some {
			continue
		}
		for _, actor := range actorsAmong(actors, part.anybody()) {
			if err := table.Append(uint16(i), uint64(actor)); err != nil {
				return nil, fmt.Errorf("name the affected users: %w", err)
			}
		}
	}
	return e.readSets(ctx, plan.Refresh(asked), table, len(parts))
}

// actorsAmong returns the actors that are of some users.
func actorsAmong(actors []placedActor, users *roaring.Bitmap) []muster.Actor {
	var of []muster.Actor
	for _, a := range actors {
		if users.Contains(a.uid) {
			of = append(of, a.actor)
		}
	}
	return of
}

// readSets reads the numbered sets of users of parts.
func (e *Evaluator) readSets(ctx context.Context, statement queries.Statement, table *clickhouse.Table, parts int) ([]map[int]*roaring.Bitmap, error) {
	rows, err := e.db.Query(clickhouse.WithTable(ctx, statement.Parameters, table), statement.SQL)
	if err != nil {
		return nil, failed(ctx, "read the leaves of live segments", err)
	}
	defer rows.Close()
	sets := make([]map[int]*roaring.Bitmap, parts)
	for i := range sets {
		sets[i] = map[int]*roaring.Bitmap{}
	}
	for rows.Next() {
		var part, n uint16
		var state string
		if err := rows.Scan(&part, &n, &state); err != nil {
			return nil, failed(ctx, "read the leaves of live segments", err)
		}
		if sets[part][int(n)], err = membership.Decode(state); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, failed(ctx, "read the leaves of live segments", err)
	}
	return sets, nil
}
