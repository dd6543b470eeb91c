package queries_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
	"muster/queries"
)

// eval returns the names of the users a definition holds for, from the product's statement.
func (fx *fixture) eval(ctx context.Context, definition string) ([]string, error) {
	if err := fx.ready(ctx); err != nil {
		return nil, err
	}
	d, err := queries.Decode([]byte(definition))
	if err != nil {
		return nil, err
	}
	plan, err := queries.Compile(fx.scope(), []queries.Target{{Definition: d}})
	if err != nil {
		return nil, err
	}
	statement := plan.Page(0, 1000)
	var total uint64
	var uids []uint32
	if err := fx.db.QueryRow(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL).Scan(&total, &uids); err != nil {
		return nil, fmt.Errorf("%w\n%s\n%v", err, statement.SQL, statement.Parameters)
	}
	if total != uint64(len(uids)) {
		return nil, fmt.Errorf("the total is %d, the page has %d users", total, len(uids))
	}
	return fx.named(uids), nil
}

// members evaluates definitions in one statement, and returns their users by name.
func (fx *fixture) members(ctx context.Context, targets []queries.Target) ([][]string, error) {
	plan, err := queries.Compile(fx.scope(), targets)
	if err != nil {
		return nil, err
	}
	all, _, err := fx.counted(ctx, plan.Counts(10_000), len(targets), false)
	return all, err
}

// presumed does the same, presumes at first that nobody has to be told apart, and then tells apart who was found.
func (fx *fixture) presumed(ctx context.Context, targets []queries.Target) ([][]string, error) {
	plan, err := queries.Compile(fx.scope(), targets)
	if err != nil {
		return nil, err
	}
	told := map[queries.Apart]bool{}
	for {
		presumption := plan.Presume(10_000, func(set queries.Apart) bool { return told[set] })
		all, found, err := fx.counted(ctx, presumption.Statement, len(targets), true)
		if err != nil {
			return nil, err
		}
		wrong := presumption.Wrong(found)
		if len(wrong) == 0 {
			if presumption.Presumes() {
				fx.held++
			}
			return all, nil
		}
		for _, set := range wrong {
			if told[set] {
				return nil, fmt.Errorf("%v is found although it is told apart", set)
			}
			told[set] = true
		}
		fx.failed++
	}
}

// counted runs a statement that counts, and returns the users by name; and what it found, where it presumes.
func (fx *fixture) counted(ctx context.Context, statement queries.Statement, targets int, presumes bool) (all [][]string, found []uint32, err error) {
	rows, err := fx.db.Query(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	all = make([][]string, targets)
	for rows.Next() {
		var target uint16
		var size, of uint64
		var uids []uint32
		into := []any{&target, &size, &of, &uids}
		if presumes {
			into = append(into, &found)
		}
		if err := rows.Scan(into...); err != nil {
			return nil, nil, err
		}
		if size != uint64(len(uids)) || size > of {
			return nil, nil, fmt.Errorf("%d of %d members, but %d are listed", size, of, len(uids))
		}
		all[target] = fx.named(uids)
	}
	return all, found, rows.Err()
}

// kept materializes definitions, and returns the members that were kept, by name.
func (fx *fixture) kept(ctx context.Context, targets []queries.Target) ([][]string, error) {
	targets = slices.Clone(targets)
	runs := make([]queries.Run, len(targets))
	for i := range targets {
		targets[i].ID, runs[i].ID = strconv.Itoa(i), uuid.New()
	}
	plan, err := queries.Compile(fx.scope(), targets)
	if err != nil {
		return nil, err
	}
	statement := plan.Materialize(runs)
	if err := fx.db.Exec(clickhouse.WithParameters(ctx, statement.Parameters), statement.SQL); err != nil {
		return nil, err
	}
	rows, err := fx.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": strconv.Itoa(int(fx.project))}),
		`SELECT segment, run, bitmapToArray(members) FROM segment_members WHERE project = {project:UInt32}`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := make([][]string, len(targets))
	for rows.Next() {
		var segment string
		var run uuid.UUID
		var uids []uint32
		if err := rows.Scan(&segment, &run, &uids); err != nil {
			return nil, err
		}
		target, err := strconv.Atoi(segment)
		if err != nil {
			return nil, err
		}
		if target < len(runs) && runs[target].ID == run {
			all[target] = fx.named(uids)
		}
	}
	return all, rows.Err()
}

// named returns users by the names they are known by, sorted.
func (fx *fixture) named(uids []uint32) []string {
	var names []string
	for _, uid := range uids {
		names = append(names, fx.names[uid])
	}
	slices.Sort(names)
	return names
}

// evaluated tells whether a user is one of those who are evaluated.
func (fx *fixture) evaluated(user string) bool {
	return fx.every == 0 || int(fx.actor(user)>>1)%fx.every == 0
}

// evaluatedActors are all actors of the users who are evaluated; nil for everybody's.
func (fx *fixture) evaluatedActors() []muster.Actor {
	if fx.every == 0 {
		return nil
	}
	actors := []muster.Actor{}
	for _, v := range fx.actors {
		if fx.evaluated(fx.root(v).name) {
			actors = append(actors, fx.actor(v.name))
		}
	}
	return actors
}

func (fx *fixture) scope() queries.Scope {
	return queries.Scope{
		Project: fx.project, Now: fx.now, KnownAt: fx.known, Zone: fx.zone, Actors: fx.evaluatedActors(),
		Lookup: func(id string) (queries.Definition, bool) {
			d, ok := fx.segments[id]
			return d, ok
		},
		Imports: func(id string) bool { return fx.imports[id] },
	}
}

// ready brings everything said so far into the database, and the actors into the index.
func (fx *fixture) ready(ctx context.Context) error {
	if err := fx.insert(ctx); err != nil {
		return err
	}
	if fx.indexed {
		return nil
	}
	fx.indexed = true
	return fx.index(ctx)
}

func (fx *fixture) index(ctx context.Context) error {
	if _, err := fx.db.actors.Run(ctx); err != nil {
		return err
	}
	fx.names = map[uint32]string{}
	rows, err := fx.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": strconv.Itoa(int(fx.project))}),
		`SELECT uid, argMin(id, rank) FROM actors FINAL WHERE project = {project:UInt32} GROUP BY uid`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var uid uint32
		var id string
		if err := rows.Scan(&uid, &id); err != nil {
			return err
		}
		fx.names[uid] = id
	}
	return rows.Err()
}
