package demo

import "time"

// life is one person's time with the product while it is made up.
type life struct {
	g       *Generator
	dice    *dice
	person  person
	devices []device
	device  *device // of the session going on
	account account

	yield   func(Message) bool
	now     int64 // unix milliseconds
	said    int   // messages so far
	over    bool  // the end has come, or nobody listens any more
	stopped bool  // nobody listens any more
	gone    bool  // has left the product
}

// live makes up what one person says, and reports whether somebody still listens.
func live(g *Generator, index int, yield func(Message) bool) bool {
	d := newDice(mix(g.key, kindPerson, uint64(index)))
	l := &life{g: g, dice: d, person: g.person(index, d), yield: yield, now: g.start}
	l.devices = g.devicesOf(&l.person, d)
	first := l.g.start - l.g.start%day
	from := first
	if l.person.kind == veteran {
		l.account = l.oldAccount()
	} else {
		from = l.arrival()
	}
	for date := from; date < g.end+day && !l.over; date += day {
		l.date(date, date == from && l.person.kind != veteran)
	}
	return !l.stopped
}

// arrival is the day somebody first looks at the product: more come late than early, and few on a weekend.
func (l *life) arrival() int64 {
	days := int((l.g.end - l.g.start) / day)
	for {
		at := l.dice.below(days)
		if l.dice.chance(550) {
			at = max(at, l.dice.below(days))
		}
		date := l.g.start - l.g.start%day + int64(at)*day
		if !weekend(date) || l.dice.chance(300) {
			return date
		}
	}
}

// date makes up one day: whether there are sessions, and when they begin.
func (l *life) date(date int64, arrives bool) {
	l.stay(date)
	if !arrives && !l.dice.chance(l.eagerness(date)) {
		return
	}
	sessions := 1
	for sessions < 4 && l.dice.chance([...]int{100, 160, 300}[l.person.tier]) {
		sessions++
	}
	clock := int64(0)
	for range sessions {
		clock = max(clock, int64(l.dice.weighted(dayHours[:]...))*60+int64(l.dice.below(60)))
		at := date + (clock-l.person.place.offset)*minute + int64(l.dice.below(int(minute)))
		clock += 45
		if at < l.now+31*minute && l.said > 0 || at < l.g.start {
			continue
		}
		l.now = at
		l.session()
	}
}

// dayHours says how many of all sessions begin in each hour of the local day.
var dayHours = [24]int{2, 1, 1, 1, 1, 2, 5, 14, 42, 90, 100, 94, 52, 60, 92, 90, 78, 54, 26, 16, 18, 14, 8, 4}

// stay decides whether somebody with an account leaves for good before a date, or comes back.
func (l *life) stay(date int64) {
	if !l.account.open || l.account.sessions == 0 {
		return
	}
	if l.gone {
		l.gone = !l.dice.chance(2)
		return
	}
	leaves := [...]int{12, 4, 1}[l.person.tier]
	if date < l.account.createdAt+14*day {
		leaves = [...]int{52, 14, 2}[l.person.tier]
	}
	if l.account.plan.paid() {
		leaves = leaves * 2 / 5
	}
	l.gone = l.dice.chance(leaves)
}

// eagerness is the chance of a session on a date, in thousandths.
func (l *life) eagerness(date int64) int {
	a := &l.account
	if !a.open {
		if l.person.kind == visitor {
			return 60
		}
		return 280
	}
	age := (date - a.createdAt) / day
	reminded := a.plan == trial && age >= 12 && age <= 17 // the mail about its end
	if l.gone {
		if reminded {
			return 110
		}
		return 0
	}
	chance := [...]int{80, 245, 600}[l.person.tier]
	switch {
	case age <= 2:
		chance += 260
	case age <= 6:
		chance += 90
	case reminded:
		chance += 150
	}
	if a.plan.paid() {
		chance = chance * 5 / 4
	}
	if a.lapsed {
		chance = chance * 3 / 5
	}
	if weekend(date) {
		chance /= 4
	}
	return chance
}

func weekend(date int64) bool {
	weekday := time.UnixMilli(date).UTC().Weekday()
	return weekday == time.Saturday || weekday == time.Sunday
}

// wait lets some seconds pass, from low to high.
func (l *life) wait(low, high int) {
	l.now += int64(l.dice.between(low*1000, high*1000))
}

// say sends a message from the device of the session, unless the end has come. The next is at least a moment later.
func (l *life) say(m Message) {
	if l.over || l.now >= l.g.end {
		l.over = true
		return
	}
	m.AnonymousID, m.Context = l.device.anonymousID, l.device.context
	if l.device.known || m.Type == "identify" {
		m.UserID = l.person.userID
	}
	m.Timestamp = time.UnixMilli(l.now).UTC()
	m.MessageID = l.g.messageID(l.person.index, l.said)
	l.said++
	l.now++
	if !l.yield(m) {
		l.over, l.stopped = true, true
	}
}

func (l *life) track(event string, properties ...Field) {
	l.say(Message{Type: "track", Event: event, Properties: properties})
}

// identify tells the traits of the person, and from then on the device knows whose it is.
func (l *life) identify(traits ...Field) {
	l.say(Message{Type: "identify", Traits: traits})
	l.device.known = true
}
