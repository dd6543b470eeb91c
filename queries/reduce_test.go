package queries_test

import (
	"context"
	"slices"
	"strings"

	"muster"
	"muster/queries"
)

// counterexample is a project and a definition of which the product and the oracle say different things.
type counterexample struct {
	lines      []string // of a fixture, without the evaluation
	asked      asked
	definition object
}

// reduce makes a counter-example as small as it can: rapid shrinks the numbers an example was drawn from, and this the
// example itself, a line and a condition at a time. It returns a fixture with what the oracle says.
func (c counterexample) reduce(ctx context.Context, db database) string {
	project := muster.ProjectID(1 << 20)
	fails := func(c counterexample) bool {
		project++
		return c.fails(ctx, db.fixture(project))
	}
	for again := true; again; {
		again = false
		for size := len(c.lines); size > 0; size /= 2 {
			for from := 0; from < len(c.lines); {
				smaller := c
				smaller.lines = slices.Delete(slices.Clone(c.lines), from, min(from+size, len(c.lines)))
				if fails(smaller) {
					c, again = smaller, true
				} else {
					from += size
				}
			}
		}
		for i := 0; i < 100; i++ {
			all := smallerDefinitions(c.definition, c.segments())
			if i >= len(all) {
				break
			}
			smaller := c
			smaller.definition = all[i]
			if fails(smaller) {
				c, again, i = smaller, true, -1
			}
		}
	}
	fx := db.fixture(project + 1)
	if _, err := c.evaluate(ctx, fx); err != nil {
		return err.Error()
	}
	return fixtureText(c.lines, c.asked, c.definition, fx.oracle().members(c.definition))
}

// fails tells whether the two still say different things. What is no project any more does not count.
func (c counterexample) fails(ctx context.Context, fx *fixture) bool {
	all, err := c.evaluate(ctx, fx)
	if err != nil {
		return false
	}
	o := fx.oracle()
	for _, u := range o.users {
		if len(u.events) == 0 {
			return false
		}
	}
	want := slices.DeleteFunc(o.members(c.definition), func(name string) bool { return !fx.evaluated(name) })
	return slices.ContainsFunc(all, func(got []string) bool { return !slices.Equal(got, want) })
}

// evaluate returns what the product says, evaluated in each way that needs no more than one definition.
func (c counterexample) evaluate(ctx context.Context, fx *fixture) ([][]string, error) {
	if err := fx.loadAll(append(slices.Clone(c.lines), c.asked.lines()...)); err != nil {
		return nil, err
	}
	fx.every = c.asked.every
	text := jsonOf(c.definition)
	page, err := fx.eval(ctx, text)
	if err != nil {
		return nil, err
	}
	d, err := queries.Decode([]byte(text))
	if err != nil {
		return nil, err
	}
	presumed, err := fx.presumed(ctx, []queries.Target{{Definition: d}})
	if err != nil {
		return nil, err
	}
	return [][]string{page, presumed[0]}, nil
}

func (c counterexample) segments() map[string]object {
	w := newWorld()
	for _, line := range c.lines {
		if rest, ok := strings.CutPrefix(line, "segment "); ok {
			id, definition, _ := strings.Cut(rest, " ")
			if err := w.segment(id, []byte(definition)); err != nil {
				panic(err)
			}
		}
	}
	return w.segments
}

// smallerDefinitions are a definition with one thing less in it: a part alone, a group without one of its parts, a leaf without
// one of its fields, a segment's definition in its place; here or anywhere inside.
func smallerDefinitions(o object, segments map[string]object) []object {
	var all []object
	changed := func(key string, value any) {
		smaller := plain(o)
		if value == nil {
			delete(smaller, key)
		} else {
			smaller[key] = value
		}
		all = append(all, smaller)
	}
	if id, ok := o["segment"].(string); ok && segments[id] != nil {
		all = append(all, segments[id])
	}
	for _, key := range []string{"all", "any", "of"} {
		parts, ok := o[key].([]any)
		if !ok {
			continue
		}
		for _, part := range parts {
			all = append(all, part.(object))
		}
		for i := range parts {
			if len(parts) > 1 {
				changed(key, slices.Delete(slices.Clone(parts), i, i+1))
			}
			for _, smaller := range smallerDefinitions(parts[i].(object), segments) {
				less := slices.Clone(parts)
				less[i] = smaller
				changed(key, less)
			}
		}
	}
	for _, key := range []string{"not", "where"} {
		inner, ok := o[key].(object)
		if !ok {
			continue
		}
		if key == "not" {
			all = append(all, inner)
		}
		for _, smaller := range smallerDefinitions(inner, segments) {
			changed(key, smaller)
		}
	}
	for _, key := range []string{"where", "count", "within", "between", "since", "ignore_case", "latest", "complete_within", "interaction"} {
		if _, ok := o[key]; ok {
			changed(key, nil)
		}
	}
	if steps, ok := o["sequence"].([]any); ok {
		for i := range steps {
			changed("sequence", slices.Delete(slices.Clone(steps), i, i+1))
		}
	}
	return all
}
