package queries

import "muster"

// reading is how the readings of a stored value are written in SQL. A reading that the value does not have is NULL.
type reading struct {
	exists  string
	text    string
	isText  string                // what must hold before text means anything; empty where text is NULL without
	truth   string                // 'true' or 'false' where the value is a boolean or says one
	number  func() string         // Nullable(Float64)
	instant func() string         // Nullable(Int64), milliseconds since the epoch
	during  func(interval) string // a condition that is true or false: the instant is in an interval
	list    string                // Array(String), empty where the value is no list
}

// Forms of a text that has another reading. They are in statements as they stand here.
const (
	numberForm  = `^[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$`
	dayForm     = `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
	instantForm = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`
)

// Readings of a text, in the order in which they need each other. They are what muster.ReadNumber and muster.ReadInstant
// are in Go, and a date besides; a test holds them together. A date is counted in days from 1970-01-01 (civil_day), and begins
// somewhere else in each zone. civil moves a date by whole cycles of 400 years, in which the calendar repeats, into the years that
// ClickHouse has days of. Column day of the attributes is read_civil of their texts.
var textReadings = []struct{ name, lambda string }{
	{"read_number", `text -> if(match(text, '` + numberForm + `') AND isFinite(toFloat64OrNull(text)), ` +
		`toFloat64OrNull(text), NULL)`},
	{"civil_year", `text -> toInt32OrZero(substring(text, 1, 4))`},
	{"civil", `text -> makeDate32(1900 + positiveModulo(civil_year(text) - 1900, 400), ` +
		`toInt32OrZero(substring(text, 6, 2)), toInt32OrZero(substring(text, 9, 2)))`},
	{"is_civil", `text -> substring(toString(civil(text)), 6, 5) = substring(text, 6, 5)`},
	{"civil_day", `text -> toInt32(civil(text)) + intDiv(civil_year(text) - toYear(civil(text)), 400) * 146097`},
	{"read_civil", `text -> if(match(text, '` + dayForm + `') AND is_civil(text), civil_day(text), NULL)`},
	{"day_start", `day -> if(day BETWEEN -25567 AND 120529, toUnixTimestamp64Milli(toDateTime64(toDate32(day), 3, {zone:String})), 86400000 * toInt64(day))`},
	{"read_day", `text -> day_start(read_civil(text))`},
	{"read_offset", `text -> if(endsWith(text, 'Z'), 0, if(substring(text, -6, 1) = '-', -60000, 60000) ` +
		`* (60 * toInt64OrZero(substring(text, -5, 2)) + toInt64OrZero(substring(text, -2))))`},
	{"read_instant", `text -> if(match(text, '` + instantForm + `') ` +
		`AND is_civil(text), 86400000 * toInt64(civil_day(text)) + 3600000 * toInt64OrZero(substring(text, 12, 2)) ` +
		`+ 60000 * toInt64OrZero(substring(text, 15, 2)) + 1000 * toInt64OrZero(substring(text, 18, 2)) ` +
		`+ toInt64OrZero(rightPad(substring(extract(text, '[.]([0-9]+)'), 1, 3), 3, '0')) - read_offset(text), read_day(text))`},
}

// readingNeeds are the readings that a reading is made of.
var readingNeeds = map[string][]string{
	"read_number":  nil,
	"read_civil":   {"civil_year", "civil", "is_civil", "civil_day"},
	"day_start":    nil,
	"read_day":     {"civil_year", "civil", "is_civil", "civil_day", "read_civil", "day_start"},
	"read_instant": {"civil_year", "civil", "is_civil", "civil_day", "read_civil", "day_start", "read_day", "read_offset"},
}

// read prints a reading of a text, and has it defined by the statement.
func (s *sqlPrinter) read(reading, text string) string {
	s.readings[reading] = true
	for _, need := range readingNeeds[reading] {
		s.readings[need] = true
	}
	return reading + "(" + text + ")"
}

// definitions prints what the statement has to define: the readings that are used, and who is told apart.
func (s *sqlPrinter) definitions() []string {
	var all []string
	for _, r := range textReadings {
		if s.readings[r.name] {
			all = append(all, r.lambda+" AS "+r.name)
		}
	}
	if s.readings["day_start"] {
		s.parameters["zone"] = Text(s.scope.Zone.String())
	}
	return append(all, s.lookedFor()...)
}

// attributeReading prints the readings of the rows of an attribute. Numbers, date-times and dates of texts are kept; only when a
// date begins depends on who asks. So that no date has to be turned into an instant, which days begin in an interval is computed once.
func (s *sqlPrinter) attributeReading() reading {
	return reading{
		exists:  "kind != 'null'",
		text:    "text",
		isText:  "kind = 'text'",
		truth:   "if(kind IN ('text', 'boolean'), text, NULL)",
		number:  func() string { return "number" },
		instant: func() string { return "coalesce(instant, " + s.read("day_start", "day") + ")" },
		during: func(in interval) string {
			return joinedConditions([]string{
				never(within("instant", in, s.millis)), never(within("day", daysIn(in, s.scope.Zone), s.day)),
			}, "OR")
		},
		list: "list",
	}
}

// propertyReading prints the readings of an event's property. Its text alone is a sub-column of its own. A number may be stored in
// three ways, which are taken apart from the one column: reading three sub-columns costs a third more, measured. Nearly all are whole
// numbers, and the rest is computed only where some are not.
func (s *sqlPrinter) propertyReading(path string) reading {
	p := "properties." + s.bind("Identifier", Text(muster.PropertyKey(path)))
	text := p + ".:String"
	instant := func() string { return s.read("read_instant", text) }
	return reading{
		exists: "isNotNull(" + p + ")",
		text:   text,
		truth:  "coalesce(toString(" + p + ".:Bool), " + text + ")",
		number: func() string {
			whole, said := ofType(p, "Int64"), ofType(p, "String")
			return "if(isNotNull(" + whole + "), toFloat64(" + whole + "), coalesce(" + ofType(p, "Float64") + ", if(isNull(" + said + "), NULL, " +
				s.read("read_number", "assumeNotNull("+said+")") + ")))"
		},
		instant: instant,
		during:  func(in interval) string { return never(within(instant(), in, s.millis)) },
		list:    p + ".:`Array(Nullable(String))`",
	}
}

// ofType prints what a property is where it is stored as a type; NULL otherwise.
func ofType(property, kind string) string { return "dynamicElement(" + property + ", '" + kind + "')" }
