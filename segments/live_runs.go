package segments

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
	"muster/membership"
	"muster/queries"
)

// maxSteps is how many runs may be over one base: what it takes at most to read the members of a run.
const maxSteps = 1000

// followRuns takes in the newest runs of live segments: who entered and exited, where it comes after the run that is known, or all
// its members.
func (e *Evaluator) followRuns(ctx context.Context, project muster.ProjectID, p *liveProject, newest newestRuns, live map[string]Segment) error {
	names := make(map[string]membership.Segment, len(live))
	var whole, after []Run
	for id, seg := range live {
		names[id] = membership.Segment{ID: id, Name: seg.Name, BrowserVisible: seg.BrowserVisible}
		run, known := newest.runs[id], p.runs[id]
		switch {
		case run == nil || run.ID == known.ID:
		case known.ID != uuid.Nil && run.Previous == known.ID:
			after = append(after, *run)
		default:
			whole = append(whole, *run)
		}
	}
	if err := e.loadMembers(ctx, project, whole, func(run Run, members *roaring.Bitmap) {
		members.AndNot(p.erased)
		p.members.Put(names[run.Segment], members)
		p.runs[run.Segment] = run
	}); err != nil {
		return err
	}
	if err := e.loadChanges(ctx, project, after, func(run Run, c change) {
		c.entered.AndNot(p.erased)
		p.members.Change(run.Segment, c.entered, c.exited)
		p.runs[run.Segment] = run
	}); err != nil {
		return err
	}
	for id := range p.runs {
		if _, ok := live[id]; !ok {
			delete(p.runs, id)
			delete(p.settled, id)
		}
	}
	p.members.Keep(names)
	p.tick = newest.tick
	return nil
}

// newestRuns are the newest run of each segment, and the number of the newest tick that made some.
type newestRuns struct {
	tick uint64
	runs map[string]*Run
}

func (e *Evaluator) newestRuns(ctx context.Context, project muster.ProjectID) (newest newestRuns, err error) {
	// The number first: runs that come in between are of a later tick, and the one that follows from here is refused.
	if newest.tick, err = e.lastTick(ctx, project); err != nil {
		return newest, err
	}
	newest.runs, err = e.LastRuns(ctx, project)
	return newest, err
}

// lastTick returns the number of the newest tick that made runs.
func (e *Evaluator) lastTick(ctx context.Context, project muster.ProjectID) (uint64, error) {
	var tick uint64
	err := e.db.QueryRow(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": number(project)}),
		`SELECT max(tick) FROM segment_runs WHERE project = {project:UInt32}`).Scan(&tick)
	if err != nil {
		return 0, failed(ctx, "read the newest tick", err)
	}
	return tick, nil
}

// loadMembers reads all members of runs.
func (e *Evaluator) loadMembers(ctx context.Context, project muster.ProjectID, runs []Run, add func(Run, *roaring.Bitmap)) error {
	if len(runs) == 0 {
		return nil
	}
	waiting := map[string]Run{}
	ids, bases, steps := make([]string, len(runs)), make([]uuid.UUID, len(runs)), make([]uint64, len(runs))
	for i, run := range runs {
		ids[i], bases[i], steps[i] = run.Segment, run.Base, uint64(run.Step)
		waiting[run.Segment] = run
	}
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": number(project), "segments": queries.Texts(ids), "bases": queries.UUIDs(bases), "steps": numbers(steps),
	}), `
		SELECT segment, toString(groupBitmapXorState(if(has({bases:Array(UUID)}, run), members, bitmapOr(entered, exited))))
		FROM segment_members
		WHERE project = {project:UInt32} AND segment IN {segments:Array(String)} AND run IN (
			SELECT run FROM segment_runs
			WHERE project = {project:UInt32} AND segment IN {segments:Array(String)} AND has({bases:Array(UUID)}, base)
				AND step <= {steps:Array(UInt32)}[indexOf({bases:Array(UUID)}, base)])
		GROUP BY segment`)
	if err != nil {
		return failed(ctx, "load members", err)
	}
	defer rows.Close()
	for rows.Next() {
		var segment, state string
		if err := rows.Scan(&segment, &state); err != nil {
			return failed(ctx, "load members", err)
		}
		members, err := membership.Decode(state)
		if err != nil {
			return err
		}
		add(waiting[segment], members)
		delete(waiting, segment)
	}
	if err := rows.Err(); err != nil {
		return failed(ctx, "load members", err)
	}
	for _, run := range waiting { // nobody is in them
		add(run, roaring.New())
	}
	return nil
}

// loadChanges reads who entered and who exited in runs.
func (e *Evaluator) loadChanges(ctx context.Context, project muster.ProjectID, runs []Run, add func(Run, change)) error {
	if len(runs) == 0 {
		return nil
	}
	waiting := map[string]Run{}
	segments, ids := make([]string, len(runs)), make([]uuid.UUID, len(runs))
	for i, run := range runs {
		segments[i], ids[i] = run.Segment, run.ID
		waiting[run.Segment] = run
	}
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": number(project), "segments": queries.Texts(segments), "runs": queries.UUIDs(ids),
	}), `
		SELECT segment, toString(groupBitmapMergeState(entered)), toString(groupBitmapMergeState(exited))
		FROM segment_members
		WHERE project = {project:UInt32} AND segment IN {segments:Array(String)} AND has({runs:Array(UUID)}, run)
		GROUP BY segment`)
	if err != nil {
		return failed(ctx, "load changes", err)
	}
	defer rows.Close()
	for rows.Next() {
		var segment, entered, exited string
		if err := rows.Scan(&segment, &entered, &exited); err != nil {
			return failed(ctx, "load changes", err)
		}
		var c change
		if c.entered, err = membership.Decode(entered); err != nil {
			return err
		}
		if c.exited, err = membership.Decode(exited); err != nil {
			return err
		}
		add(waiting[segment], c)
		delete(waiting, segment)
	}
	if err := rows.Err(); err != nil {
		return failed(ctx, "load changes", err)
	}
	for _, run := range waiting { // nobody moved
		add(run, change{roaring.New(), roaring.New()})
	}
	return nil
}

// keep makes a run of each segment somebody entered or exited, that has none yet, or that has a new revision, and takes it into
// the members in memory. It reports false, and nothing is kept, when another process has made the tick of this number, or when
// somebody in it was erased meanwhile.
func (e *Evaluator) keep(ctx context.Context, project muster.ProjectID, p *liveProject, list []Segment, now, start time.Time, changes []change) ([]Run, bool, error) {
	var runs []Run
	var made []change
	rows := memberRows{evaluator: e, project: project, users: roaring.New()}
	for i, seg := range list {
		c, before := changes[i], p.runs[seg.ID]
		if before.Revision == seg.Revision && c.entered.IsEmpty() && c.exited.IsEmpty() {
			continue
		}
		id, err := uuid.NewV7()
		if err != nil {
			return nil, false, fmt.Errorf("make a run id: %w", err)
		}
		hash := before.DefinitionHash
		if before.Revision != seg.Revision {
			hash = queries.Hash(seg.Definition)
		}
		run := Run{
			ID: id, Segment: seg.ID, Revision: seg.Revision, DefinitionHash: hash, AsOf: now, Previous: before.ID,
			Base: before.Base, Step: before.Step + 1, Tick: p.tick + 1, Entered: c.entered.GetCardinality(), Exited: c.exited.GetCardinality(),
			Size: c.entered.GetCardinality() - c.exited.GetCardinality(),
		}
		old := p.members.Members(seg.ID)
		if old != nil {
			run.Size += old.GetCardinality() // not what the run before says: users may have been erased since
		}
		var members *roaring.Bitmap
		if before.Revision != seg.Revision || run.Step > maxSteps {
			run.Base, run.Step = run.ID, 0
			members = c.entered.Clone()
			if old != nil {
				members = roaring.AndNot(old, c.exited)
				members.Or(c.entered)
			}
		}
		if err := rows.add(ctx, run, members, c); err != nil {
			return nil, false, err
		}
		runs, made = append(runs, run), append(made, c)
	}
	if len(runs) == 0 {
		return nil, true, nil
	}
	if err := rows.send(ctx); err != nil {
		return nil, false, err
	}
	// The bitmaps are there: whoever is erased and not found here is taken out of them by the erasure.
	if gone, err := e.withdrawFrom(ctx, project, start, rows.users.Intersects, nil); err != nil || gone {
		return nil, false, err
	}
	finished := time.Now().UTC().Truncate(time.Millisecond)
	for i := range runs {
		runs[i].Elapsed, runs[i].FinishedAt = time.Since(start), finished
	}
	// All runs of a tick are one block. Its token makes the number of the tick a compare-and-swap.
	token := fmt.Sprintf("live/%d/%d", project, p.tick+1)
	if err := e.finish(clickhouse.WithInsertToken(ctx, token), project, runs); err != nil {
		return nil, false, err
	}
	won, err := e.finished(ctx, project, runs[0])
	if err != nil || !won {
		return nil, false, err
	}
	for i, run := range runs {
		seg := list[indexOf(list, run.Segment)]
		if p.members.Members(seg.ID) == nil {
			p.members.Put(membership.Segment{ID: seg.ID, Name: seg.Name, BrowserVisible: seg.BrowserVisible}, roaring.New())
		}
		p.members.Change(seg.ID, made[i].entered, made[i].exited)
		p.runs[seg.ID] = run
	}
	p.tick++
	// Once more, for the sizes.
	_, err = e.withdrawFrom(ctx, project, start, func(erased *roaring.Bitmap) bool {
		for i, run := range runs {
			if p.members.Members(run.Segment).Intersects(erased) || made[i].exited.Intersects(erased) {
				return true
			}
		}
		return false
	}, runs)
	return runs, true, err
}

// withdrawFrom takes out of all memberships who was erased since a time and is among some users, and tells whether anybody was.
func (e *Evaluator) withdrawFrom(ctx context.Context, project muster.ProjectID, began time.Time, among func(*roaring.Bitmap) bool, counted []Run) (bool, error) {
	uids, err := e.erasedSince(ctx, project, began)
	if err != nil || len(uids) == 0 || !among(roaring.BitmapOf(uids...)) {
		return false, err
	}
	return true, e.withdraw(ctx, project, uids, counted)
}

func indexOf(list []Segment, id string) int {
	for i, seg := range list {
		if seg.ID == id {
			return i
		}
	}
	panic(fmt.Sprintf("segment %s is not in the list", id))
}

// finished tells whether a run is there.
func (e *Evaluator) finished(ctx context.Context, project muster.ProjectID, run Run) (bool, error) {
	var n uint64
	err := e.db.QueryRow(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": number(project), "segment": queries.Text(run.Segment), "run": run.ID.String(),
	}), `SELECT count() FROM segment_runs WHERE project = {project:UInt32} AND segment = {segment:String} AND run = {run:UUID}`).Scan(&n)
	if err != nil {
		return false, failed(ctx, "read back the runs", err)
	}
	return n > 0, nil
}

// liveAsOf returns the time as of which the newest runs of live segments are current; the epoch before the first tick.
func (e *Evaluator) liveAsOf(ctx context.Context, project muster.ProjectID) (time.Time, error) {
	var asOf time.Time
	err := e.db.QueryRow(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": number(project)}),
		`SELECT max(as_of) FROM live_ticks WHERE project = {project:UInt32}`).Scan(&asOf)
	if err != nil {
		return asOf, failed(ctx, "read how current live segments are", err)
	}
	return asOf, nil
}

func (e *Evaluator) keepLiveAsOf(ctx context.Context, project muster.ProjectID, asOf time.Time) error {
	err := e.db.Exec(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": number(project), "as_of": number(asOf.UnixMilli())}),
		`INSERT INTO live_ticks SELECT {project:UInt32}, fromUnixTimestamp64Milli({as_of:Int64}, 'UTC')`)
	if err != nil {
		return failed(ctx, "keep how current live segments are", err)
	}
	return nil
}

func numbers(all []uint64) string {
	texts := make([]string, len(all))
	for i, n := range all {
		texts[i] = number(n)
	}
	return "[" + strings.Join(texts, ",") + "]"
}
