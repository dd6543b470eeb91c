package segments_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"muster"
	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
	"muster/erasure"
	"muster/identity"
	"muster/ingest"
	"muster/membership"
	"muster/projects"
	"muster/queries"
	"muster/segments"
)

// world is a project with traffic, live segments and processes that keep them, on a clock that the test moves.
type world struct {
	*rand.Rand
	t         *testing.T
	db        *clickhouse.DB
	index     *identity.Index
	project   projects.Project
	store     *segments.Store
	evaluator *segments.Evaluator
	eraser    *erasure.Eraser
	now       time.Time
	message   int
	sent      [][]any // events, as rows
	skewed    bool    // some things are received in the future
	actors    []muster.Actor
	names     map[muster.Actor]string
	live      []string // ids
	processes []*process
	ticks     int
	skipped   int // leaves that ticks did not read
}

// process is one that ticks: its memory, and what it has seen.
type process struct {
	live    *segments.Live
	current *membership.Current
}

func newWorld(t *testing.T, seed uint64) *world {
	db := clickhousetest.DB(t)
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		Rand: rand.New(rand.NewPCG(seed, 7)), t: t, db: db, index: identity.NewIndex(db),
		project: projects.Project{ID: 1, Name: "live", Zone: zone}, store: segments.NewStore(db),
		now: time.Date(2026, 3, 20, 10, 0, 0, 0, time.UTC), names: map[muster.Actor]string{}, skewed: seed%2 == 1,
	}
	w.evaluator = segments.NewEvaluator(db, w.store)
	rejections, err := ingest.NewRejections(db, &ingest.Door{}) // nothing is replayed
	w.must(err)
	w.eraser, err = erasure.New(erasure.Config{
		DB: db, Index: w.index, Evaluator: w.evaluator, Rejections: rejections, Flush: func(ctx context.Context) error { _, err := w.index.Run(ctx); return err },
		Pause: func(f func() error) error { return f() },
		Forget: func(id muster.ProjectID, uids []uint32) {
			for _, p := range w.processes {
				p.current.Project(id).Forget(uids...)
			}
		},
	})
	w.must(err)
	w.must(w.index.Open(t.Context()))
	w.processes = []*process{w.newProcess(), w.newProcess()}
	w.must(db.Exec(t.Context(), `INSERT INTO imports (project, import, version, name, status) VALUES (1, 'i1', 1, 'i1', 'done')`))
	return w
}

func (w *world) newProcess() *process {
	current := membership.NewCurrent()
	live := segments.NewLive(w.evaluator, current, func() time.Time { return w.now })
	live.NeverWhole()
	return &process{live, current}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func one[T any](w *world, all ...T) T { return all[w.IntN(len(all))] }

// units are the lengths of windows; times are most often a whole number of them before or after now, or a millisecond beside.
var units = []time.Duration{
	time.Second, time.Minute, 30 * time.Minute, time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour,
}

func (w *world) instant() time.Time {
	at := w.now.Add(-one(w, units...) * time.Duration(w.IntN(3)))
	switch w.IntN(5) {
	case 0:
		at = w.now.Add(one(w, units...) * time.Duration(w.IntN(3)))
	case 1:
		at = w.now.AddDate(0, -1, 0)
	}
	return at.Add(time.Duration(w.IntN(3)-1) * time.Millisecond)
}

func (w *world) duration() string {
	return one(w, "1s", "1m", "30m", "1h", "12h", "1d", "7d", "30d", "1mo")
}

func (w *world) moment() string {
	if w.IntN(3) == 0 {
		return w.instant().Format(time.DateOnly)
	}
	return w.instant().Format("2006-01-02T15:04:05.000Z")
}

// window adds when events count to what precedes it.
func (w *world) window(leaf string) string {
	from := w.instant()
	text := func(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z") }
	switch w.IntN(5) {
	case 0, 1:
		return leaf + `,"within":"` + w.duration() + `"}`
	case 2:
		return leaf + fmt.Sprintf(`,"between":{"from":%q,"to":%q}}`, text(from), text(from.Add(one(w, units...)+time.Millisecond)))
	case 3:
		return leaf + fmt.Sprintf(`,"since":%q}`, text(from))
	default:
		return leaf + "}"
	}
}

func (w *world) times() string {
	switch w.IntN(6) {
	case 0, 1:
		return fmt.Sprintf(`"op":%q,"value":%q`, one(w, "before", "after", "on"), w.moment())
	case 2:
		from := w.instant()
		return fmt.Sprintf(`"op":"between","value":[%q,%q]`, from.Format("2006-01-02T15:04:05.000Z"),
			from.Add(one(w, units...)+time.Millisecond).Format("2006-01-02T15:04:05.000Z"))
	default:
		return fmt.Sprintf(`"op":%q,"value":%q`, one(w, "within_last", "more_than_ago", "within_next", "more_than_ahead"), w.duration())
	}
}

// kinds are what leaves are made of, one function for each kind of them.
func (w *world) kinds() []func() string {
	event := one(w, "buy", "visit")
	return []func() string{
		func() string { return w.window(fmt.Sprintf(`{"event":%q`, event)) },
		func() string {
			return w.window(fmt.Sprintf(`{"event":%q,"count":{"op":%q,"value":%d}`, event, one(w, "eq", "neq", "lte", "gte", "lt"), w.IntN(4)))
		},
		func() string {
			return w.window(fmt.Sprintf(`{"event":%q,"aggregate":{"fn":%q,"property":"a"},"op":%q,"value":%d`, event,
				one(w, "sum", "min", "max", "avg", "distinct"), one(w, "gt", "lte"), w.IntN(9)))
		},
		func() string {
			return w.window(fmt.Sprintf(`{"event":%q,"aggregate":{"fn":"distinct_days"},"op":"gte","value":%d`, event, 1+w.IntN(2)))
		},
		func() string { return fmt.Sprintf(`{"event":%q,%q:{%s}}`, event, one(w, "first", "last"), w.times()) },
		func() string {
			leaf := `{"sequence":[{"event":"visit"},{"event":"buy","where":{"property":"a","op":"gt","value":2}}]`
			if w.IntN(2) == 0 {
				leaf += `,"complete_within":"` + w.duration() + `"`
			}
			return w.window(leaf)
		},
		func() string {
			return w.window(`{"experience":"nps","question":"q","answer":{"op":"equals","value":"yes"},"latest":` + one(w, "true", "false"))
		},
		func() string {
			return w.window(fmt.Sprintf(`{"experience":"nps","interaction":"answered","count":{"op":%q,"value":2}`, one(w, "lt", "gte")))
		},
		func() string {
			return fmt.Sprintf(`{"attribute":"plan","op":%q,"value":%q}`, one(w, "equals", "not_equals", "contains"), one(w, "pro", "free", "p"))
		},
		func() string { return `{"attribute":"due",` + w.times() + `}` },
		func() string { return fmt.Sprintf(`{"attribute":%q,%s}`, one(w, "first_seen", "last_seen"), w.times()) },
		func() string { return fmt.Sprintf(`{"attribute":"sessions","op":"gte","value":%d}`, w.IntN(4)) },
		func() string {
			return fmt.Sprintf(`{"attribute":%q,"op":%q}`, one(w, "user_id", "anonymous_id", "plan"), one(w, "exists", "not_exists"))
		},
		func() string {
			return fmt.Sprintf(`{"attribute":"tags","op":%q,"value":["vip","new"]}`, one(w, "has_any", "has_all", "has_none"))
		},
		func() string { return w.window(fmt.Sprintf(`{"event":"buy","where":{"property":"at",%s}`, w.times())) },
		func() string {
			return w.window(fmt.Sprintf(`{"event":%q,"where":{"property":"a","op":"gt","value":%d}`, event, w.IntN(9)))
		},
		func() string { return `{"identified":true}` },
		func() string { return `{"tag":"vip"}` },
		func() string { return `{"import":"i1"}` },
		func() string { return `{"everyone":true}` },
		func() string {
			if len(w.live) == 0 {
				return `{"everyone":true}`
			}
			return fmt.Sprintf(`{"segment":%q}`, w.live[0])
		},
	}
}

// leaf makes a leaf of any kind.
func (w *world) leaf() string { return one(w, w.kinds()...)() }

func (w *world) definition(depth int) string {
	if depth == 0 || w.IntN(3) == 0 {
		return w.leaf()
	}
	a, b, c := w.definition(depth-1), w.definition(depth-1), w.definition(depth-1)
	switch w.IntN(4) {
	case 0:
		return `{"all":[` + a + `,` + b + `]}`
	case 1:
		return `{"any":[` + a + `,` + b + `]}`
	case 2:
		return `{"at_least":2,"of":[` + a + `,` + b + `,` + c + `]}`
	default:
		return `{"not":` + a + `}`
	}
}

// draft makes a live segment. Some definitions can hold for nobody by what they say, and are refused.
func (w *world) draft(first bool) segments.Draft {
	for {
		text := w.definition(2)
		if first {
			text = `{"attribute":"plan","op":"exists"}` // others name it, so it names none
			if w.IntN(2) == 0 {
				text = `{"event":"buy","within":"` + w.duration() + `"}`
			}
		}
		if d, err := queries.Decode([]byte(text)); err == nil {
			return segments.Draft{Name: fmt.Sprint("segment ", w.IntN(1000)), Definition: d, Live: true}
		}
	}
}

func (w *world) insert(sql string, rows ...[]any) {
	batch, err := w.db.PrepareBatch(w.t.Context(), "INSERT INTO "+sql)
	w.must(err)
	for _, row := range rows {
		w.must(batch.Append(row...))
	}
	w.must(batch.Send())
}

// arrive makes a new user or visitor, or has a visitor identified as a user.
func (w *world) arrive() {
	id := fmt.Sprint("v", len(w.actors))
	kind := one(w, muster.Anonymous, muster.Identified)
	if kind == muster.Identified {
		id = fmt.Sprint("u", len(w.actors))
	}
	actor := muster.NewActor(1, kind, id)
	rows := [][]any{{uint32(1), uint64(actor), int8(kind), int8(0), uint64(0), id, w.now}}
	if of := w.actor(); kind == muster.Anonymous && of != 0 && of&1 == 0 && w.IntN(2) == 0 {
		rows = append(rows, []any{uint32(1), uint64(actor), int8(kind), int8(1), uint64(of), id, w.now})
	}
	w.insert("identities (project, actor, kind, link, linked, id, time)", rows...)
	w.actors, w.names[actor] = append(w.actors, actor), id
}

// join identifies a visitor that was known for a while, or has a user be another.
func (w *world) join() {
	a, b := w.actor(), w.actor()
	if a == b || b == 0 || b&1 == 1 {
		return
	}
	kind, link := int8(1), int8(1)
	if a&1 == 0 {
		kind, link = 2, 2
	}
	w.insert("identities (project, actor, kind, link, linked, id, time)", []any{uint32(1), uint64(a), kind, link, uint64(b), w.names[a], w.now})
}

// erase erases a user, if there is one.
func (w *world) erase() {
	if err := w.eraser.Erase(w.t.Context(), 1, w.actor()); muster.CodeOf(err) != muster.NotFound {
		w.must(err)
	}
}

func (w *world) actor() muster.Actor {
	if len(w.actors) == 0 {
		return 0
	}
	return w.actors[w.IntN(len(w.actors))]
}

const eventColumns = "events (project, event, actor, ts, message, time, received, message_id, properties)"

// received is when something was received that is inserted now: a moment ago, or long ago by a process that was away.
func (w *world) received() time.Time {
	if w.IntN(4) == 0 {
		return w.now.Add(-one(w, units...))
	}
	return w.now.Add(-time.Duration(w.IntN(1000)) * time.Microsecond)
}

// repeat has a message arrive again, at another time by the clock it is corrected with. It counts as the copy says that was received
// first, which may be this one.
func (w *world) repeat() {
	if len(w.sent) == 0 {
		return
	}
	row := slices.Clone(one(w, w.sent[max(0, len(w.sent)-10):]...))
	row[5], row[6] = w.instant(), w.received()
	w.insert(eventColumns, row)
}

// happen has somebody do or be something: at any time, now or to come.
func (w *world) happen() {
	actor := uint64(w.actor())
	if actor == 0 {
		return
	}
	at, received := w.instant(), w.received()
	if w.skewed && w.IntN(2) == 0 {
		received = at.Add(time.Duration(w.IntN(3)) * time.Hour)
	}
	w.message++
	n := uint64(w.message)
	fact := func(name, kind, text string, instant *int64, list []string) {
		source := map[bool]string{true: "native", false: "custom"}[name == "tags"]
		w.insert(`attribute_snapshots (project, attribute, actor, ts, message, time, received, source, kind, text, number, instant, list)`,
			[]any{uint32(1), name, actor, at, n, at, received, source, kind, text, (*float64)(nil), instant, list})
	}
	event := func(name, properties string) {
		w.sent = append(w.sent, []any{uint32(1), name, actor, at, n, at, received, fmt.Sprint(n), properties})
		w.insert(eventColumns, w.sent[len(w.sent)-1])
	}
	switch w.IntN(12) {
	case 11: // a removal, perhaps with what holds from then on
		fact("", "null", "", nil, nil)
		if w.IntN(2) == 0 {
			fact("plan", "text", one(w, "pro", "free"), nil, nil)
		}
	case 10:
		fact(one(w, "plan", "due", "tags"), "null", "", nil, nil)
	case 0:
		fact("plan", "text", one(w, "pro", "free", "team"), nil, nil)
	case 1:
		due := w.instant()
		ms := due.UnixMilli()
		fact("due", "text", due.Format("2006-01-02T15:04:05.000Z"), &ms, nil)
	case 2:
		fact("due", "text", w.instant().Format(time.DateOnly), nil, nil)
	case 3:
		fact("tags", "list", "", nil, [][]string{{"vip"}, {"old"}, {"vip", "new"}, {}}[w.IntN(4)])
	case 4:
		event("$experience", fmt.Sprintf(`{"experience":"nps","interaction":"answered","question":"q","answer":%q}`, one(w, "yes", "no")))
	case 5:
		w.insert("import_members (project, import, actor, time, received)", []any{uint32(1), "i1", actor, at, received})
	default:
		event(one(w, "buy", "visit"), fmt.Sprintf(`{"a":%d,"at":%q}`, w.IntN(9), w.instant().Format("2006-01-02T15:04:05.000Z")))
	}
}

// step changes something.
func (w *world) step() {
	ctx := w.t.Context()
	switch n := w.IntN(20); {
	case n < 3:
		w.arrive()
	case n == 3:
		w.join()
	case n == 7 && w.IntN(4) == 0:
		w.erase()
	case n > 17:
		w.repeat()
	case n == 4 && len(w.live) < 12:
		seg, err := w.store.Create(ctx, 1, w.draft(len(w.live) == 0), "test")
		w.must(err)
		w.live = append(w.live, seg.ID)
	case n == 5 && len(w.live) > 3:
		i := w.IntN(len(w.live))
		_, err := w.store.Replace(ctx, 1, w.live[i], 0, w.draft(i == 0), "test")
		w.must(err)
	case n == 6 && len(w.live) > 3 && w.IntN(3) == 0:
		_, err := w.evaluator.Materialize(ctx, w.project, []string{one(w, w.live...)})
		w.must(err)
	default:
		w.happen()
	}
}
