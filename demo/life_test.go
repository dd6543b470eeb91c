package demo

import (
	"testing"
	"time"
)

func everyUser(*user) bool    { return true }
func hasAccount(u *user) bool { return u.id != "" }

// TestFiguresAreBelievable keeps the rates of the product where those of real ones are.
func TestFiguresAreBelievable(t *testing.T) {
	s := smallCensus(t)
	did := func(event string) func(*user) bool { return func(u *user) bool { return len(u.did(event)) > 0 } }
	created := func(u *user) time.Time {
		at, _ := time.Parse(time.RFC3339, text(u.attributes["created_at"]))
		return at
	}
	// Retention among those who signed up five weeks before the end or more, by any activity in a day or week after.
	signedUpEarly := func(u *user) bool { return did("signed_up")(u) && created(u).Before(small.End.Add(-35*24*time.Hour)) }
	returns := func(from, to int) func(*user) bool {
		return func(u *user) bool {
			for _, h := range u.events {
				if age := h.Timestamp.Sub(created(u)); age >= time.Duration(from)*24*time.Hour && age < time.Duration(to)*24*time.Hour {
					return true
				}
			}
			return false
		}
	}
	onPlan := func(plans ...string) func(*user) bool {
		return func(u *user) bool {
			for _, p := range plans {
				if u.attributes["plan"] == p {
					return true
				}
			}
			return false
		}
	}
	trialOver := func(u *user) bool {
		return signedUpEarly(u) && u.did("signed_up")[0].Properties["plan"] == "trial"
	}
	exporting := func(plans ...string) float64 {
		return s.share(t, "exported something, last on "+plans[0], onPlan(plans...), did("export_run"))
	}
	converted := func(u *user) bool {
		for _, h := range u.did("purchase") {
			if h.Properties["reason"] == "trial" {
				return true
			}
		}
		return false
	}
	answered := func(experience, interaction string) func(*user) bool {
		return func(u *user) bool {
			for _, h := range u.did("$experience") {
				if h.Properties["experience"] == experience && h.Properties["interaction"] == interaction {
					return true
				}
			}
			return false
		}
	}
	week1, week2, week5 := s.share(t, "comes back in days 1-6", signedUpEarly, returns(1, 7)),
		s.share(t, "comes back in days 7-13", signedUpEarly, returns(7, 14)),
		s.share(t, "comes back in days 28-34", signedUpEarly, returns(28, 35))
	if week1 <= week2 || week2 <= week5 {
		t.Error("retention does not decay")
	}
	if free, paid := exporting("free"), exporting("team", "enterprise"); paid < 1.5*free {
		t.Error("whoever pays does not adopt exports more")
	}
	for _, c := range []struct {
		what      string
		low, high float64
		got       float64
	}{
		{"week 1", 45, 80, week1},
		{"week 5", 12, 40, week5},
		{"has an account", 50, 75, s.share(t, "has an account", everyUser, hasAccount)},
		{"trials converted", 12, 35, s.share(t, "converted, of trials that are over", trialOver, converted)},
		{"paying", 12, 35, s.share(t, "pays, of those with an account", hasAccount, onPlan("pro", "team", "enterprise"))},
		{"tour completed", 40, 70, s.share(t, "completed, of those who saw the tour", answered("welcome-tour", "seen"), answered("welcome-tour", "completed"))},
		{"nps answered", 10, 45, s.share(t, "answered, of those who saw the survey", answered("nps", "seen"), answered("nps", "answered"))},
		{"onboarded", 35, 75, s.share(t, "onboarded, of those who signed up", did("signed_up"), func(u *user) bool { return u.attributes["onboarded"] == true })},
	} {
		if c.got < c.low || c.got > c.high {
			t.Errorf("%s: %.1f%% is not between %.0f%% and %.0f%%", c.what, c.got, c.low, c.high)
		}
	}
}

func TestDaysHaveARhythm(t *testing.T) {
	var weekdays [7]int
	var hours [24]int
	for _, u := range smallCensus(t).users {
		for _, h := range u.events {
			weekdays[h.Timestamp.Weekday()]++
			hours[h.Timestamp.Hour()]++
		}
	}
	if weekdays[time.Sunday]*2 > weekdays[time.Tuesday] {
		t.Errorf("weekdays: %v", weekdays)
	}
	if hours[3]*3 > hours[14] { // most people live between America and Europe
		t.Errorf("hours in UTC: %v", hours)
	}
	t.Log(weekdays, hours)
}

func TestExperiencesAreSeenBeforeAnythingElse(t *testing.T) {
	for _, u := range smallCensus(t).users {
		seen := map[any]bool{}
		for _, h := range u.did("$experience") {
			p := h.Properties
			switch p["interaction"] {
			case "seen":
				seen[p["experience"]] = true
			case "answered":
				if p["question"] == nil || p["answer"] == nil {
					t.Fatalf("%s answers nothing: %v", h.MessageID, p)
				}
				fallthrough
			case "completed", "dismissed":
				if !seen[p["experience"]] {
					t.Fatalf("%s: %v was not seen before", h.MessageID, p)
				}
			default:
				t.Fatalf("%s: %v", h.MessageID, p)
			}
		}
	}
}

func text(v any) string { s, _ := v.(string); return s }
