package segments

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"muster"
	"muster/clickhouse"
	"muster/projects"
	"muster/queries"
)

// Explanation tells why a user is in a definition, or is not.
type Explanation struct {
	User      User
	Reason    string // why nothing holds of the user, where the user was not there at the time; else empty
	Root      *Explained
	AsOf      time.Time // the pinned now
	Elapsed   time.Duration
	RowsRead  uint64
	BytesRead uint64
}

// Explained is a node of the definition as it was written.
type Explained struct {
	Condition *queries.Condition
	Matched   bool
	Segment   *Segment // of a leaf that names one; its own tree is the one of Of
	Seen      *Seen    // of leaves that look at something
	Of        []*Explained
}

// Seen is what a leaf looked at. Value is what is compared with what is asked: the value of an attribute, the number of
// events that counted, an aggregate, the time of the first or the last event or of an import, how many steps of a sequence
// were done, the answer that decides. It is nil where there is none: nothing was said, or nothing can be aggregated.
type Seen struct {
	Value   any
	Fact    *Fact       // of an attribute or tag: with its kind and source
	Count   *uint64     // of leaves over events: how many counted
	Times   []time.Time // of the last five that counted, the newest first
	Steps   []StepSeen  // of a sequence
	Answers []AnswerSeen
}

// StepSeen is a step of a sequence.
type StepSeen struct {
	Event string
	Time  *time.Time // in the best chain: the longest, and of those the one that began last; nil for one it did not come to
}

// AnswerSeen is an answer to a question.
type AnswerSeen struct {
	Value   any
	Kind    string
	Time    time.Time
	Counted bool // whether it compares as asked; of a negative operator, as asked by its positive
}

// Explain tells how each condition of a definition comes out for a user, and what was seen of it. Whether a condition
// holds comes from the same plan as everywhere else, of which each node of the definition is a target.
func (e *Evaluator) Explain(ctx context.Context, project projects.Project, d queries.Definition, user muster.Actor, at At) (Explanation, error) {
	start := time.Now()
	scope, current, err := e.scope(ctx, project, at)
	if err != nil {
		return Explanation{}, err
	}
	var found clickhouse.Statistics
	who, err := e.identityOf(ctx, scope, user, &found)
	if err != nil {
		return Explanation{}, err
	}
	scope = who.among(scope)
	x, err := queries.Explain(scope, d)
	if err != nil {
		return Explanation{}, err
	}
	r := explanationReader{evaluator: e, segments: current, who: who, holds: map[int]bool{}, seen: map[int]evidence{}}
	// Planning many small reads takes longer than reading; two statements plan at once.
	g, running := errgroup.WithContext(ctx)
	g.Go(func() error { return r.readHolds(running, x.Plan.Counts(0)) })
	g.Go(func() error {
		for _, statement := range x.Seen() {
			if err := r.readSeen(running, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return Explanation{}, err
	}
	result := Explanation{
		User: User{UID: who.uid, Actor: who.knownBy().Actor, UserID: who.id("user"), AnonymousID: who.id("anonymous")},
		Root: r.tree(x.Root), AsOf: scope.Now,
	}
	if !r.holds[queries.Everybody] {
		if result.Reason, err = r.absence(ctx, scope); err != nil {
			return Explanation{}, err
		}
	}
	result.Elapsed = time.Since(start)
	for _, read := range []clickhouse.Statistics{found, r.holdsRead, r.seenRead} {
		result.RowsRead += read.Rows
		result.BytesRead += read.Bytes
	}
	return result, nil
}

// explanationReader reads the statements of an explanation and puts the tree together.
type explanationReader struct {
	evaluator *Evaluator
	segments  map[string]Segment
	who       identity
	holds     map[int]bool
	holdsRead clickhouse.Statistics
	seen      map[int]evidence
	seenRead  clickhouse.Statistics
}

// evidence is a row of what was seen of a leaf. The times are in milliseconds; the other lists are parallel to them, or empty.
type evidence struct {
	count   uint64
	amount  *float64
	times   []int64
	kinds   []string
	texts   []string
	numbers []*float64
	lists   [][]string
	sources []string
	counted []bool
}

// value returns a value that was seen.
func (v evidence) value(i int) any {
	return stored{v.kinds[i], v.texts[i], v.numbers[i], v.lists[i], v.times[i]}.value()
}

// readHolds reads which of the conditions hold.
func (r *explanationReader) readHolds(ctx context.Context, statement queries.Statement) error {
	rows, err := r.evaluator.db.Query(clickhouse.WithStatistics(ctx, statement.Parameters, &r.holdsRead), statement.SQL)
	if err != nil {
		return failed(ctx, "explain", err)
	}
	defer rows.Close()
	for rows.Next() {
		var target uint16
		var size, of uint64
		var uids []uint32
		if err := rows.Scan(&target, &size, &of, &uids); err != nil {
			return failed(ctx, "explain", err)
		}
		r.holds[int(target)] = size > 0
	}
	if err := rows.Err(); err != nil {
		return failed(ctx, "explain", err)
	}
	return nil
}

// readSeen reads what was seen of leaves.
func (r *explanationReader) readSeen(ctx context.Context, statement queries.Statement) error {
	rows, err := r.evaluator.db.Query(clickhouse.WithStatistics(ctx, statement.Parameters, &r.seenRead), statement.SQL)
	if err != nil {
		return failed(ctx, "explain", err)
	}
	defer rows.Close()
	for rows.Next() {
		var number uint32
		var v evidence
		if err := rows.Scan(&number, &v.count, &v.amount, &v.times, &v.kinds, &v.texts, &v.numbers, &v.lists, &v.sources, &v.counted); err != nil {
			return failed(ctx, "explain", err)
		}
		r.seen[int(number)] = v
	}
	if err := rows.Err(); err != nil {
		return failed(ctx, "explain", err)
	}
	return nil
}

// absence says why the user was not there at the time.
func (r *explanationReader) absence(ctx context.Context, scope queries.Scope) (string, error) {
	asOf, knownAt := scope.Now, scope.KnownAt
	scope.Now, scope.KnownAt = time.Now(), time.Time{}
	reason := "the user was never seen doing anything"
	err := r.evaluator.each(ctx, "explain", queries.Activity(scope), func(rows driver.Rows) error {
		var events, sessions uint64
		var first, last int64
		if err := rows.Scan(&events, &sessions, &first, &last); err != nil {
			return err
		}
		if seen := instant(first); seen.After(asOf) {
			reason = fmt.Sprintf("the user was first seen at %s, after %s", seen.Format(time.RFC3339Nano), asOf.Format(time.RFC3339Nano))
		} else {
			reason = fmt.Sprintf("nothing the user did by %s was known by %s", asOf.Format(time.RFC3339Nano), knownAt.Format(time.RFC3339Nano))
		}
		reason += "; a definition holds for nobody who was not seen yet"
		return nil
	})
	return reason, err
}

// tree puts what was read together.
func (r *explanationReader) tree(c *queries.Condition) *Explained {
	x := &Explained{Condition: c, Matched: r.holds[c.Target], Seen: r.shown(c)}
	if seg, ok := r.segments[c.Segment]; ok {
		x.Segment = &seg
	}
	for _, child := range c.Of {
		x.Of = append(x.Of, r.tree(child))
	}
	return x
}

// shown returns what was seen of a leaf, or nil for a node that looks at nothing.
func (r *explanationReader) shown(c *queries.Condition) *Seen {
	v, found := r.seen[c.Evidence]
	switch c.Show {
	case queries.ShowNothing:
		return nil
	case queries.ShowUserID:
		if id := r.who.id("user"); id != nil {
			return &Seen{Value: *id}
		}
		return &Seen{}
	case queries.ShowValue:
		return v.fact()
	case queries.ShowSince:
		if !found {
			return &Seen{}
		}
		return &Seen{Value: instant(v.times[0])}
	case queries.ShowCount:
		return &Seen{Value: v.count, Count: &v.count, Times: instants(v.times)}
	case queries.ShowAggregate:
		s := &Seen{Count: &v.count, Times: instants(v.times)}
		if v.amount != nil {
			s.Value = *v.amount
		}
		return s
	case queries.ShowMoment:
		s := &Seen{Count: &v.count, Times: instants(v.times)}
		if v.amount != nil {
			s.Value = instant(int64(*v.amount))
		}
		return s
	case queries.ShowSteps:
		return v.steps(c.Events)
	case queries.ShowAnswers:
		return v.answers()
	default:
		panic(fmt.Sprintf("explain: unknown form %d", c.Show))
	}
}

// fact returns the value of an attribute; one that was said has a time.
func (v evidence) fact() *Seen {
	if len(v.kinds) == 0 {
		return &Seen{}
	}
	f := Fact{Value: v.value(0), Kind: v.kinds[0], Source: v.sources[0]}
	if v.count > 0 {
		said := instant(v.times[0])
		f.Said = &said
	}
	return &Seen{Value: f.Value, Fact: &f}
}

func (v evidence) steps(events []string) *Seen {
	s := &Seen{Value: v.count, Steps: make([]StepSeen, len(events))}
	for i, event := range events {
		s.Steps[i].Event = event
		if i < len(v.times) {
			t := instant(v.times[i])
			s.Steps[i].Time = &t
		}
	}
	return s
}

func (v evidence) answers() *Seen {
	s := &Seen{Count: &v.count, Answers: make([]AnswerSeen, len(v.kinds))}
	for i, kind := range v.kinds {
		s.Answers[i] = AnswerSeen{v.value(i), kind, instant(v.times[i]), v.counted[i]}
	}
	if len(s.Answers) > 0 {
		s.Value = s.Answers[0].Value
	}
	return s
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func instants(all []int64) []time.Time {
	times := make([]time.Time, len(all))
	for i, ms := range all {
		times[i] = instant(ms)
	}
	return times
}
