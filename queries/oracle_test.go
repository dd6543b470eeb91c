package queries_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/cases"
)

// oracle evaluates definitions the naive way: for each user, over slices of all that was said of it. It is written from
// the page on the language, reads a definition as plain JSON, and shares nothing with the package it judges.
type oracle struct {
	zone     *time.Location
	now      int64 // ms
	known    int64 // µs; what was received later is ignored
	users    []*person
	segments map[string]object
}

type object = map[string]any

// person is a user with everything that was said of all its actors. A message sent again stands here once.
type person struct {
	name       string
	identified bool
	anonymous  []string // its anonymous ids
	events     []happening
	facts      []fact
	removals   []removal
	imports    []importing
}

// members returns the names of the users a definition holds for.
func (o *oracle) members(definition object) []string {
	var names []string
	for _, u := range o.users {
		if first, ok := o.seen(u); ok && first <= o.now && o.node(definition, u) {
			names = append(names, u.name)
		}
	}
	slices.Sort(names)
	return names
}

func (o *oracle) node(n object, u *person) bool {
	each := func(key string) (held int) {
		for _, c := range n[key].([]any) {
			if o.node(c.(object), u) {
				held++
			}
		}
		return held
	}
	switch {
	case n["all"] != nil:
		return each("all") == len(n["all"].([]any))
	case n["any"] != nil:
		return each("any") > 0
	case n["at_least"] != nil:
		return each("of") >= int(n["at_least"].(float64))
	case n["not"] != nil:
		return !o.node(n["not"].(object), u)
	case n["everyone"] != nil:
		return true
	case n["identified"] != nil:
		return u.identified == n["identified"].(bool)
	case n["attribute"] != nil:
		return o.compare(n, o.attribute(n["attribute"].(string), u))
	case n["tag"] != nil:
		tags, _ := o.attribute("tags", u).([]any)
		return slices.Contains(tags, n["tag"])
	case n["import"] != nil:
		return slices.ContainsFunc(u.imports, func(i importing) bool {
			return i.name == n["import"] && i.time <= o.now && i.received <= o.known
		})
	case n["segment"] != nil:
		return o.node(o.segments[n["segment"].(string)], u)
	case n["sequence"] != nil:
		return o.sequence(n, u)
	case n["experience"] != nil && n["question"] != nil:
		return o.answer(n, u)
	case n["experience"] != nil:
		where := []any{object{"property": "experience", "op": "equals", "value": n["experience"]}}
		if n["interaction"] != nil {
			where = append(where, object{"property": "interaction", "op": "equals", "value": n["interaction"]})
		}
		return o.count(n["count"], len(o.matching("$experience", object{"all": where}, n, u)))
	case n["aggregate"] != nil:
		return o.aggregate(n, u)
	case n["first"] != nil || n["last"] != nil:
		events := o.matching(n["event"].(string), n["where"], object{}, u)
		if len(events) == 0 {
			return false
		}
		at, asked := events[0].time, n["first"]
		if n["last"] != nil {
			at, asked = events[len(events)-1].time, n["last"]
		}
		return o.during(asked.(object), at)
	default:
		return o.count(n["count"], len(o.matching(n["event"].(string), n["where"], n, u)))
	}
}

// happened returns the user's events by now, of what is known, in the order of time.
func (o *oracle) happened(u *person) []happening {
	var all []happening
	for _, e := range u.events {
		if e.time <= o.now && e.received <= o.known {
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b happening) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.received, b.received))
	})
	return all
}

// sightings are when the user was seen: never later than the receipt of what was said.
func (o *oracle) sightings(u *person) []int64 {
	var all []int64
	for _, e := range u.events {
		if at := min(e.time, e.received/1000); at <= o.now && e.received <= o.known {
			all = append(all, at)
		}
	}
	slices.Sort(all)
	return all
}

func (o *oracle) seen(u *person) (int64, bool) {
	all := o.sightings(u)
	if len(all) == 0 {
		return 0, false
	}
	return all[0], true
}

func (o *oracle) attribute(name string, u *person) any {
	seen := o.sightings(u)
	instant := func(ms int64) any { return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano) }
	switch name {
	case "user_id":
		if u.identified {
			return u.name
		}
		return nil
	case "anonymous_id":
		if len(u.anonymous) == 0 {
			return nil
		}
		return u.anonymous[0]
	case "first_seen":
		return timeOnly{instant(seen[0]).(string)}
	case "last_seen":
		return timeOnly{instant(seen[len(seen)-1]).(string)}
	case "sessions":
		sessions := 1.0
		for i := 1; i < len(seen); i++ {
			if seen[i]-seen[i-1] > 30*60*1000 {
				sessions++
			}
		}
		return sessions
	}
	var latest *fact
	for i, f := range u.facts {
		if f.attribute != name || f.time > o.now || f.received > o.known {
			continue
		}
		if latest == nil || f.time > latest.time || f.time == latest.time && f.received > latest.received {
			latest = &u.facts[i]
		}
	}
	if latest == nil {
		return nil
	}
	for _, r := range u.removals {
		after := r.time > latest.time || r.time == latest.time && r.received > latest.received
		if latest.removable && after && r.time <= o.now && r.received <= o.known {
			return nil
		}
	}
	return latest.value
}

// timeOnly is a time that is no text.
type timeOnly struct{ text string }

var (
	isDecimal = regexp.MustCompile(`^[-+]?\d+(\.\d+)?([eE][-+]?\d+)?$`)
	isDay     = regexp.MustCompile(`^\d\d\d\d-\d\d-\d\d$`)
	isInstant = regexp.MustCompile(`^\d\d\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]([01]\d|2[0-3]):[0-5]\d)$`)
)

func numberOf(value any) (float64, bool) {
	switch v := value.(type) {
	case float64:
		return v, true
	case string:
		n, err := strconv.ParseFloat(v, 64)
		return n, isDecimal.MatchString(v) && err == nil && !math.IsInf(n, 0)
	}
	return 0, false
}

func (o *oracle) timeOf(value any) (int64, bool) {
	text, ok := value.(string)
	if t, is := value.(timeOnly); is {
		text, ok = t.text, true
	}
	if !ok {
		return 0, false
	}
	if isDay.MatchString(text) {
		day, err := time.Parse(time.DateOnly, text)
		return o.midnight(day), err == nil
	}
	t, err := time.Parse(time.RFC3339, text)
	return t.UnixMilli(), err == nil && isInstant.MatchString(text)
}

// midnight returns the first instant that the project's calendar calls a day, or a later one: where clocks skip midnight, the
// day begins after it.
func (o *oracle) midnight(day time.Time) int64 {
	written := day.Format(time.DateOnly)
	from := day.UnixMilli() - 48*3600*1000
	return from + int64(sort.Search(96*3600*1000, func(ms int) bool {
		return time.UnixMilli(from+int64(ms)).In(o.zone).Format(time.DateOnly) >= written
	}))
}

// compare asks of a value, or of nil for a missing one, what op, value and ignore_case of a condition say.
func (o *oracle) compare(c object, value any) bool {
	op := c["op"].(string)
	if positive, negative := strings.CutPrefix(op, "not_"); negative {
		c = object{"op": positive, "value": c["value"], "ignore_case": c["ignore_case"]}
		return !o.compare(c, value)
	}
	if op == "has_none" {
		return !o.compare(object{"op": "has_any", "value": c["value"]}, value)
	}
	if value == nil {
		return false
	}
	operand := c["value"]
	switch op {
	case "exists":
		return true
	case "equals":
		return o.equal(value, operand, c["ignore_case"] == true)
	case "in":
		return slices.ContainsFunc(operand.([]any), func(one any) bool { return o.equal(value, one, c["ignore_case"] == true) })
	case "has_any", "has_all":
		list, ok := value.([]any)
		held := 0
		for _, one := range operand.([]any) {
			if slices.Contains(list, one) {
				held++
			}
		}
		return ok && (op == "has_any" && held > 0 || held == len(operand.([]any)))
	case "contains", "starts_with", "ends_with", "matches":
		text, ok := value.(string)
		other := operand.(string)
		if c["ignore_case"] == true {
			if op == "matches" {
				other = "(?i)" + other
			} else {
				text, other = fold(text), fold(other)
			}
		}
		return ok && map[string]func(string, string) bool{
			"contains": strings.Contains, "starts_with": strings.HasPrefix, "ends_with": strings.HasSuffix,
			"matches": func(text, expression string) bool { return regexp.MustCompile(expression).MatchString(text) },
		}[op](text, other)
	case "lt", "lte", "gt", "gte":
		n, ok := numberOf(value)
		return ok && compareNumber(op, n, operand.(float64), 0)
	case "between":
		if low, high := endsOf(operand); isNumber(low) {
			n, ok := numberOf(value)
			return ok && low.(float64) <= n && n <= high.(float64)
		}
	}
	at, ok := o.timeOf(value)
	return ok && o.during(c, at)
}

// endsOf returns the ends of a range, which is written as a list or as an object.
func endsOf(v any) (low, high any) {
	if o, ok := v.(object); ok {
		return o["from"], o["to"]
	}
	return v.([]any)[0], v.([]any)[1]
}

func isNumber(v any) bool { _, is := v.(float64); return is }

func fold(text string) string { return cases.Fold().String(text) }

func (o *oracle) equal(value, operand any, ignoreCase bool) bool {
	switch operand := operand.(type) {
	case float64:
		n, ok := numberOf(value)
		return ok && n == operand
	case bool:
		return value == operand || value == strconv.FormatBool(operand)
	default:
		text, ok := value.(string)
		if ok && ignoreCase {
			return fold(text) == fold(operand.(string))
		}
		return ok && text == operand
	}
}

func compareNumber(op string, n, a, b float64) bool {
	return map[string]bool{
		"eq": n == a, "neq": n != a, "lt": n < a, "lte": n <= a, "gt": n > a, "gte": n >= a, "between": a <= n && n <= b,
	}[op]
}

// moved returns now moved by a duration, back or ahead.
func (o *oracle) moved(duration string, by int) int64 {
	digits := strings.TrimRight(duration, "smhdwoy")
	n, _ := strconv.Atoi(digits)
	n *= by
	now := time.UnixMilli(o.now).In(o.zone)
	months := n
	switch unit := strings.TrimPrefix(duration, digits); unit {
	case "mo":
	case "y":
		months = 12 * n
	default:
		seconds := map[string]int64{"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[unit]
		return o.now + int64(n)*seconds*1000
	}
	day := now.Day()
	for {
		t := time.Date(now.Year(), now.Month(), 1, now.Hour(), now.Minute(), now.Second(), now.Nanosecond(), o.zone).AddDate(0, months, day-1)
		if t.Day() == day {
			return t.UnixMilli()
		}
		day--
	}
}

// during asks of a time what a time operator says.
func (o *oracle) during(c object, at int64) bool {
	moment := func(v any) int64 { ms, _ := o.timeOf(v); return ms }
	switch c["op"] {
	case "before":
		return at < moment(c["value"])
	case "after":
		return at > moment(c["value"])
	case "on":
		a, b := time.UnixMilli(at).In(o.zone), time.UnixMilli(moment(c["value"])).In(o.zone)
		return a.Format(time.DateOnly) == b.Format(time.DateOnly)
	case "between":
		from, to := endsOf(c["value"])
		return moment(from) <= at && at < moment(to)
	case "within_last":
		return o.moved(c["value"].(string), -1) < at && at <= o.now
	case "more_than_ago":
		return at <= o.moved(c["value"].(string), -1)
	case "within_next":
		return o.now < at && at <= o.moved(c["value"].(string), 1)
	case "more_than_ahead":
		return at > o.moved(c["value"].(string), 1)
	}
	panic(fmt.Sprint("oracle: ", c))
}

// matching returns the events of a name that pass where, in the window of a leaf.
func (o *oracle) matching(event string, where any, leaf object, u *person) []happening {
	var all []happening
	for _, e := range o.happened(u) {
		if e.event == event && o.inWindow(leaf, e.time) && (where == nil || o.predicate(where.(object), e.properties)) {
			all = append(all, e)
		}
	}
	return all
}

func (o *oracle) inWindow(leaf object, at int64) bool {
	switch {
	case leaf["within"] != nil:
		return o.moved(leaf["within"].(string), -1) < at
	case leaf["between"] != nil:
		return o.during(object{"op": "between", "value": leaf["between"]}, at)
	case leaf["since"] != nil:
		from, _ := o.timeOf(leaf["since"])
		return from <= at
	}
	return true
}

func (o *oracle) predicate(p, properties object) bool {
	switch {
	case p["all"] != nil:
		return !slices.ContainsFunc(p["all"].([]any), func(c any) bool { return !o.predicate(c.(object), properties) })
	case p["any"] != nil:
		return slices.ContainsFunc(p["any"].([]any), func(c any) bool { return o.predicate(c.(object), properties) })
	case p["not"] != nil:
		return !o.predicate(p["not"].(object), properties)
	}
	return o.compare(p, properties[p["property"].(string)])
}

func (o *oracle) count(asked any, n int) bool {
	if asked == nil {
		return n >= 1
	}
	return o.threshold(asked.(object), float64(n))
}

func (o *oracle) threshold(asked object, n float64) bool {
	if asked["op"] == "between" {
		low, high := endsOf(asked["value"])
		return compareNumber("between", n, low.(float64), high.(float64))
	}
	return compareNumber(asked["op"].(string), n, asked["value"].(float64), 0)
}

func (o *oracle) aggregate(n object, u *person) bool {
	a := n["aggregate"].(object)
	var numbers []float64
	values, days := map[string]bool{}, map[string]bool{}
	for _, e := range o.matching(n["event"].(string), n["where"], n, u) {
		days[time.UnixMilli(e.time).In(o.zone).Format(time.DateOnly)] = true
		if a["property"] == nil || e.properties[a["property"].(string)] == nil {
			continue
		}
		value := e.properties[a["property"].(string)]
		printed, _ := json.Marshal(value)
		values[string(printed)] = true
		if number, ok := numberOf(value); ok {
			numbers = append(numbers, number)
		}
	}
	sum := 0.0
	for _, number := range numbers {
		sum += number
	}
	switch fn := a["fn"].(string); {
	case fn == "sum":
		return o.threshold(n, sum)
	case fn == "distinct":
		return o.threshold(n, float64(len(values)))
	case fn == "distinct_days":
		return o.threshold(n, float64(len(days)))
	case len(numbers) == 0:
		return false
	case fn == "min":
		return o.threshold(n, slices.Min(numbers))
	case fn == "max":
		return o.threshold(n, slices.Max(numbers))
	default:
		return o.threshold(n, sum/float64(len(numbers)))
	}
}

// sequence tries every chain.
func (o *oracle) sequence(n object, u *person) bool {
	steps := n["sequence"].([]any)
	var follow func(step int, first, last int64) bool
	follow = func(step int, first, last int64) bool {
		if step == len(steps) {
			return true
		}
		s := steps[step].(object)
		for _, e := range o.matching(s["event"].(string), s["where"], n, u) {
			if step > 0 && e.time <= last {
				continue
			}
			begun := first
			if step == 0 {
				begun = e.time
			}
			if step == len(steps)-1 && n["complete_within"] != nil {
				at := &oracle{zone: o.zone, now: begun}
				if e.time > at.moved(n["complete_within"].(string), 1) {
					continue
				}
			}
			if follow(step+1, begun, e.time) {
				return true
			}
		}
		return false
	}
	return follow(0, 0, 0)
}

func (o *oracle) answer(n object, u *person) bool {
	asked := n["answer"].(object)
	op := asked["op"].(string)
	if positive, negative := strings.CutPrefix(op, "not_"); negative || op == "has_none" {
		if !negative {
			positive = "has_any"
		}
		return !o.answer(object{
			"experience": n["experience"], "question": n["question"], "latest": n["latest"], "within": n["within"], "since": n["since"],
			"between": n["between"], "answer": object{"op": positive, "value": asked["value"], "ignore_case": asked["ignore_case"]},
		}, u)
	}
	answers := o.matching("$experience", object{"all": []any{
		object{"property": "experience", "op": "equals", "value": n["experience"]},
		object{"property": "question", "op": "equals", "value": n["question"]},
		object{"property": "answer", "op": "exists"},
	}}, n, u)
	if n["latest"] == true && len(answers) > 1 {
		answers = answers[len(answers)-1:]
	}
	return slices.ContainsFunc(answers, func(e happening) bool { return o.compare(asked, e.properties["answer"]) })
}
