package demo

// page is one of the product's.
type page struct{ name, category, host, path string }

const (
	site = "https://www.brightboard.example"
	app  = "https://app.brightboard.example"
)

var (
	signUp    = page{"Sign up", "site", site, "/signup"}
	signIn    = page{"Sign in", "app", app, "/login"}
	billing   = page{"Billing", "app", app, "/settings/billing"}
	marketing = []page{
		{"Home", "site", site, "/"},
		{"Home", "site", site, "/"},
		{"Pricing", "site", site, "/pricing"},
		{"Features", "site", site, "/features"},
		{"Customers", "site", site, "/customers"},
		{"Five charts every team needs", "blog", site, "/blog/five-charts"},
		{"How to read a retention curve", "blog", site, "/blog/retention-curve"},
		{"Documentation", "docs", site, "/docs"},
	}
	overview    = []page{{"Overview", "app", app, "/"}, {"Overview", "app", app, "/"}, {"Dashboards", "app", app, "/dashboards"}}
	application = []page{
		{"Reports", "app", app, "/reports"},
		{"Reports", "app", app, "/reports"},
		{"Dashboards", "app", app, "/dashboards"},
		{"Team", "app", app, "/team"},
		{"Integrations", "app", app, "/integrations"},
		{"Settings", "app", app, "/settings"},
		billing,
	}
	referrers = []string{
		"https://www.google.com/", "https://www.google.com/", "https://www.linkedin.com/", "https://news.ycombinator.com/",
		"https://duckduckgo.com/", "",
	}
)

// page views a page. The very first one of somebody who just arrives has come from somewhere.
func (l *life) page(p page) {
	properties := make([]Field, 0, 4)
	properties = append(properties, Field{"path", p.path}, Field{"url", p.host + p.path}, Field{"title", p.name + " - Brightboard"})
	if l.said == 0 && l.person.kind != veteran {
		if from := pick(l.dice, referrers); from != "" {
			properties = append(properties, Field{"referrer", from})
		}
	}
	l.say(Message{Type: "page", Name: p.name, Category: p.category, Properties: properties})
}
