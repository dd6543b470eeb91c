package demo

// plan is what somebody pays for, or does not.
type plan int

const (
	free plan = iota
	trial
	pro
	team
	enterprise
)

const (
	trialDays   = 14
	billingDays = 30
)

func (p plan) String() string { return [...]string{"free", "trial", "pro", "team", "enterprise"}[p] }

func (p plan) paid() bool { return p >= pro }

// price is of one seat for one billing period.
func (p plan) price() int { return [...]int{0, 0, 29, 19, 49}[p] }

// bill settles what is due when somebody with an account comes: a trial converts or lapses, a subscription is renewed,
// extended or cancelled, and now and then somebody on the free plan begins to pay.
func (l *life) bill() {
	switch a := &l.account; {
	case a.plan == trial:
		l.decideTrial()
	case a.plan == free:
		if a.sessions > 2 && l.dice.chance(5) {
			l.buy(l.firstPlan(), "upgrade")
		}
	case l.now >= a.renewsAt:
		l.renew()
	case a.plan == pro && l.person.company.class() > 0 && l.dice.chance(4):
		l.buy(team, "upgrade")
	case a.plan == team && l.person.company.class() > 1 && l.dice.chance(4):
		l.buy(enterprise, "upgrade")
	}
}

func (l *life) decideTrial() {
	a := &l.account
	if l.now < a.trialEndsAt {
		if l.now > a.trialEndsAt-9*day && l.dice.chance([...]int{8, 26, 40}[l.person.tier]) {
			l.buy(l.firstPlan(), "trial")
		}
		return
	}
	converts := [...]int{140, 330, 620}[l.person.tier]
	if a.onboarded {
		converts += 90
	}
	if l.dice.chance(converts) {
		l.buy(l.firstPlan(), "trial")
		return
	}
	l.fallBack("trial_lapsed")
	l.gone = l.gone || l.dice.chance(300)
}

// firstPlan is what somebody begins to pay for, by the size of the company.
func (l *life) firstPlan() plan {
	shares := [...][3]int{{92, 8, 0}, {48, 52, 0}, {16, 44, 40}}
	return pro + plan(l.dice.weighted(shares[l.person.company.class()][:]...))
}

func (l *life) seatsFor(p plan) int {
	switch p {
	case team:
		return l.dice.between(3, 15)
	case enterprise:
		return l.dice.between(20, 120)
	case free, trial, pro:
	}
	return 1
}

// buy begins a subscription; reason is what led to it.
func (l *life) buy(p plan, reason string) {
	a := &l.account
	wasTrial := a.plan == trial
	l.wait(20, 120)
	l.page(billing)
	l.wait(30, 200)
	a.plan, a.seats, a.lapsed, a.renewsAt = p, l.seatsFor(p), false, l.now+billingDays*day
	l.purchase(reason)
	traits := []Field{{"plan", p.String()}}
	if wasTrial {
		traits = append(traits, Field{"trial_ends_at", nil})
	}
	l.identify(traits...)
	l.gone = false
}

func (l *life) renew() {
	a := &l.account
	l.wait(2, 8)
	if l.dice.chance(55) {
		l.track("subscription_cancelled", Field{"plan", a.plan.String()},
			Field{"reason", pick(l.dice, []string{"too expensive", "missing a feature", "not used enough", "changed to another tool"})})
		l.fallBack("")
		return
	}
	if a.plan != pro && l.dice.chance(120) {
		a.seats += l.dice.between(1, 5)
	}
	for a.renewsAt <= l.now {
		a.renewsAt += billingDays * day
	}
	l.purchase("renewal")
}

func (l *life) purchase(reason string) {
	a := &l.account
	l.track("purchase", Field{"amount", a.plan.price() * a.seats}, Field{"currency", l.person.place.currency},
		Field{"plan", a.plan.String()}, Field{"seats", a.seats}, Field{"reason", reason})
}

// fallBack leaves the person on the free plan; event is what is tracked of it, or nothing.
func (l *life) fallBack(event string) {
	a := &l.account
	was := a.plan
	if event != "" {
		l.track(event, Field{"sessions", a.sessions})
	}
	l.wait(1, 3)
	a.plan, a.seats, a.lapsed = free, 1, true
	traits := []Field{{"plan", free.String()}}
	if was == trial {
		traits = append(traits, Field{"trial_ends_at", nil})
	}
	l.identify(traits...)
}
