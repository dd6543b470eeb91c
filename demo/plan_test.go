package demo

import "testing"

// TestPlansFollowWhatWasBought follows every plan through time: it is paid exactly after a purchase.
func TestPlansFollowWhatWasBought(t *testing.T) {
	paid := map[any]bool{"pro": true, "team": true, "enterprise": true}
	changes, cancelled := 0, 0
	for _, u := range smallCensus(t).users {
		var plan, bought any
		for _, h := range u.events {
			if h.Event == "purchase" {
				if bought = h.Properties["plan"]; h.Properties["amount"].(float64) < 19 || len(text(h.Properties["currency"])) != 3 {
					t.Fatalf("%s is a purchase of %v", h.MessageID, h.Properties)
				}
			}
			if h.Event == "subscription_cancelled" {
				cancelled++
			}
			now, ok := h.Traits["plan"]
			if !ok || h.UserID != u.id {
				continue
			}
			if plan != nil && plan != now {
				changes++
				if paid[now] && bought != now {
					t.Fatalf("%s is on %v after having bought %v", h.MessageID, now, bought)
				}
				if plan == "trial" {
					if ends, ok := h.Traits["trial_ends_at"]; !ok || ends != nil {
						t.Fatalf("%s ends a trial whose end stays: %v", h.MessageID, h.Traits)
					}
				}
			}
			plan = now
		}
	}
	if changes < 300 || cancelled == 0 {
		t.Errorf("%d changes of plan, %d cancelled", changes, cancelled)
	}
}
