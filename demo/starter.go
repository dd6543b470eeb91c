package demo

import "encoding/json"

// Starter is a segment to start with.
type Starter struct {
	Name        string
	Description string
	Definition  json.RawMessage
}

// Starters are the five essential groups: new, paying, inactive, on trial, power users.
func Starters() []Starter {
	return []Starter{
		{
			"New users, created in the last 7 days", "Who to welcome.",
			json.RawMessage(`{"attribute":"created_at","op":"within_last","value":"7d"}`),
		},
		{
			"Paying users", "On a plan that costs something.",
			json.RawMessage(`{"attribute":"plan","op":"in","value":["pro","team","enterprise"]}`),
		},
		{
			"Inactive users, not seen for 30 days", "Signed up once, and gone.",
			json.RawMessage(`{"all":[{"identified":true},{"attribute":"last_seen","op":"more_than_ago","value":"30d"}]}`),
		},
		{
			"Trial users", "Trying it out.",
			json.RawMessage(`{"attribute":"plan","op":"equals","value":"trial"}`),
		},
		{
			"Power users, 20 reports in the last 30 days", "Who to ask.",
			json.RawMessage(`{"event":"report_created","count":{"op":"gte","value":20},"within":"30d"}`),
		},
	}
}
