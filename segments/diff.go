package segments

import (
	"context"

	"muster/clickhouse"
	"muster/projects"
	"muster/queries"
)

// Diff is what changes when a definition takes the place of another.
type Diff struct {
	Revision                   uint32 // of the segment that was compared with; 0 where it was a definition
	Of                         uint64 // users there are
	Before, After              uint64 // members with the one and with the other
	Entering, Leaving, Staying Moved
	Warnings                   []Warning // about the new definition
	Scope                      queries.Scope
}

// Moved are users who enter, leave or stay.
type Moved struct {
	Count  uint64
	Sample []User
}

// DiffSegment compares a segment as it is with a definition it may get, which is refused where saving it would be.
func (e *Evaluator) DiffSegment(ctx context.Context, project projects.Project, id string, draft queries.Definition, at At, sample int) (Diff, error) {
	scope, current, err := e.scope(ctx, project, at)
	if err != nil {
		return Diff{}, err
	}
	seg, ok := current[id]
	if !ok {
		return Diff{}, notFound(id)
	}
	saved := scope.Lookup
	err = queries.CheckReferences(id, func(of string) (queries.Definition, bool) {
		if of == id {
			return draft, true
		}
		return saved(of)
	}, scope.Imports)
	if err != nil {
		return Diff{}, err
	}
	diff, err := e.diff(ctx, scope, seg.Definition, draft, sample)
	diff.Revision = seg.Revision
	return diff, err
}

// DiffDefinitions compares two definitions.
func (e *Evaluator) DiffDefinitions(ctx context.Context, project projects.Project, before, after queries.Definition, at At, sample int) (Diff, error) {
	scope, _, err := e.scope(ctx, project, at)
	if err != nil {
		return Diff{}, err
	}
	for _, d := range []struct {
		at         string
		definition queries.Definition
	}{{"/before", before}, {"/definition", after}} {
		if _, err := queries.Compile(scope, []queries.Target{{Definition: d.definition}}); err != nil {
			return Diff{}, queries.At(d.at, err)
		}
	}
	return e.diff(ctx, scope, before, after, sample)
}

// diff evaluates both definitions in one statement, so that they are of the same users at the same time.
func (e *Evaluator) diff(ctx context.Context, scope queries.Scope, before, after queries.Definition, sample int) (Diff, error) {
	plan, err := queries.Compile(scope, []queries.Target{{Definition: before}, {Definition: after}})
	if err != nil {
		return Diff{}, err
	}
	d := Diff{Scope: scope}
	var sizes []uint64
	var samples [][]uint32
	statement := plan.Diff(sample)
	err = e.db.QueryRow(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL).Scan(&d.Of, &d.Before, &d.After, &sizes, &samples)
	if err != nil {
		return Diff{}, failed(ctx, "compare definitions", err)
	}
	for i, moved := range []*Moved{&d.Entering, &d.Leaving, &d.Staying} {
		moved.Count = sizes[i]
		if moved.Sample, err = e.people(ctx, scope, samples[i], nil, false); err != nil {
			return Diff{}, err
		}
	}
	alone, err := queries.Compile(scope, []queries.Target{{Definition: after}})
	if err != nil {
		return Diff{}, err
	}
	d.Warnings, err = e.warnings(ctx, scope, alone, after)
	return d, err
}
