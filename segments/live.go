package segments

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"muster"
	"muster/membership"
	"muster/projects"
	"muster/queries"
)

// wholeEvery is how often a live project is computed from nothing, though it is up to date: whatever was missed is found then.
const wholeEvery = time.Hour

// Live keeps live segments materialized. It remembers which users each leaf held for, and a tick reads again only what may
// have changed since: the users of whom something came in, and those at the edges of windows that moved. What it remembers
// is thrown away with the process, and whenever it is in doubt.
//
// Several processes may each have one. A tick tells what changed since the process's own last tick, however long ago; the runs
// that others made meanwhile are read first.
type Live struct {
	evaluator  *Evaluator
	current    *membership.Current
	now        func() time.Time
	wholeEvery time.Duration

	mu       sync.Mutex // one tick at a time
	projects map[muster.ProjectID]*liveProject
}

// NewLive returns the live segments of an evaluator, whose members it puts into current. Ticks are as of what now returns.
func NewLive(e *Evaluator, current *membership.Current, now func() time.Time) *Live {
	return &Live{evaluator: e, current: current, now: now, wholeEvery: wholeEvery, projects: map[muster.ProjectID]*liveProject{}}
}

// liveProject is what is remembered of a project.
type liveProject struct {
	members *membership.Project
	version uint64          // of the index of actors, as far as it is in members
	moved   *roaring.Bitmap // users whose actors changed since the last tick
	erased  *roaring.Bitmap // users who are in nothing that is remembered, whatever is read of them
	erasing time.Time       // on the server's clock: the newest erasure that is in erased
	runs    map[string]Run  // by segment: the newest run, whose members are in members
	tick    uint64          // the newest there is, as far as runs are known
	leaves  *liveLeaves     // nil before the first tick
	settled map[string]settled
	unsaved *roaring.Bitmap // users who may have changed in ticks whose runs could not be kept
}

// settled is a segment whose members were, at the last tick, those of a run under a definition.
type settled struct {
	run uuid.UUID
	key string // of the definition with all its segments in place
}

// Tick is what one tick did.
type Tick struct {
	AsOf     time.Time
	Segments int // that are live
	Runs     []Run
	Leaves   int    // there are
	Read     int    // of them, of some users or of all
	Whole    bool   // everything was computed from nothing
	Affected uint64 // users who were looked at again; of a whole tick all
	Elapsed  time.Duration
}

func (l *Live) project(id muster.ProjectID) *liveProject {
	p := l.projects[id]
	if p == nil {
		p = &liveProject{
			members: l.current.Project(id), moved: roaring.New(), erased: roaring.New(), runs: map[string]Run{}, settled: map[string]settled{},
			unsaved: roaring.New(),
		}
		l.projects[id] = p
	}
	return p
}

// Follow takes in what other processes did: new actors, and the runs of live segments. When it returns without an error, and
// some process has ticked before, the project's memberships are loaded.
func (l *Live) Follow(ctx context.Context, project projects.Project) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	current, err := l.evaluator.store.Current(ctx, project.ID)
	if err != nil {
		return err
	}
	p, live := l.project(project.ID), liveOf(current)
	asOf := l.now().UTC().Truncate(time.Millisecond) // where nothing is live, there is nothing to wait for
	if len(live) > 0 {
		// Before the runs: those of a later tick may not have been read.
		if asOf, err = l.evaluator.liveAsOf(ctx, project.ID); err != nil {
			return err
		}
	}
	known := func(context.Context) (map[string]Segment, error) { return live, nil }
	if err := l.follow(ctx, project, p, known); err != nil {
		return err
	}
	if asOf.UnixMilli() > 0 {
		p.members.Settle(asOf)
	}
	return nil
}

// follow takes in what other processes did, and meanwhile asks which segments are live.
func (l *Live) follow(ctx context.Context, project projects.Project, p *liveProject, ask func(context.Context) (map[string]Segment, error)) error {
	var live map[string]Segment
	var newest newestRuns
	all, asking := errgroup.WithContext(ctx)
	all.Go(func() (err error) {
		live, err = ask(asking)
		return err
	})
	all.Go(func() (err error) {
		newest, err = l.evaluator.newestRuns(asking, project.ID)
		return err
	})
	all.Go(func() error {
		if err := l.evaluator.followErased(asking, project.ID, p); err != nil {
			return err
		}
		return l.evaluator.followActors(asking, project.ID, p)
	})
	if err := all.Wait(); err != nil {
		return err
	}
	return l.evaluator.followRuns(ctx, project.ID, p, newest, live)
}

// liveOf returns the segments that are live.
func liveOf(current map[string]Segment) map[string]Segment {
	live := map[string]Segment{}
	for id, seg := range current {
		if seg.Live {
			live[id] = seg
		}
	}
	return live
}

// Tick brings the live segments of a project up to now, and keeps a run of each whose members changed. What fails is
// caught up with by the next tick.
func (l *Live) Tick(ctx context.Context, project projects.Project) (Tick, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.evaluator
	done, err := e.turns.take(ctx, project.ID)
	if err != nil {
		return Tick{}, err
	}
	defer done()
	start := time.Now()
	now := l.now().UTC().Truncate(time.Millisecond)
	p := l.project(project.ID)
	var scope queries.Scope
	var live map[string]Segment
	if err := l.follow(ctx, project, p, func(ctx context.Context) (map[string]Segment, error) {
		of, current, err := e.scope(ctx, project, At{AsOf: &now})
		scope, live = of, liveOf(current)
		return live, err
	}); err != nil {
		return Tick{}, err
	}
	if k := p.leaves; k != nil && (now.Before(k.now) || k.zone != project.Zone.String() || now.Sub(k.began) >= l.wholeEvery) {
		p.leaves = nil // better to begin from nothing
	}
	list := sorted(live)
	tick := Tick{AsOf: now, Segments: len(list), Whole: p.leaves == nil}
	if len(list) == 0 {
		p.leaves = nil
		p.members.Settle(now)
		return tick, nil
	}
	plan, err := p.plan(scope, list)
	if err != nil {
		return tick, err
	}
	affected, fresh, err := e.refresh(ctx, project, p, plan)
	if err != nil {
		return tick, err
	}
	tick.Leaves, tick.Read, tick.Affected = plan.Leaves(), fresh.read, affected.GetCardinality()
	p.unsaved.Or(affected)
	runs, kept, err := e.keep(ctx, project.ID, p, list, now, start, p.changes(plan, list, fresh.anew, p.unsaved))
	if err != nil || !kept { // the next tick begins from what is there by then
		return tick, err
	}
	tick.Runs = runs
	p.unsaved.Clear()
	for i, seg := range list {
		p.settled[seg.ID] = settled{p.runs[seg.ID].ID, plan.Key(i)}
	}
	if err := e.keepLiveAsOf(ctx, project.ID, now); err != nil {
		return tick, err
	}
	p.members.Settle(now)
	tick.Elapsed = time.Since(start)
	return tick, nil
}

// plan plans the live segments, to be brought up from what is remembered.
func (p *liveProject) plan(scope queries.Scope, list []Segment) (*queries.Plan, error) {
	scope.Before = scope.Now
	if p.leaves != nil {
		scope.Before = p.leaves.now
	}
	targets := make([]queries.Target, len(list))
	for i, seg := range list {
		targets[i] = queries.Target{ID: seg.ID, Definition: seg.Definition}
	}
	return queries.Compile(scope, targets)
}

// change is who entered and who exited a segment since its newest run.
type change struct {
	entered, exited *roaring.Bitmap
}

// bitmaps is the algebra of sets that are bitmaps.
var bitmaps = queries.Algebra[*roaring.Bitmap]{And: roaring.And, Or: roaring.Or, Without: roaring.AndNot}

// changes compares the members of each segment with those of its newest run. Of a segment that was settled, only the
// affected users can have changed; the others are compared whole.
func (p *liveProject) changes(plan *queries.Plan, list []Segment, anew map[int]bool, affected *roaring.Bitmap) []change {
	var some, all []int
	for i, seg := range list {
		if p.comparable(plan, i, seg, anew) {
			some = append(some, i)
		} else {
			all = append(all, i)
		}
	}
	changes := make([]change, len(list))
	parts := make([]*roaring.Bitmap, plan.Leaves()+1) // of the leaves
	if len(some) > 0 {
		inParallel(len(parts), func(from, to int) {
			for n := from; n < to; n++ {
				parts[n] = roaring.And(p.leaves.set(n), affected)
			}
		})
	}
	inParallel(len(some), func(from, to int) {
		for i, members := range queries.Combine(plan, some[from:to], func(n int) *roaring.Bitmap { return parts[n] }, bitmaps) {
			target := some[from+i]
			old := p.members.Members(list[target].ID)
			changes[target] = change{roaring.AndNot(members, old), roaring.AndNot(roaring.And(old, affected), members)}
		}
	})
	for i, members := range queries.Combine(plan, all, p.leaves.set, bitmaps) {
		old := p.members.Members(list[all[i]].ID)
		if old == nil {
			old = roaring.New()
		}
		changes[all[i]] = change{roaring.AndNot(members, old), roaring.AndNot(old, members)}
	}
	return changes
}

// comparable tells whether only affected users of a segment can have changed since its newest run.
func (p *liveProject) comparable(plan *queries.Plan, target int, seg Segment, anew map[int]bool) bool {
	run, ok := p.runs[seg.ID]
	if !ok || anew[0] || p.settled[seg.ID] != (settled{run.ID, plan.Key(target)}) {
		return false
	}
	for _, n := range plan.LeavesOf(target) {
		if anew[n] {
			return false
		}
	}
	return true
}

// inParallel has every processor do a part of n things.
func inParallel(n int, do func(from, to int)) {
	var group sync.WaitGroup
	processors := runtime.GOMAXPROCS(0)
	for i := range processors {
		group.Go(func() { do(n*i/processors, n*(i+1)/processors) })
	}
	group.Wait()
}
