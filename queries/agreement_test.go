package queries_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster"
	"muster/queries"
)

// The product's sets of users are those of a naive evaluator, over generated projects and definitions: as of now and of other
// times, as things were known at other times, counted and kept. A counter-example is shrunk, and printed as a fixture.
func TestTheEvaluatorAgreesWithTheOracle(t *testing.T) {
	const projectsInADatabase = 100
	var db database
	var smallest *counterexample // that rapid came to
	projects, pairs, apart := muster.ProjectID(0), 0, 0
	held, failed := 0, 0 // presumptions
	agreed := t.Run("generated", rapid.MakeCheck(func(rt *rapid.T) {
		if projects%projectsInADatabase == 0 {
			db = newDatabase(t)
			t.Logf("%d pairs so far, in %d projects", pairs, projects)
		}
		projects++
		made := drawProject(rt)
		fx := db.fixture(projects)
		c, told, err := made.disagreement(t.Context(), fx)
		if err != nil {
			rt.Fatal(err)
		}
		if c != nil {
			smallest = c
			rt.Fatal("the product and the oracle disagree")
		}
		pairs, apart = pairs+len(made.definitions), apart+told
		held, failed = held+fx.held, failed+fx.failed
	}))
	if !agreed && smallest != nil {
		t.Errorf("the oracle says what stands here, and the product does not:\n\n%s", smallest.reduce(t.Context(), newDatabase(t)))
	}
	t.Logf("%d pairs of a definition and a project agree, in %d projects; %d tell users apart", pairs, projects, apart)
	if asked := flag.Lookup("rapid.checks").Value.String(); agreed && fmt.Sprint(projects) != asked {
		t.Errorf("there was time for %d projects only, not for %s", projects, asked) // rapid stops before a deadline
	}
	t.Logf("%d presumptions of nobody to be told apart held, %d failed", held, failed)
	if agreed && (held == 0 || failed == 0) {
		t.Error("presumptions never held, or always")
	}
	if apart < pairs/4 {
		t.Errorf("only %d of %d pairs tell users apart", apart, pairs)
	}
}

// generated is a project, and definitions to ask of it.
type generated struct {
	lines       []string // of a fixture, without an evaluation
	definitions []object
	targets     []queries.Target
	asked       []asked
}

// asked is when the definitions are evaluated, and how.
type asked struct {
	now, known time.Time // known is zero for all
	keep       bool      // materialize, and read what was kept
	every      int       // evaluate only one in so many users; zero is all
}

func (a asked) lines() []string {
	lines := []string{"now " + a.now.UTC().Format(time.RFC3339Nano), "known all"}
	if !a.known.IsZero() {
		lines[1] = "known " + a.known.UTC().Format(time.RFC3339Nano)
	}
	return lines
}

// drawProject draws a project and definitions of every kind, nested up to five deep. Definitions share leaves, since a leaf
// is what costs: this way there are many of them.
func drawProject(rt *rapid.T) generated {
	return rapid.Custom(func(rt *rapid.T) generated {
		g := &generator{T: rt, world: newWorld()}
		g.pin()
		made := generated{lines: g.lines()}
		var leaves []object
		for range 1 + g.below(20) {
			leaves = append(leaves, g.leaf())
		}
		var segments []string
		for i := range g.below(5) {
			id := fmt.Sprintf("s%d", i)
			made.lines = append(made.lines, "segment "+id+" "+jsonOf(g.definition(2, leaves, segments)))
			segments = append(segments, id)
		}
		for range 1 + g.below(120) {
			definition := plain(g.definition(5, leaves, segments))
			if len(jsonOf(definition)) > queries.MaxBytes {
				continue
			}
			made.definitions = append(made.definitions, definition)
			d, err := queries.Decode([]byte(jsonOf(definition)))
			if err != nil {
				rt.Fatalf("%s: %v", jsonOf(definition), err)
			}
			made.targets = append(made.targets, queries.Target{Definition: d})
		}
		made.asked = []asked{{now: g.now}, {now: g.now, keep: true}, {now: g.instant(), every: 2}, {now: g.instant(), known: g.instant()}}
		return made
	}).Draw(rt, "project")
}

// evaluator evaluates definitions, and returns their users by name.
type evaluator func(context.Context, []queries.Target) ([][]string, error)

// disagreement compares everything that is asked. It returns the first definition of which the oracle says something else, or
// none, and how many definitions held for some users but not for all.
func (made generated) disagreement(ctx context.Context, fx *fixture) (c *counterexample, told int, err error) {
	if err := fx.loadAll(made.lines); err != nil {
		return nil, 0, err
	}
	if err := fx.ready(ctx); err != nil {
		return nil, 0, err
	}
	for i, a := range made.asked {
		if err := fx.loadAll(a.lines()); err != nil {
			return nil, 0, err
		}
		fx.every = a.every
		evaluations := []evaluator{fx.members, fx.presumed}
		if a.keep {
			evaluations = []evaluator{fx.kept}
		}
		var all [][][]string
		for _, evaluate := range evaluations {
			sets, err := evaluate(ctx, made.targets)
			if err != nil {
				return nil, 0, err
			}
			all = append(all, sets)
		}
		o := fx.oracle()
		for j, definition := range made.definitions {
			want := slices.DeleteFunc(o.members(definition), func(name string) bool { return !fx.evaluated(name) })
			for _, sets := range all {
				if !slices.Equal(sets[j], want) {
					return &counterexample{made.lines, a, definition}, 0, nil
				}
			}
			if i == 0 && len(want) > 0 && len(want) < len(fx.names) {
				told++
			}
		}
	}
	return nil, told, nil
}

// fixtureText prints a fixture that shows one evaluation.
func fixtureText(lines []string, a asked, definition object, want []string) string {
	if len(want) == 0 {
		want = []string{"nobody"}
	}
	lines = append(slices.Clone(lines), a.lines()...)
	return strings.Join(append(lines, "eval "+jsonOf(definition), strings.Join(want, " ")), "\n")
}
