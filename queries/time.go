package queries

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Duration is a whole number of units. s, m, h, d (24 hours) and w are exact; mo and y move the calendar of the project's
// zone and clamp to the month's end. The zero value is none.
type Duration struct {
	N    int
	Unit string
}

var durationForm = regexp.MustCompile(`^([0-9]{1,9})(s|m|h|d|w|mo|y)$`)

// unitNames say a unit in a sentence, in the singular.
var unitNames = map[string]string{"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}

// maxYears bounds every duration: further back there is no event, and calendar arithmetic stays within what is stored.
const maxYears = 100

func parseDuration(text string) (Duration, error) {
	parts := durationForm.FindStringSubmatch(text)
	if parts == nil {
		return Duration{}, fmt.Errorf("%q is no duration; write a whole number and a unit: s, m, h, d, w, mo or y, such as \"30d\"", text)
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil {
		return Duration{}, err
	}
	d := Duration{n, parts[2]}
	if n == 0 {
		return Duration{}, fmt.Errorf("%q is no time at all", text)
	}
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	if float64(n) > maxYears*366*24*3600/secondsOf(d.Unit) || d.before(start, time.UTC).Year() < start.Year()-maxYears {
		return Duration{}, fmt.Errorf("%q is longer than %d years", text, maxYears)
	}
	return d, nil
}

// secondsOf is the least length of a unit.
func secondsOf(unit string) float64 {
	switch unit {
	case "s":
		return 1
	case "m":
		return 60
	case "h":
		return 3600
	case "d":
		return 24 * 3600
	case "w":
		return 7 * 24 * 3600
	case "mo":
		return 28 * 24 * 3600
	default:
		return 365 * 24 * 3600
	}
}

// String prints the duration as it is written.
func (d Duration) String() string { return strconv.Itoa(d.N) + d.Unit }

// phrase says the duration in a sentence: "30 days".
func (d Duration) phrase() string {
	if d.N == 1 {
		return "1 " + unitNames[d.Unit]
	}
	return strconv.Itoa(d.N) + " " + unitNames[d.Unit] + "s"
}

// before returns the time d before t.
func (d Duration) before(t time.Time, zone *time.Location) time.Time { return d.move(t, zone, -d.N) }

// after returns the time d after t.
func (d Duration) after(t time.Time, zone *time.Location) time.Time { return d.move(t, zone, d.N) }

func (d Duration) move(t time.Time, zone *time.Location, n int) time.Time {
	switch d.Unit {
	case "mo":
		return moveMonths(t, zone, n)
	case "y":
		return moveMonths(t, zone, 12*n)
	default:
		return t.Add(time.Duration(float64(n)*secondsOf(d.Unit)) * time.Second)
	}
}

// moveMonths moves the calendar by months and clamps the day to the month's last: a month before March 31 is February
// 28 or 29.
func moveMonths(t time.Time, zone *time.Location, n int) time.Time {
	local := t.In(zone)
	year, month, day := local.Date()
	first := time.Date(year, month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	hour, minute, second := local.Clock()
	return time.Date(first.Year(), first.Month(), min(day, last), hour, minute, second, local.Nanosecond(), zone)
}

// Moment is an instant, or a calendar day of the project's zone, as it was written. The zero value is none.
type Moment string

func parseMoment(text string) (Moment, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			if t.Year() < 1900 || t.Year() > 2299 {
				return "", fmt.Errorf("%q is not between the years 1900 and 2299", text)
			}
			return Moment(text), nil
		}
	}
	return "", fmt.Errorf("%q is no time; write an RFC 3339 date-time with an offset or a date, such as "+
		"\"2026-01-31T00:00:00Z\" or \"2026-01-31\"", text)
}

// isDay tells whether the moment is a calendar day.
func (m Moment) isDay() bool { return len(m) == len(time.DateOnly) }

// in returns the instant; a day's is its midnight in the zone.
func (m Moment) in(zone *time.Location) time.Time {
	if m.isDay() {
		t, _ := time.ParseInLocation(time.DateOnly, string(m), zone) // it was parsed before
		return t
	}
	t, _ := time.Parse(time.RFC3339, string(m))
	return t
}

// day returns the midnights that begin and end the calendar day of the moment in the zone.
func (m Moment) day(zone *time.Location) (start, end time.Time) {
	year, month, day := m.in(zone).In(zone).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, zone), time.Date(year, month, day+1, 0, 0, 0, 0, zone)
}
