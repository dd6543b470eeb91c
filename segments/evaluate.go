package segments

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"muster"
	"muster/clickhouse"
	"muster/projects"
	"muster/queries"
)

// Evaluator runs definitions. It is the only one in the product: previews, lists, materializations and exports all ask it.
type Evaluator struct {
	db       *clickhouse.DB
	store    *Store
	catalogs catalogs
	seen     seen
	turns    turns
	apart    apart
	// impatience divides the numbers of rows from which on a leaf is told to be expensive; tests are more impatient.
	impatience uint64
}

// NewEvaluator returns an evaluator of the definitions in store.
func NewEvaluator(db *clickhouse.DB, store *Store) *Evaluator {
	return &Evaluator{db: db, store: store, impatience: 1}
}

// At says for when a definition is evaluated. The zero value is now.
type At struct {
	AsOf    *time.Time
	KnownAt *time.Time // what was received later is ignored
}

// Preview is what a definition would give.
type Preview struct {
	Count, Of uint64
	Sample    []User
	Warnings  []Warning
	AsOf      time.Time // the pinned now
}

// Preview counts the users a definition holds for, and shows up to sample of them.
func (e *Evaluator) Preview(ctx context.Context, project projects.Project, d queries.Definition, at At, sample int) (Preview, error) {
	plan, scope, err := e.compile(ctx, project, d, at)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{AsOf: scope.Now}
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		uids, err := e.count(ctx, plan, &p, sample, at.asks(project.ID))
		if err != nil {
			return failed(ctx, "preview", err)
		}
		p.Sample, err = e.people(ctx, scope, uids, nil, false)
		return err
	})
	both.Go(func() (err error) {
		p.Warnings, err = e.warnings(ctx, scope, plan, d)
		return err
	})
	err = both.Wait()
	return p, err
}

// count counts the users of a preview, and returns the uids of the first of them. It presumes that there is nobody to be told apart
// but those who were found a while ago, and counts again where there are others.
func (e *Evaluator) count(ctx context.Context, plan *queries.Plan, p *Preview, sample int, of asked) ([]uint32, error) {
	for {
		presumption := plan.Presume(sample, e.apart.told(of))
		var target uint16
		var uids, found []uint32
		err := e.db.QueryRow(clickhouse.WithParameters(ctx, presumption.Parameters), presumption.SQL).Scan(&target, &p.Count, &p.Of, &uids, &found)
		if err != nil {
			return nil, err
		}
		wrong := presumption.Wrong(found)
		if len(wrong) == 0 {
			return uids, nil
		}
		e.apart.add(of, wrong)
	}
}

// compile plans one definition. What it may name is read only where it names something.
func (e *Evaluator) compile(ctx context.Context, project projects.Project, d queries.Definition, at At) (*queries.Plan, queries.Scope, error) {
	scope, err := pin(project, at)
	if err == nil && !queries.StandsAlone(d) {
		scope, _, err = e.scope(ctx, project, at)
	}
	if err != nil {
		return nil, scope, err
	}
	plan, err := queries.Compile(scope, []queries.Target{{Definition: d}})
	return plan, scope, err
}

// scope pins now, and reads what definitions may name: the current segments, which it returns too, and the imports.
func (e *Evaluator) scope(ctx context.Context, project projects.Project, at At) (queries.Scope, map[string]Segment, error) {
	var current map[string]Segment
	var imports map[string]bool
	both, reading := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		current, err = e.store.Current(reading, project.ID)
		return err
	})
	both.Go(func() (err error) {
		imports, err = e.store.imports(reading, project.ID)
		return err
	})
	if err := both.Wait(); err != nil {
		return queries.Scope{}, nil, err
	}
	scope, err := pin(project, at)
	scope.Lookup = func(id string) (queries.Definition, bool) {
		seg, ok := current[id]
		return seg.Definition, ok
	}
	scope.Imports = func(id string) bool { return imports[id] }
	return scope, current, err
}

// pin returns the scope of a project at a time, with now pinned.
func pin(project projects.Project, at At) (queries.Scope, error) {
	scope := queries.Scope{Project: project.ID, Zone: project.Zone, Now: time.Now().UTC().Truncate(time.Millisecond)}
	if at.AsOf != nil {
		if err := checkTime("as_of", *at.AsOf); err != nil {
			return scope, err
		}
		scope.Now = at.AsOf.UTC().Truncate(time.Millisecond)
	}
	if at.KnownAt != nil {
		if err := checkTime("known_at", *at.KnownAt); err != nil {
			return scope, err
		}
		scope.KnownAt = at.KnownAt.UTC()
	}
	return scope, nil
}

// checkTime refuses a time that ClickHouse could not count with.
func checkTime(name string, t time.Time) error {
	if y := t.Year(); y >= 1970 && y <= 2200 {
		return nil
	}
	return &muster.Error{
		Code: muster.InvalidArgument, Detail: name + " is out of range",
		Issues: []muster.Issue{{Pointer: "/" + name, Code: "out_of_range", Detail: name + " must be between the years 1970 and 2200"}},
	}
}

// failed says what went wrong with a query: that it took too long, that ClickHouse is away, or that it is our fault.
func failed(ctx context.Context, what string, err error) error {
	switch {
	case ctx.Err() != nil:
		return &muster.Error{
			Code: muster.Timeout, Detail: what + ": stopped before it was done; there is no partial answer", Err: err,
			Hint: "narrow the time windows, or try again",
		}
	case clickhouse.IsUnavailable(err):
		return &muster.Error{Code: muster.Unavailable, Detail: what + ": ClickHouse cannot do this now; try again soon", Err: err}
	}
	return fmt.Errorf("%s: %w", what, err)
}
