package queries

import (
	"fmt"

	"muster"
)

// reading is how the readings of a stored value are written in SQL. A reading that the value does not have is NULL.
type reading struct {
	exists  string
	text    string
	isText  string        // what must hold before text means anything; empty where text is NULL without
	truth   string        // 'true' or 'false' where the value is a boolean or says one
	number  func() string // Nullable(Float64)
	instant func() string // Nullable(Int64), milliseconds since the epoch
	list    string        // Array(String), empty where the value is no list
}

// Forms of a text that has another reading. They are in statements as they stand here.
const (
	numberForm  = `^[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$`
	dayForm     = `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
	instantForm = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`
)

// Readings of a text, in the order in which they need each other. They are what muster.ReadNumber and muster.ReadInstant
// are in Go, and a date besides; a test holds them together. civil moves a date by whole cycles of 400 years, in which the
// calendar repeats, into the years that ClickHouse has days of.
var textReadings = []struct{ name, lambda string }{
	{"read_number", `text -> if(match(text, '` + numberForm + `') AND isFinite(toFloat64OrNull(text)), ` +
		`toFloat64OrNull(text), NULL)`},
	{"civil_year", `text -> toInt32OrZero(substring(text, 1, 4))`},
	{"civil", `text -> makeDate32(1900 + positiveModulo(civil_year(text) - 1900, 400), ` +
		`toInt32OrZero(substring(text, 6, 2)), toInt32OrZero(substring(text, 9, 2)))`},
	{"is_civil", `text -> substring(toString(civil(text)), 6, 5) = substring(text, 6, 5)`},
	{"civil_start", `text -> 86400000 * (toInt64(toInt32(civil(text))) + intDiv(civil_year(text) - toYear(civil(text)), 400) * 146097)`},
	{"read_day", `text -> if(match(text, '` + dayForm + `') AND is_civil(text), ` +
		`if(civil_year(text) BETWEEN 1900 AND 2299, toUnixTimestamp64Milli(toDateTime64(civil(text), 3, {zone:String})), civil_start(text)), NULL)`},
	{"read_offset", `text -> if(endsWith(text, 'Z'), 0, if(substring(text, -6, 1) = '-', -60000, 60000) ` +
		`* (60 * toInt64OrZero(substring(text, -5, 2)) + toInt64OrZero(substring(text, -2))))`},
	{"read_instant", `text -> if(match(text, '` + instantForm + `') ` +
		`AND is_civil(text), civil_start(text) + 3600000 * toInt64OrZero(substring(text, 12, 2)) ` +
		`+ 60000 * toInt64OrZero(substring(text, 15, 2)) + 1000 * toInt64OrZero(substring(text, 18, 2)) ` +
		`+ toInt64OrZero(rightPad(substring(extract(text, '[.]([0-9]+)'), 1, 3), 3, '0')) - read_offset(text), read_day(text))`},
}

// readingNeeds are the readings that a reading is made of.
var readingNeeds = map[string][]string{
	"read_number":  nil,
	"read_day":     {"civil_year", "civil", "is_civil", "civil_start"},
	"read_instant": {"civil_year", "civil", "is_civil", "civil_start", "read_day", "read_offset"},
}

// read prints a reading of a text, and has it defined by the statement.
func (s *sqlPrinter) read(reading, text string) string {
	s.readings[reading] = true
	for _, need := range readingNeeds[reading] {
		s.readings[need] = true
	}
	return reading + "(" + text + ")"
}

// definitions prints the readings that are used.
func (s *sqlPrinter) definitions() []string {
	var all []string
	for _, r := range textReadings {
		if s.readings[r.name] {
			all = append(all, r.lambda+" AS "+r.name)
		}
	}
	if s.readings["read_day"] {
		s.parameters["zone"] = Text(s.scope.Zone.String())
	}
	return all
}

// attributeReading prints the readings of the rows of an attribute. Numbers and date-times of texts are kept; only when a
// date begins depends on who asks.
//
// A text that may be a date has ten bytes. Only where an attribute ever had one are texts read at all, which are most of what is
// stored: whether it had is known before, and its index knows where there is none.
func (s *sqlPrinter) attributeReading(name string) reading {
	day := "if(kind = 'text' AND length(text) = 10, %s, NULL)"
	if _, native := nativeAttributes[name]; !native {
		day = "if(assumeNotNull((SELECT count() > 0 FROM (SELECT 1 FROM attribute_snapshots WHERE project = " + s.project +
			" AND attribute = " + s.text(name) + " AND if(kind = 'text' AND length(text) = 10, 1, 0) = 1 LIMIT 1))), " + day + ", NULL)"
	}
	return reading{
		exists: "kind != 'null'",
		text:   "text",
		isText: "kind = 'text'",
		truth:  "if(kind IN ('text', 'boolean'), text, NULL)",
		number: func() string { return "number" },
		instant: func() string {
			return "coalesce(instant, " + fmt.Sprintf(day, s.read("read_day", "text")) + ")"
		},
		list: "list",
	}
}

// propertyReading prints the readings of an event's property. Only the property's own sub-columns are read.
func (s *sqlPrinter) propertyReading(path string) reading {
	p := "properties." + s.bind("Identifier", Text(muster.PropertyKey(path)))
	text := p + ".:String"
	return reading{
		exists: "isNotNull(" + p + ")",
		text:   text,
		truth:  "coalesce(toString(" + p + ".:Bool), " + text + ")",
		number: func() string {
			return "coalesce(toFloat64(" + p + ".:Int64), " + p + ".:Float64, if(isNull(" + text + "), NULL, " +
				s.read("read_number", "assumeNotNull("+text+")") + "))"
		},
		instant: func() string { return s.read("read_instant", text) },
		list:    p + ".:`Array(Nullable(String))`",
	}
}
