package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"muster"
)

type warned struct{ Code, Pointer, Detail, Suggestion string }

func TestWarnings(t *testing.T) {
	h := newHouse(t)
	day := time.Now().Add(-24 * time.Hour)
	long := time.Now().Add(-100 * 24 * time.Hour)
	h.send(
		identify("ann", `{"plan":"Pro","seats":3}`), identify("bob", `{"plan":"free","city":"Zürich"}`),
		track("ann", "purchase", day, `{"amount":5,"item":{"kind":"Book"},"we:ird":"x"}`), track("ann", "purchase", long, `{"coupon":"summer"}`),
		track("ann", "$experience", day, `{"experience":"tour-1","type":"tour","interaction":"completed"}`),
		track("ann", "$experience", day, `{"experience":"survey-1","type":"survey","interaction":"answered","question":"q1","answer":"Yes"}`),
	)
	if err := h.db.Exec(t.Context(), fmt.Sprintf(`INSERT INTO attribute_snapshots (project, attribute, actor, ts, time, received, source, kind, list)
		SELECT %d, 'tags', %d, now64(3), now64(3), now64(6), 'native', 'list', ['vip', 'old']`, h.project.ID,
		muster.NewActor(h.project.ID, muster.Identified, "ann"))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		definition string
		want       []warned // in the order of their places; Detail is a part
	}{
		{`{"attribute":"plan","op":"equals","value":"Pro"}`, nil},
		{`{"attribute":"plan","op":"in","value":["Pro","free"]}`, nil},
		{`{"attribute":"plan","op":"equals","value":"pro"}`, []warned{{"unknown_value", "/value", `nobody's plan is "pro"`, "Pro"}}},
		{`{"attribute":"plan","op":"equals","value":"pro","ignore_case":true}`, nil},
		{`{"attribute":"city","op":"equals","value":"ZÜRICH","ignore_case":true}`, nil},
		{`{"attribute":"plan","op":"not_in","value":["Pro","fre"]}`, []warned{{"unknown_value", "/value/1", `nobody's plan is "fre"`, "free"}}},
		{`{"attribute":"plan","op":"equals","value":"enterprise"}`, []warned{{"unknown_value", "/value", "enterprise", ""}}},
		{`{"attribute":"plan","op":"contains","value":"nothing has it"}`, nil},
		{`{"attribute":"seats","op":"equals","value":3}`, nil},
		{`{"attribute":"Plan","op":"equals","value":"Pro"}`, []warned{{"unknown_attribute", "/attribute", `"Plan"`, "plan"}}},
		{`{"attribute":"last_seen","op":"exists"}`, nil},
		{`{"attribute":"tags","op":"has_any","value":["vip","new"]}`, []warned{{"unknown_value", "/value/1", `nobody's tags is "new"`, ""}}},
		{`{"not":{"tag":"VIP"}}`, []warned{{"unknown_value", "/not/tag", `nobody has the tag "VIP"`, "vip"}}},
		{`{"event":"purchase","where":{"all":[{"property":"amount","op":"gt","value":1},{"property":"item.kind","op":"equals","value":"Book"},{"property":"coupon","op":"in","value":["summer"]},{"property":"we:ird","op":"equals","value":"x"}]}}`, nil},
		{`{"event":"purchase","where":{"any":[{"property":"amont","op":"gt","value":1},{"property":"item.kind","op":"equals","value":"book"}]}}`, []warned{
			{"unknown_property", "/where/any/0/property", `no purchase ever had a property "amont"`, "amount"},
			{"unknown_value", "/where/any/1/value", `no item.kind of purchase was ever "book"`, "Book"},
		}},
		{`{"event":"purchase","where":{"property":"we;ird","op":"equals","value":"y"}}`, []warned{{"unknown_property", "/where/property", "", "we:ird"}}},
		{`{"event":"purchase","aggregate":{"fn":"sum","property":"Amount"},"op":"gt","value":1}`, []warned{{"unknown_property", "/aggregate/property", "", "amount"}}},
		{`{"event":"purchases","where":{"property":"amount","op":"equals","value":"x"},"last":{"op":"within_last","value":"7d"}}`, []warned{{"unknown_event", "/event", `no event "purchases" was ever seen`, "purchase"}}},
		{`{"sequence":[{"event":"purchase"},{"event":"refund","where":{"property":"why","op":"exists"}}]}`, []warned{{"unknown_event", "/sequence/1/event", "", ""}}},
		{`{"all":[{"experience":"tour-1","interaction":"completed"},{"experience":"tour-2","interaction":"complete"}]}`, []warned{
			{"unknown_experience", "/all/1/experience", `no experience "tour-2"`, "tour-1"},
			{"unknown_value", "/all/1/interaction", "", "completed"},
		}},
		{`{"experience":"survey-1","question":"q2","answer":{"op":"in","value":["Yes","yes"]}}`, []warned{
			{"unknown_value", "/answer/value/1", `no answer of $experience was ever "yes"`, "Yes"},
			{"unknown_value", "/question", "", "q1"},
		}},
		{`{"all":[{"attribute":"seats","op":"gt","value":5},{"any":[{"attribute":"seats","op":"not_equals","value":1},{"attribute":"seats","op":"not_equals","value":2}]}]}`, []warned{
			{"matches_everybody", "/all/1", "everybody", ""},
		}},
		{`{"all":[{"attribute":"seats","op":"gt","value":5},{"attribute":"seats","op":"lt","value":3}]}`, []warned{{"matches_nobody", "", "nobody", ""}}},
		{`{"event":"purchase","since":"2150-01-01"}`, []warned{{"matches_nobody", "", "nobody", ""}}},
		{`{"everyone":true}`, nil},
	} {
		for round := range 2 { // what was found once is remembered
			var p struct{ Warnings []warned }
			h.ask("POST", "/segments/preview", `{"definition":`+c.definition+`,"sample":0}`, http.StatusOK, &p)
			same := slices.EqualFunc(p.Warnings, c.want, func(got, want warned) bool {
				return got.Code == want.Code && got.Pointer == "/definition"+want.Pointer && strings.Contains(got.Detail, want.Detail) &&
					got.Suggestion == want.Suggestion
			})
			if !same {
				t.Errorf("%s, round %d\n got %+v\nwant %+v", c.definition, round, p.Warnings, c.want)
			}
		}
	}

	// A segment that is saved is warned of too, and a diff is.
	var seg struct {
		ID       string
		Revision int
		Warnings []warned
	}
	misspelt := `{"attribute":"plam","op":"exists"}`
	h.ask("POST", "/segments", `{"name":"Plans","definition":`+misspelt+`}`, http.StatusCreated, &seg)
	if len(seg.Warnings) != 1 || seg.Warnings[0].Pointer != "/definition/attribute" || seg.Warnings[0].Suggestion != "plan" {
		t.Errorf("saving a segment warns of %+v", seg.Warnings)
	}
	var d diffed
	h.ask("POST", "/segments/diff", `{"segment":"`+seg.ID+`","definition":`+misspelt+`}`, http.StatusOK, &d)
	if len(d.Warnings) != 1 || d.Warnings[0].Pointer != "/definition/attribute" {
		t.Errorf("a diff warns of %+v", d.Warnings)
	}
	h.ask("PUT", "/segments/"+seg.ID, `{"name":"Plans","definition":{"not":`+misspelt+`}}`, http.StatusOK, &seg)
	if seg.Revision != 2 || len(seg.Warnings) != 1 || seg.Warnings[0].Pointer != "/definition/not/attribute" {
		t.Errorf("saving revision %d warns of %+v", seg.Revision, seg.Warnings)
	}
}
