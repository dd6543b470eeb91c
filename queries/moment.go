package queries

import (
	"fmt"
	"regexp"
	"time"
)

// Moment is an instant, or a calendar day of the project's zone, as it was written. The zero value is none. Finer parts of
// an instant than milliseconds are cut off, as they are from everything that is stored.
type Moment string

var instantExpression = regexp.MustCompile(instantForm)

func parseMoment(text string) (Moment, error) {
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		return Moment(text), nil
	}
	// time.Parse alone also takes hours of one digit and commas, which are not RFC 3339.
	if _, err := time.Parse(time.RFC3339, text); err == nil && instantExpression.MatchString(text) {
		return Moment(text), nil
	}
	return "", fmt.Errorf("%q is no time; write an RFC 3339 date-time with an offset, or a date, such as "+
		"\"2026-01-31T00:00:00Z\" or \"2026-01-31\"", text)
}

// isDay tells whether the moment is a calendar day.
func (m Moment) isDay() bool { return len(m) == len(time.DateOnly) }

// in returns the instant; a day's is when it begins in the zone.
func (m Moment) in(zone *time.Location) time.Time {
	if m.isDay() {
		t, _ := time.Parse(time.DateOnly, string(m)) // it was parsed before
		year, month, day := t.Date()
		return startOfDay(year, month, day, zone)
	}
	t, _ := time.Parse(time.RFC3339, string(m))
	return t
}

// day returns the midnights that begin and end the calendar day of the moment in the zone.
func (m Moment) day(zone *time.Location) (start, end time.Time) {
	year, month, day := m.in(zone).In(zone).Date()
	next := time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC)
	return startOfDay(year, month, day, zone), startOfDay(next.Year(), next.Month(), next.Day(), zone)
}

// startOfDay returns the first instant of a calendar day. It is not midnight where the clock was put forward at midnight,
// and the earlier of two where it was put back over it; time.Date promises neither.
func startOfDay(year int, month time.Month, day int, zone *time.Location) time.Time {
	t := time.Date(year, month, day, 0, 0, 0, 0, zone)
	start, end := t.ZoneBounds()
	if t.Day() != day {
		return end
	}
	if start.IsZero() {
		return t
	}
	_, offset := t.Zone()
	_, before := start.Add(-1).Zone()
	if earlier := t.Add(-time.Duration(before-offset) * time.Second); before > offset && earlier.Before(start) {
		return earlier
	}
	return t
}

// dayMillis is a day of 24 hours, in milliseconds.
const dayMillis = 24 * 60 * 60 * 1000

// dayStart returns when a calendar day begins in a zone, given its number from 1970-01-01. Beyond the years that ClickHouse has days
// of, a day begins at midnight UTC.
func dayStart(day int64, zone *time.Location) int64 {
	if day < -25_567 || day > 120_529 { // 1900-01-01 and 2299-12-31
		return day * dayMillis
	}
	year, month, of := time.UnixMilli(day * dayMillis).UTC().Date()
	return startOfDay(year, month, of, zone).UnixMilli()
}

// daysIn returns the calendar days that begin in an interval: their numbers from 1970-01-01.
func daysIn(in interval, zone *time.Location) interval {
	return interval{firstDay(in.from, zone), firstDay(in.to, zone)}
}

// firstDay returns the first day that begins at an instant or after it. No zone is a day ahead or behind.
func firstDay(ms int64, zone *time.Location) int64 {
	if ms == beginning || ms == forever {
		return ms
	}
	day := ms/dayMillis - 2
	for dayStart(day, zone) < ms {
		day++
	}
	return day
}
