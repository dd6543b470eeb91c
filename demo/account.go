package demo

// account is what the product keeps of somebody who signed up.
type account struct {
	open        bool
	createdAt   int64 // unix milliseconds, like the others
	plan        plan
	trialEndsAt int64
	renewsAt    int64
	seats       int
	lapsed      bool // a trial or a subscription has come to nothing
	onboarded   bool
	sessions    int // in the time of the traffic
	adopted     [featureCount]bool
	met         [experienceCount]bool
}

// oldAccount makes up the account of somebody who had one before the traffic begins.
func (l *life) oldAccount() account {
	age := min(l.dice.between(1, 540), l.dice.between(1, 540)) // the product has grown
	a := account{
		open: true, createdAt: l.g.start - int64(age)*day - int64(l.dice.below(int(day))), seats: 1,
		onboarded: l.dice.chance(780), lapsed: l.dice.chance(120),
	}
	a.plan = [...]plan{free, pro, team, enterprise}[l.dice.weighted(veteranPlans[l.person.company.class()][:]...)]
	if a.plan.paid() {
		a.lapsed = false
		a.renewsAt = l.g.start + int64(l.dice.below(int(billingDays*day)))
		a.seats = l.seatsFor(a.plan)
	}
	for i := range features {
		f := &features[i]
		a.adopted[i] = f.launch == 0 && l.dice.chance(min(900, f.adopt[a.plan]*8))
	}
	for i := range experiences {
		a.met[i] = experiences[i].forNew
	}
	return a
}

// veteranPlans are the shares of free, pro, team and enterprise by class of company.
var veteranPlans = [...][4]int{{60, 35, 5, 0}, {50, 22, 28, 0}, {38, 12, 25, 25}}

// class tells small companies, of one team at most, from middle and large ones.
func (c company) class() int {
	switch {
	case c.size < 10:
		return 0
	case c.size < 200:
		return 1
	default:
		return 2
	}
}
