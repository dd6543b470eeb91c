package demo

import "time"

// session is one visit, from the first page to the last.
func (l *life) session() {
	l.chooseDevice()
	if !l.account.open {
		l.look()
		return
	}
	if !l.device.known {
		l.page(signIn)
		l.wait(5, 40)
		l.identify(l.traits()...)
	}
	l.work()
}

// look is a visit without an account, at the end of which a newcomer may sign up.
func (l *life) look() {
	if l.person.kind == visitor && l.said > 18 {
		return // seen enough
	}
	for i := range 1 + l.dice.weighted(34, 28, 20, 12, 6) {
		if i > 0 {
			l.wait(4, 110)
		}
		l.page(pick(l.dice, marketing))
	}
	if l.person.kind == newcomer && l.dice.chance(560) {
		l.signUp()
	}
}

// signUp opens the account, on the device the visits were made with.
func (l *life) signUp() {
	l.wait(5, 60)
	l.page(signUp)
	l.wait(20, 120)
	l.account = account{open: true, createdAt: l.now, plan: free}
	if l.dice.chance(660) {
		l.account.plan, l.account.trialEndsAt = trial, l.now+trialDays*day
	}
	l.identify(l.traits()...)
	l.track("signed_up", Field{"plan", l.account.plan.String()}, Field{"method", pick(l.dice, []string{"email", "email", "google", "microsoft"})})
	l.work()
}

// work is what somebody with an account does in one session.
func (l *life) work() {
	l.wait(1, 6)
	l.page(pick(l.dice, overview))
	l.bill()
	l.meetExperiences()
	for range l.dice.weighted(50, 36, 14) {
		l.wait(5, 150)
		l.page(pick(l.dice, application))
	}
	l.useFeatures()
	if l.dice.chance(6) {
		l.change()
	}
	l.account.sessions++
}

// change is a fact about the person that is another from now on.
func (l *life) change() {
	p := &l.person
	l.wait(10, 60)
	switch l.dice.below(3) {
	case 0:
		p.role = pick(l.dice, roles)
		l.identify(Field{"role", p.role})
	case 1:
		p.company.size += 1 + p.company.size*l.dice.between(3, 25)/100
		l.identify(Field{"company_size", p.company.size})
	default:
		interests := make([]string, 0, len(p.interests)+1)
		added := pick(l.dice, topics)
		for _, topic := range p.interests {
			if topic != added {
				interests = append(interests, topic)
			}
		}
		p.interests = append(interests, added)
		l.identify(Field{"interests", p.interests})
	}
}

// traits are all that is known of the person.
func (l *life) traits() []Field {
	p, a := &l.person, &l.account
	traits := []Field{
		{"name", p.name},
		{"email", p.email},
		{"language", p.language},
		{"country", p.place.country},
		{"company", p.company.name},
		{"company_size", p.company.size},
		{"role", p.role},
		{"interests", p.interests},
		{"plan", a.plan.String()},
		{"onboarded", a.onboarded},
		{"created_at", instant(a.createdAt)},
	}
	if a.plan == trial {
		traits = append(traits, Field{"trial_ends_at", instant(a.trialEndsAt)})
	}
	return traits
}

func instant(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }
