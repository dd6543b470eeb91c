package demo

// experience is something shown to people over the product: a tour, a survey, a banner.
type experience struct {
	name, kind string
	forNew     bool // only for those who have just signed up
	after      int  // sessions somebody must have had
	launch     int  // how much of the time of the traffic passes before it exists, in hundredths
	completed  int  // of a thousand who see it; of a survey, how many answer
	dismissed  int  // of a thousand who see it; the rest leave it alone
	questions  func(*life) []reply
}

// reply is what somebody says to one question of a survey.
type reply struct {
	question string
	value    any
}

const (
	welcomeTour     = 0
	experienceCount = 6
)

var experiences = [experienceCount]experience{
	welcomeTour: {name: "welcome-tour", kind: "tour", forNew: true, completed: 560, dismissed: 290},
	{name: "getting-started", kind: "checklist", forNew: true, after: 1, completed: 380, dismissed: 210},
	{name: "nps", kind: "survey", after: 5, completed: 340, dismissed: 470, questions: recommend},
	{name: "missing-anything", kind: "survey", after: 9, launch: 30, completed: 290, dismissed: 480, questions: missing},
	{name: "ai-summary-launch", kind: "banner", launch: 50, completed: 240, dismissed: 520},
	{name: "invite-hint", kind: "hint", after: 3, completed: 160, dismissed: 610},
}

// meetExperiences shows at most one experience in a session, the first that is due.
func (l *life) meetExperiences() {
	a := &l.account
	for i := range experiences {
		e := &experiences[i]
		if a.met[i] || a.sessions < e.after || l.now < l.launched(e.launch) {
			continue
		}
		a.met[i] = true
		l.meet(e)
		return
	}
}

func (l *life) meet(e *experience) {
	l.wait(1, 5)
	l.experience(e, "seen")
	l.wait(4, 70)
	switch {
	case l.dice.chance(e.dismissed):
		l.experience(e, "dismissed")
	case l.dice.chance(e.completed * 1000 / (1000 - e.dismissed)):
		if e.questions != nil {
			for _, r := range e.questions(l) {
				l.experience(e, "answered", Field{"question", r.question}, Field{"answer", r.value})
				l.wait(3, 30)
			}
		}
		l.experience(e, "completed")
		if e == &experiences[welcomeTour] {
			l.account.onboarded = true
			l.wait(1, 2)
			l.identify(Field{"onboarded", true})
		}
	}
}

func (l *life) experience(e *experience, interaction string, more ...Field) {
	l.track("$experience", append([]Field{{"experience", e.name}, {"type", e.kind}, {"interaction", interaction}}, more...)...)
}

// recommend answers from 0 to 10; whoever works more with the product is happier.
func recommend(l *life) []reply {
	score := 10 - l.dice.weighted(16, 20, 20, 14, 9, 7, 5, 4, 2, 1, 2)
	if l.person.tier != casual {
		score = max(score, 10-l.dice.weighted(30, 28, 20, 10, 6, 6))
	}
	return []reply{{"How likely are you to recommend Brightboard?", score}}
}

func missing(l *life) []reply {
	if l.dice.chance(610) {
		return []reply{{"Is anything missing?", "No"}}
	}
	return []reply{
		{"Is anything missing?", "Yes"},
		{"What is it?", pick(l.dice, []string{"Alerts", "More integrations", "Dark mode", "Scheduled reports", "A mobile app"})},
	}
}
