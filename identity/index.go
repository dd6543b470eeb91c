package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
)

// passSize bounds the new actors one pass takes, and so the memory and the size of its parameters.
const passSize = 20_000

// arrivalOverlap is how far before the newest row seen a pass looks again: an insert becomes visible a little after
// the time it carries.
const arrivalOverlap = 2 * time.Minute

// Index assigns actors to users. One Index per process is enough; several processes may run theirs at once, because a
// batch is written under a deduplication token that only one of them can use.
type Index struct {
	db   *clickhouse.DB
	seen time.Time // of the newest identities row taken
	load time.Duration
}

// NewIndex returns an index over db. [Index.Open] must be called before anything is queried.
func NewIndex(db *clickhouse.DB) *Index { return &Index{db: db} }

// Open creates the dictionary, or replaces it: its source names this start's password. Besides the actors it has the highest uid of
// each project, under the project's number, which is read first so that it is of no actor that is not there.
func (x *Index) Open(ctx context.Context) error {
	ddl := `CREATE OR REPLACE DICTIONARY actor_uids (actor UInt64, uid UInt32, rank UInt16) PRIMARY KEY actor ` +
		x.db.DictionarySource(`SELECT toUInt64(project) AS actor, max(uid) AS uid, toUInt16(0) AS rank FROM `+x.db.Name()+`.actors GROUP BY project
			UNION ALL SELECT actor, uid, rank FROM `+x.db.Name()+`.actors FINAL`) + ` LAYOUT(HASHED()) LIFETIME(0)`
	if err := x.db.Exec(ctx, ddl); err != nil {
		return fmt.Errorf("create the dictionary of actors: %w", err)
	}
	return x.reload(ctx)
}

// Run takes everything said since the last run into the index, and returns how many actors changed. When it returns
// without an error, every identifier that was in table identities before is queryable.
func (x *Index) Run(ctx context.Context) (int, error) {
	newest, err := x.newestArrival(ctx)
	if err != nil {
		return 0, err
	}
	since := x.seen
	if !since.IsZero() {
		since = since.Add(-arrivalOverlap)
	}
	total := 0
	for more := true; more; {
		changed := 0
		if more, changed, err = x.pass(ctx, since); err != nil {
			return total, err
		}
		if more && changed == 0 {
			return total, errors.New("index actors: a full pass changed nothing")
		}
		total += changed
	}
	x.seen = newest
	return total, nil
}

// Cost is how long the dictionary last took to load: what a run with changes costs at least.
func (x *Index) Cost() time.Duration { return x.load }

// pass indexes up to passSize new actors, and those that stand apart from the user they belong to. It reports whether
// more new ones may be waiting.
func (x *Index) pass(ctx context.Context, since time.Time) (more bool, changed int, err error) {
	todo, err := x.unindexed(ctx, since)
	if err != nil {
		return false, 0, err
	}
	fresh := 0
	byProject := map[muster.ProjectID][]muster.Actor{}
	for _, c := range todo {
		byProject[c.project] = append(byProject[c.project], c.actor)
		if c.fresh {
			fresh++
		}
	}
	for project, actors := range byProject {
		n, err := x.indexProject(ctx, project, actors)
		if err != nil {
			return false, changed, fmt.Errorf("index the actors of project %d: %w", project, err)
		}
		changed += n
	}
	if changed > 0 {
		err = x.reload(ctx)
	}
	return fresh == passSize, changed, err
}

// indexProject brings the index up to date for the given actors and everybody they are linked with.
func (x *Index) indexProject(ctx context.Context, project muster.ProjectID, actors []muster.Actor) (int, error) {
	sayings, err := x.sayings(ctx, project, actors)
	if err != nil {
		return 0, err
	}
	for attempt := range 5 {
		s, version, err := x.state(ctx, project, sayings)
		if err != nil {
			return 0, err
		}
		rows := resolve(sayings, s)
		if len(rows) == 0 {
			return 0, nil
		}
		won, err := x.append(ctx, project, version+1, rows)
		if err != nil {
			return 0, err
		}
		if won {
			return len(rows), nil
		}
		if err := sleep(ctx, time.Duration(attempt+1)*50*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return 0, errors.New("another process kept indexing the same project; try again")
}

// append writes one batch as a version of its own. The token makes the version a compare-and-swap: of several
// processes that computed the same version from the same state, the first to write wins and the others are dropped.
func (x *Index) append(ctx context.Context, project muster.ProjectID, version uint64, rows []assignment) (bool, error) {
	id := uuid.New()
	token := fmt.Sprintf("actors/%d/%d", project, version)
	batch, err := x.db.PrepareBatch(clickhouse.WithInsertToken(ctx, token),
		`INSERT INTO actors (project, actor, uid, rank, kind, id, version, batch, vacated)`)
	if err != nil {
		return false, fmt.Errorf("prepare: %w", err)
	}
	defer batch.Close()
	for _, row := range rows {
		if err := batch.Append(uint32(project), uint64(row.actor), row.place.uid, row.place.rank, int8(row.kind), row.id,
			version, id, row.vacated); err != nil {
			return false, fmt.Errorf("append: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return false, fmt.Errorf("send: %w", err)
	}
	var winner uuid.UUID
	err = x.db.QueryRow(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": num(project), "version": num(version)}),
		`SELECT any(batch) FROM actors WHERE project = {project:UInt32} AND version = {version:UInt64}`).Scan(&winner)
	if err != nil {
		return false, fmt.Errorf("read back version %d: %w", version, err)
	}
	return winner == id, nil
}

// reload makes the dictionary read the index again.
func (x *Index) reload(ctx context.Context) error {
	start := time.Now()
	if err := x.db.Exec(ctx, `SYSTEM RELOAD DICTIONARY actor_uids`); err != nil {
		return fmt.Errorf("reload the dictionary of actors: %w", err)
	}
	x.load = time.Since(start)
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// sortedActors returns the actors in a stable order, each once.
func sortedActors(actors []muster.Actor) []muster.Actor {
	slices.Sort(actors)
	return slices.Compact(actors)
}
