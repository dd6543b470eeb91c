package demo

import "math/rand/v2"

// feature is something the product can do, and how it catches on.
type feature struct {
	event     string
	adoption  float64            // the chance a day of use makes a user of it, on a plan with factor 1
	byPlan    map[string]float64 // the factor of each plan
	frequency float64            // the chance that its user uses it on a day
	property  func(*rand.Rand) map[string]any
}

func (f feature) properties(random *rand.Rand) map[string]any {
	if f.property == nil {
		return nil
	}
	return f.property(random)
}

var features = []feature{
	{
		event: "report_created", adoption: 0.6, frequency: 0.85,
		byPlan: map[string]float64{"trial": 1, "free": 0.5, "pro": 1.2, "team": 1.2, "enterprise": 1.4},
		property: func(r *rand.Rand) map[string]any {
			return map[string]any{"rows": 10 * (1 + r.IntN(500)), "template": r.IntN(3) == 0}
		},
	},
	{
		event: "dashboard_shared", adoption: 0.15, frequency: 0.4,
		byPlan:   map[string]float64{"trial": 0.8, "free": 0.3, "pro": 1, "team": 2, "enterprise": 2.5},
		property: func(r *rand.Rand) map[string]any { return map[string]any{"people": 1 + r.IntN(12)} },
	},
	{
		event: "invite_sent", adoption: 0.1, frequency: 0.2,
		byPlan: map[string]float64{"trial": 1, "free": 0.4, "pro": 0.8, "team": 3, "enterprise": 3},
		property: func(r *rand.Rand) map[string]any {
			return map[string]any{"role": pick(r, []string{"viewer", "editor", "admin"})}
		},
	},
	{
		event: "export_run", adoption: 0.08, frequency: 0.35,
		byPlan: map[string]float64{"trial": 0.5, "free": 0, "pro": 1.5, "team": 1.5, "enterprise": 2},
		property: func(r *rand.Rand) map[string]any {
			return map[string]any{"format": pick(r, []string{"csv", "xlsx", "parquet"}), "seconds": float64(r.IntN(900)) / 10}
		},
	},
	{
		event: "api_key_created", adoption: 0.02, frequency: 0.03,
		byPlan: map[string]float64{"trial": 0.3, "free": 0, "pro": 1, "team": 1.5, "enterprise": 4},
	},
}

// price is what a month on a plan costs.
var price = map[string]float64{"pro": 29, "team": 99, "enterprise": 499}

var (
	firstNames = []string{"Ada", "Björn", "Chloé", "Dmitri", "Elif", "Fatima", "Giulia", "Hana", "Inès", "João", "Kofi", "Lena", "Mei", "Noor", "Oskar", "Priya", "Quinn", "Rosa", "Søren", "Tariq"}
	lastNames  = []string{"Almeida", "Brandt", "Chen", "Dubois", "Eriksen", "Ferrari", "García", "Haddad", "Ivanova", "Jensen", "Kaya", "Lindqvist", "Müller", "Nakamura", "Okafor", "Petit", "Rossi", "Silva", "Tanaka", "Weiß"}
	roles      = []string{"admin", "analyst", "analyst", "developer", "manager", "viewer"}
	companies  = []string{"Acme", "Globex", "Initech", "Umbra & Co", "Hooli", "Stark Ñ", "Wayne", "Wonka", "Tyrell", "Cyberdyne"}
	countries  = []string{"DE", "FR", "ES", "US", "US", "GB", "IT", "NL", "JP", "BR"}
	languages  = []string{"en", "en", "en", "de", "fr", "es", "ja", "pt"}
	interests  = []string{"analytics", "growth", "design", "sales", "support", "engineering"}
	sources    = []string{"search", "search", "friend", "ad", "blog"}
)
