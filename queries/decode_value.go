package queries

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// object is a JSON object at a place of the definition.
type object struct {
	fields map[string]jsontext.Value
	at     string
	depth  int
}

func (d *decoder) object(value jsontext.Value, at string, depth int) (object, bool) {
	o := object{at: at, depth: depth}
	if value.Kind() != '{' {
		d.refuse(at, "wrong_type", "an object is expected here, not "+kindName(value))
		return o, false
	}
	if err := json.Unmarshal(value, &o.fields); err != nil {
		d.refuse(at, "invalid_json", err.Error())
		return o, false
	}
	return o, true
}

// only refuses fields an object does not have.
func (d *decoder) only(o object, known ...string) {
	for _, field := range slices.Sorted(maps.Keys(o.fields)) {
		if !slices.Contains(known, field) {
			d.suggest(o.at+"/"+escape(field), "unknown_field", fmt.Sprintf("%q is not known here", field), field, known)
		}
	}
}

func (d *decoder) array(value jsontext.Value, at string) ([]jsontext.Value, bool) {
	var items []jsontext.Value
	if value.Kind() != '[' {
		d.refuse(at, "wrong_type", "a list is expected here, not "+kindName(value))
		return nil, false
	}
	if err := json.Unmarshal(value, &items); err != nil {
		d.refuse(at, "invalid_json", err.Error())
		return nil, false
	}
	return items, true
}

func (d *decoder) text(value jsontext.Value, at string) (string, bool) {
	var text string
	if value.Kind() != '"' {
		d.refuse(at, "wrong_type", "a text is expected here, not "+kindName(value))
		return "", false
	}
	if err := json.Unmarshal(value, &text); err != nil {
		d.refuse(at, "invalid_json", err.Error())
		return "", false
	}
	return text, true
}

// has tells whether an object has a field, and refuses it if not.
func (d *decoder) has(o object, field string) bool {
	_, ok := o.fields[field]
	if !ok {
		d.refuse(o.at+"/"+field, "required", fmt.Sprintf("%q is needed here", field))
	}
	return ok
}

// name reads a text that names something.
func (d *decoder) name(o object, field string, most int) string {
	if !d.has(o, field) {
		return ""
	}
	at := o.at + "/" + field
	text, ok := d.text(o.fields[field], at)
	if ok && text == "" {
		d.refuse(at, "required", fmt.Sprintf("the name of the %s is empty", field))
	}
	if len(text) > most {
		d.refuse(at, "too_long", fmt.Sprintf("the name has %d bytes; none has more than %d", len(text), most))
	}
	return text
}

func (d *decoder) boolean(value jsontext.Value, at string) (is, ok bool) {
	if k := value.Kind(); k != 't' && k != 'f' {
		d.refuse(at, "wrong_type", "true or false is expected here, not "+kindName(value))
		return false, false
	}
	return value.Kind() == 't', true
}

func (d *decoder) number(value jsontext.Value, at string) (float64, bool) {
	if value.Kind() != '0' {
		d.refuse(at, "wrong_type", "a number is expected here, not "+kindName(value))
		return 0, false
	}
	n, err := strconv.ParseFloat(string(value), 64)
	if err != nil || math.IsInf(n, 0) {
		d.refuse(at, "out_of_range", fmt.Sprintf("%s is larger than any number that is kept", value))
		return 0, false
	}
	return n, true
}

// whole reads a count.
func (d *decoder) whole(value jsontext.Value, at string) (float64, bool) {
	n, ok := d.number(value, at)
	if !ok {
		return 0, false
	}
	if n < 0 || n != math.Trunc(n) || n > maxCount {
		d.refuse(at, "out_of_range", fmt.Sprintf("%s is no count; a whole number from 0 is expected", value))
		return 0, false
	}
	return n, true
}

// maxCount is larger than any count there will be, and exact as a number.
const maxCount = 1e15

func (d *decoder) duration(value jsontext.Value, at string) Duration {
	text, ok := d.text(value, at)
	if !ok {
		return Duration{}
	}
	duration, err := parseDuration(text)
	if err != nil {
		d.refuse(at, "invalid_duration", err.Error())
	}
	return duration
}

func (d *decoder) moment(value jsontext.Value, at string) Moment {
	text, ok := d.text(value, at)
	if !ok {
		return ""
	}
	m, err := parseMoment(text)
	if err != nil {
		d.refuse(at, "invalid_time", err.Error())
	}
	return m
}

func (d *decoder) orderedMoments(low, high jsontext.Value, lowAt, highAt, at string) (from, to Moment) {
	from, to = d.moment(low, lowAt), d.moment(high, highAt)
	if from == "" || to == "" {
		return from, to
	}
	// When a day begins depends on a zone that is not known yet, so beside an instant it may be anywhere near.
	latest := to.in(time.UTC)
	if from.isDay() != to.isDay() {
		latest = latest.Add(14 * time.Hour)
	}
	if !from.in(time.UTC).Before(latest) {
		d.refuse(at, "reversed_range", fmt.Sprintf("nothing is from %s, in, to %s, out", from, to))
	}
	return from, to
}

// kindName says what a JSON value is.
func kindName(value jsontext.Value) string {
	switch value.Kind() {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a text"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case jsontext.KindInvalid, jsontext.KindEndObject, jsontext.KindEndArray:
	}
	return "nothing"
}

// escape makes a field's name a token of a JSON Pointer.
func escape(field string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(field) }

// Nearest returns the known word that takes the fewest changes to write, if they are few for its length.
func Nearest(given string, known []string) string {
	best, changes := "", max(1, len(given)/3)+1
	for _, word := range known {
		if n := distance(given, word); n < changes {
			best, changes = word, n
		}
	}
	return best
}

// distance is the number of letters to insert, drop or replace, and of neighbours to exchange, to turn a into b, where no letter is
// changed twice (the optimal string alignment distance, after Damerau, 1964).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			rows[i][j] = min(change, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
