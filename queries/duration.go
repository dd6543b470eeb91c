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
	if d.months() > maxYears*12 || float64(n)*units[d.Unit].Hours() > maxYears*366*24 {
		return Duration{}, fmt.Errorf("%q is longer than %d years", text, maxYears)
	}
	return d, nil
}

// units are how long the units of a fixed length are.
var units = map[string]time.Duration{
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

// fixed returns the length of a duration in exact units, or zero.
func (d Duration) fixed() time.Duration { return time.Duration(d.N) * units[d.Unit] }

// months returns by how many months a duration moves the calendar, or zero.
func (d Duration) months() int {
	switch d.Unit {
	case "mo":
		return d.N
	case "y":
		return 12 * d.N
	default:
		return 0
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
func (d Duration) before(t time.Time, zone *time.Location) time.Time {
	return moveMonths(t.Add(-d.fixed()), zone, -d.months())
}

// after returns the time d after t.
func (d Duration) after(t time.Time, zone *time.Location) time.Time {
	return moveMonths(t.Add(d.fixed()), zone, d.months())
}

// moveMonths moves the calendar by months and clamps the day to the month's last: a month before March 31 is February
// 28 or 29.
func moveMonths(t time.Time, zone *time.Location, n int) time.Time {
	if n == 0 {
		return t
	}
	local := t.In(zone)
	year, month, day := local.Date()
	first := time.Date(year, month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	hour, minute, second := local.Clock()
	return time.Date(first.Year(), first.Month(), min(day, last), hour, minute, second, local.Nanosecond(), zone)
}
