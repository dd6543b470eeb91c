package demo

// feature is something people use, once they have found it.
type feature struct {
	event      string
	page       page
	adopt      [5]int // by plan: the chance that a session is the first with it, in thousandths
	use        int    // the chance that a session of somebody who has found it uses it, in thousandths
	most       int    // times in one session
	launch     int    // how much of the time of the traffic passes before it exists, in hundredths
	properties func(*life) []Field
}

const featureCount = 7

// Whoever pays finds most features sooner: they have been shown to them, and more of the product is open to them.
var features = [featureCount]feature{
	{
		event: "report_created", page: page{"New report", "app", app, "/reports/new"},
		adopt: [5]int{230, 420, 480, 500, 450}, use: 520, most: 3,
		properties: func(l *life) []Field {
			return []Field{
				{"template", pick(l.dice, []string{"blank", "funnel", "retention", "revenue", "survey"})},
				{"charts", l.dice.between(1, 9)},
			}
		},
	},
	{
		event: "dashboard_shared", page: page{"Share", "app", app, "/dashboards/share"},
		adopt: [5]int{40, 90, 120, 210, 230}, use: 240, most: 2,
		properties: func(l *life) []Field {
			return []Field{{"audience", pick(l.dice, []string{"team", "team", "company", "link"})}, {"charts", l.dice.between(2, 14)}}
		},
	},
	{
		event: "export_run", page: page{"Export", "app", app, "/reports/export"},
		adopt: [5]int{20, 55, 130, 140, 180}, use: 250, most: 2,
		properties: func(l *life) []Field {
			rows := l.dice.between(1, 20) * l.dice.between(1, 20) * l.dice.between(1, 100)
			return []Field{{"format", pick(l.dice, []string{"csv", "csv", "xlsx", "parquet"})}, {"rows", rows}}
		},
	},
	{
		event: "invite_sent", page: page{"Invite", "app", app, "/team/invite"},
		adopt: [5]int{30, 110, 40, 260, 280}, use: 90, most: 3,
		properties: func(l *life) []Field {
			return []Field{{"role", pick(l.dice, roles)}, {"channel", pick(l.dice, []string{"email", "email", "link"})}}
		},
	},
	{
		event: "integration_connected", page: page{"Integrations", "app", app, "/integrations"},
		adopt: [5]int{12, 50, 70, 110, 150}, use: 25, most: 1,
		properties: func(l *life) []Field {
			return []Field{{"integration", pick(l.dice, []string{"slack", "slack", "hubspot", "salesforce", "sheets", "github"})}}
		},
	},
	{
		event: "api_key_created", page: page{"API keys", "app", app, "/settings/api"},
		adopt: [5]int{0, 8, 22, 40, 90}, use: 22, most: 1,
		properties: func(l *life) []Field {
			return []Field{{"scope", pick(l.dice, []string{"read", "read", "write"})}, {"expires_in_days", 30 * l.dice.between(1, 12)}}
		},
	},
	{
		event: "ai_summary_created", page: page{"Summary", "app", app, "/reports/summary"},
		adopt: [5]int{45, 130, 180, 170, 90}, use: 260, most: 2, launch: 50,
		properties: func(l *life) []Field {
			return []Field{{"length", pick(l.dice, []string{"short", "long"})}, {"kept", l.dice.chance(640)}}
		},
	},
}

// useFeatures is the part of a session in which the work is done.
func (l *life) useFeatures() {
	a := &l.account
	for i := range features {
		f := &features[i]
		if l.now < l.launched(f.launch) {
			continue
		}
		if !a.adopted[i] {
			if !l.dice.chance(f.adopt[a.plan]) {
				continue
			}
			a.adopted[i] = true
		} else if !l.dice.chance(f.use * [...]int{3, 5, 6}[l.person.tier] / 5) {
			continue
		}
		l.wait(3, 60)
		if l.dice.chance(250) {
			l.page(f.page)
		}
		for range l.dice.between(1, f.most) {
			l.wait(8, 240)
			l.track(f.event, f.properties(l)...)
		}
	}
}

// launched is when something comes that exists only after some hundredths of the traffic's time.
func (l *life) launched(hundredths int) int64 {
	return l.g.start + (l.g.end-l.g.start)/100*int64(hundredths)
}
