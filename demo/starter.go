package demo

import "encoding/json"

// Starter is a segment to begin with.
type Starter struct {
	Name        string
	Description string
	Definition  json.RawMessage // in the segment language
	Live        bool            // kept fresh without being asked
	Schedule    string          // five cron fields in UTC, of one that is not live
}

// StarterSegments are the five essential groups: new, paying, inactive, trial and power users. What they ask for is in
// their names.
func StarterSegments() []Starter {
	return []Starter{
		{
			Name:        "New users, created in the last 7d",
			Description: "Signed up within a week: who to welcome and to guide to a first report.",
			Definition:  json.RawMessage(`{"attribute":"created_at","op":"within_last","value":"7d"}`),
			Live:        true,
		},
		{
			Name:        "Paying users, active last 30d",
			Description: "On a plan that costs something, and seen within a month.",
			Definition: json.RawMessage(`{"all":[{"attribute":"plan","op":"in","value":["pro","team","enterprise"]},` +
				`{"attribute":"last_seen","op":"within_last","value":"30d"}]}`),
			Live: true,
		},
		{
			Name:        "Inactive users, last activity over 30d ago",
			Description: "Have an account and have not been seen for a month: who to win back. Visitors without an account are not counted.",
			Definition: json.RawMessage(`{"all":[{"identified":true},` +
				`{"attribute":"last_seen","op":"more_than_ago","value":"30d"}]}`),
			Schedule: "0 5 * * *",
		},
		{
			Name:        "Trial users, trial still running",
			Description: "On trial, and it ends in the days to come. Whoever stayed away since it ended is not counted.",
			Definition: json.RawMessage(`{"all":[{"attribute":"plan","op":"equals","value":"trial"},` +
				`{"attribute":"trial_ends_at","op":"within_next","value":"14d"}]}`),
			Live: true,
		},
		{
			Name:        "Power users, 15 reports and an export or share last 30d",
			Description: "Create reports all the time and bring them to others: who to ask and to learn from.",
			Definition: json.RawMessage(`{"all":[{"event":"report_created","count":{"op":"gte","value":15},"within":"30d"},` +
				`{"any":[{"event":"export_run","where":{"property":"rows","op":"gte","value":100},"within":"30d"},` +
				`{"event":"dashboard_shared","within":"30d"}]}]}`),
			Schedule: "0 5 * * *",
		},
	}
}
