package demo

import "time"

// tour is the welcome tour every new user sees; most finish it.
func (l *life) tour(at time.Time) {
	l.experience(at.Add(5*time.Second), "welcome-tour", "tour", "seen", nil)
	if l.random.Float64() < 0.5+0.4*l.keenness {
		done := at.Add(time.Minute + l.within(5*time.Minute))
		l.experience(done, "welcome-tour", "tour", "completed", nil)
		l.identify(done.Add(time.Second), l.devices[0], map[string]any{"onboarded": true})
		return
	}
	l.experience(at.Add(20*time.Second), "welcome-tour", "tour", "dismissed", nil)
}

// survey asks those who stayed three weeks; the keen like the product better.
func (l *life) survey(at time.Time) {
	l.experience(at, "nps-survey", "survey", "seen", nil)
	if l.random.Float64() < 0.4 {
		return
	}
	score := min(10, 4+l.random.IntN(4)+int(4*l.keenness))
	l.experience(at.Add(time.Minute), "nps-survey", "survey", "answered", map[string]any{"question": "recommend", "answer": score})
	answer := "No"
	if score >= 7 {
		answer = "Yes"
	}
	l.experience(at.Add(2*time.Minute), "nps-survey", "survey", "answered", map[string]any{"question": "keep", "answer": answer})
}

func (l *life) experience(at time.Time, name, kind, interaction string, more map[string]any) {
	properties := map[string]any{"experience": name, "type": kind, "interaction": interaction}
	for k, v := range more {
		properties[k] = v
	}
	l.track(at, "$experience", properties)
}
