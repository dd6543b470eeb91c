package segments

import (
	"time"

	"muster"
	"muster/queries"
)

// Segment is one revision of a saved definition.
type Segment struct {
	Project        muster.ProjectID
	ID             string
	Revision       uint32 // 1 for the first; every change adds one
	Name           string
	Description    string
	Definition     queries.Definition
	Live           bool   // kept fresh without being asked
	Schedule       string // five cron fields in UTC, or empty
	BrowserVisible bool   // a page may ask whether its user is a member
	Author         string
	CreatedAt      time.Time // of the first revision
	UpdatedAt      time.Time // of this one
}

// Draft is what a person writes of a segment.
type Draft struct {
	Name           string
	Description    string
	Definition     queries.Definition
	Live           bool
	Schedule       string
	BrowserVisible bool
}
