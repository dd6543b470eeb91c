package demo

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

const day = 24 * time.Hour

// trialDays is the length of a trial.
const trialDays = 14

// life is one person: how they found the product and what they did with it.
type life struct {
	cfg      Config
	number   int
	random   *rand.Rand
	messages []Message

	userID   string
	devices  []string // anonymous ids; the first is the one they came with
	shared   string   // the anonymous id of a browser somebody else uses too, or none
	plan     string
	keenness float64 // how much of the product's days they use, from 0 to 1
	traits   map[string]any
}

func newLife(cfg Config, number int) *life {
	random := rand.New(rand.NewPCG(cfg.Seed, uint64(number)))
	l := &life{
		cfg: cfg, number: number, random: random, userID: fmt.Sprintf("user-%05d", number+1),
		devices: []string{fmt.Sprintf("anon-%d-%05d-a", cfg.Seed, number+1)},
	}
	if random.Float64() < 0.3 {
		l.devices = append(l.devices, fmt.Sprintf("anon-%d-%05d-b", cfg.Seed, number+1))
	}
	if number%50 >= 48 {
		l.shared = fmt.Sprintf("kiosk-%d-%05d", cfg.Seed, number/50)
	}
	l.keenness = random.Float64() * random.Float64() // few are keen
	if number%12 == 0 {
		l.keenness = 0.7 + 0.3*random.Float64() // the power users
	}
	return l
}

// live returns the person's messages in the order of their times.
func (l *life) live() []Message {
	begin := l.cfg.End.Add(-time.Duration(l.cfg.Days) * day)
	// The product grows: more people come late than early.
	u := l.random.Float64()
	came := begin.Add(time.Duration((0.35*u + 0.65*u*(2-u)) * float64(l.cfg.End.Sub(begin))))
	l.visit(came, l.devices[0])
	if l.random.Float64() < 0.22 {
		return l.told() // only looked
	}
	signedUp := came.Add(time.Duration(l.random.ExpFloat64() * float64(day)))
	if signedUp.After(l.cfg.End) {
		return l.told()
	}
	l.signUp(signedUp)
	l.use(signedUp)
	return l.told()
}

// told numbers the messages and drops what would be in the future.
func (l *life) told() []Message {
	slices.SortStableFunc(l.messages, func(a, b Message) int { return a.Timestamp.Compare(b.Timestamp) })
	l.messages = slices.DeleteFunc(l.messages, func(m Message) bool { return m.Timestamp.After(l.cfg.End) })
	for i := range l.messages {
		l.messages[i].MessageID = fmt.Sprintf("demo-%d-%d-%d", l.cfg.Seed, l.number, i)
	}
	return l.messages
}

// say adds a message.
func (l *life) say(m Message) {
	m.Timestamp = m.Timestamp.Truncate(time.Millisecond)
	if m.Context == nil {
		m.Context = map[string]any{"library": map[string]any{"name": "muster-demo", "version": "1"}}
	}
	l.messages = append(l.messages, m)
}

func (l *life) track(at time.Time, event string, properties map[string]any) {
	l.say(Message{Type: "track", UserID: l.userID, AnonymousID: l.device(), Event: event, Properties: properties, Timestamp: at})
}

func (l *life) device() string { return l.devices[l.random.IntN(len(l.devices))] }

// visit is somebody looking around before they said who they are.
func (l *life) visit(at time.Time, device string) {
	pages := []string{"/", "/pricing", "/docs", "/customers", "/blog"}
	for range 1 + l.random.IntN(4) {
		page := pick(l.random, pages)
		l.say(Message{Type: "page", AnonymousID: device, Name: page, Properties: map[string]any{"path": page}, Timestamp: at})
		at = at.Add(l.within(2 * time.Minute))
	}
}

// signUp is when an anonymous visitor becomes a user on trial.
func (l *life) signUp(at time.Time) {
	first, last := pick(l.random, firstNames), pick(l.random, lastNames)
	l.plan = "trial"
	l.traits = map[string]any{
		"name": first + " " + last, "email": fmt.Sprintf("%s@example.com", l.userID), "plan": l.plan,
		"role": pick(l.random, roles), "company": pick(l.random, companies), "company_size": 1 << l.random.IntN(11),
		"country": pick(l.random, countries), "language": pick(l.random, languages), "created_at": at.UTC().Format(time.RFC3339),
		"trial_ends_at": at.Add(trialDays * day).UTC().Format(time.RFC3339), "onboarded": false,
		"interests": []string{pick(l.random, interests), pick(l.random, interests)},
	}
	l.identify(at, l.devices[0], l.traits)
	if l.shared != "" {
		l.identify(at.Add(time.Hour), l.shared, nil)
	}
	l.track(at.Add(time.Second), "signed_up", map[string]any{"source": pick(l.random, sources)})
}

func (l *life) identify(at time.Time, device string, traits map[string]any) {
	l.say(Message{Type: "identify", UserID: l.userID, AnonymousID: device, Traits: traits, Timestamp: at})
}

// use is every day after signing up.
func (l *life) use(from time.Time) {
	l.tour(from)
	if len(l.devices) > 1 {
		again := from.Add(l.within(10 * day))
		l.visit(again, l.devices[1])
		l.identify(again.Add(5*time.Minute), l.devices[1], nil)
	}
	trialEnds := from.Add(trialDays * day)
	leaves := from.Add(time.Duration(l.random.ExpFloat64() * (12 + 90*l.keenness) * float64(day)))
	adopted := map[string]bool{}
	for d := 0; ; d++ {
		morning := from.Truncate(day).Add(time.Duration(d) * day)
		if morning.After(l.cfg.End) || morning.After(leaves) {
			return
		}
		if l.plan == "trial" && morning.After(trialEnds) {
			l.endTrial(trialEnds)
		}
		if paying(l.plan) && d%30 == trialDays+1 {
			l.track(morning.Add(8*time.Hour), "purchase", map[string]any{"amount": price[l.plan], "currency": "EUR", "plan": l.plan})
		}
		likely := 0.12 + 0.8*l.keenness
		if weekend := morning.Weekday() == time.Saturday || morning.Weekday() == time.Sunday; weekend {
			likely *= 0.25
		}
		if d == 0 || l.random.Float64() < likely {
			l.workDay(latest(morning.Add(9*time.Hour+l.within(8*time.Hour)), from.Add(time.Minute)), d, adopted)
		}
	}
}

// workDay is one day on which the product was used, once or more often.
func (l *life) workDay(at time.Time, age int, adopted map[string]bool) {
	for range 1 + l.random.IntN(2) {
		page := pick(l.random, []string{"/home", "/reports", "/settings", "/team"})
		l.say(Message{
			Type: "page", UserID: l.userID, AnonymousID: l.device(), Name: page, Properties: map[string]any{"path": page}, Timestamp: at,
		})
		for _, f := range features {
			chance := f.adoption * f.byPlan[l.plan]
			if !adopted[f.event] && l.random.Float64() < chance*(0.3+l.keenness) {
				adopted[f.event] = true
			}
			if adopted[f.event] && l.random.Float64() < f.frequency {
				at = at.Add(l.within(4 * time.Minute))
				l.track(at, f.event, f.properties(l.random))
			}
		}
		at = at.Add(time.Hour + l.within(3*time.Hour))
	}
	if age == 21 {
		l.survey(at)
	}
}

// endTrial is the day somebody pays or stays on the free plan; the keen pay more often.
func (l *life) endTrial(at time.Time) {
	l.plan = "free"
	if l.random.Float64() < 0.2+0.6*l.keenness {
		l.plan = pick(l.random, []string{"pro", "pro", "pro", "team", "team", "enterprise"})
		l.track(at, "plan_chosen", map[string]any{"plan": l.plan})
	}
	l.identify(at.Add(time.Second), l.device(), map[string]any{"plan": l.plan, "trial_ends_at": nil})
}

func paying(plan string) bool { return price[plan] > 0 }

func (l *life) within(d time.Duration) time.Duration { return time.Duration(l.random.Int64N(int64(d))) }

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

func latest(a, b time.Time) time.Time {
	if cmp.Compare(a.UnixMilli(), b.UnixMilli()) < 0 {
		return b
	}
	return a
}
