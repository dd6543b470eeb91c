package segments

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"muster/projects"
	"muster/queries"
)

// Warning says what is probably not meant, or takes long, though it is allowed.
type Warning struct {
	// Code is one of unknown_attribute, unknown_event, unknown_experience, unknown_property, unknown_value, matches_nobody,
	// matches_everybody and expensive.
	Code       string `json:"code"`
	Pointer    string `json:"pointer" doc:"JSON Pointer to the place it is about"`
	Detail     string `json:"detail"`
	Suggestion string `json:"suggestion,omitempty" doc:"the nearest name or value in use, or what to add"`
}

// Warnings looks at a definition that may be saved: their pointers are into the definition.
func (e *Evaluator) Warnings(ctx context.Context, project projects.Project, d queries.Definition) ([]Warning, error) {
	plan, scope, err := e.compile(ctx, project, d, At{})
	if err != nil {
		return nil, err
	}
	return e.warnings(ctx, scope, plan, d)
}

// warnings looks at a definition and at its plan, in which it is the first target: at what cannot be or always is, at the
// names and values nobody ever used, and at how much must be read. They come in the order of their places.
func (e *Evaluator) warnings(ctx context.Context, scope queries.Scope, plan *queries.Plan, d queries.Definition) ([]Warning, error) {
	inspection, err := plan.Inspect()
	if err != nil {
		return nil, err
	}
	all := []Warning{}
	for _, s := range inspection.Settled {
		w := Warning{Code: "matches_nobody", Pointer: s.Pointer, Detail: "nobody can match this, whatever is known of users"}
		if s.Everybody {
			w.Code, w.Detail = "matches_everybody", "everybody matches this, whatever is known of users"
		}
		all = append(all, w)
	}
	unknown, err := e.unknown(ctx, scope, queries.Mentions(d))
	if err != nil {
		return nil, err
	}
	expensive, err := e.expensive(ctx, plan, inspection.Work)
	if err != nil {
		return nil, err
	}
	all = append(append(all, unknown...), expensive...)
	slices.SortStableFunc(all, func(a, b Warning) int { return strings.Compare(a.Pointer, b.Pointer) })
	return all, nil
}

// work is what a kind of work costs, and from how many rows on it is told.
var work = map[queries.WorkKind]struct {
	rows uint64
	what string
}{
	queries.PerRow:    {30_000_000, "each of them is looked at"},
	queries.PerUser:   {5_000_000, "those of each user are put together"},
	queries.AllEvents: {5_000_000, "sessions are counted from all that each user ever did"},
	queries.InOrder:   {2_000_000, "those of each user are sorted by time and gone through"},
}

// expensive warns of leaves with very many rows.
func (e *Evaluator) expensive(ctx context.Context, plan *queries.Plan, leaves []queries.Work) ([]Warning, error) {
	if len(leaves) == 0 {
		return nil, nil
	}
	estimates, err := e.estimate(ctx, plan)
	if err != nil {
		return nil, err
	}
	var all []Warning
	told := map[string]bool{} // by place: an event that is in a leaf twice is told of once
	for _, leaf := range leaves {
		rows, limit := estimates[leaf.Source].Rows, work[leaf.Kind]
		if rows < limit.rows/e.impatience || told[leaf.Pointer] {
			continue
		}
		told[leaf.Pointer] = true
		w := Warning{
			Code: "expensive", Pointer: leaf.Pointer, Detail: fmt.Sprintf("about %s rows are read, and %s", grouped(rows), limit.what),
		}
		if !leaf.Bounded && leaf.Kind != queries.AllEvents {
			w.Suggestion = `a time window, such as "within":"30d"`
		}
		all = append(all, w)
	}
	return all, nil
}

// grouped prints a number with its thousands apart.
func grouped(n uint64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
