package muster

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// PropertyKey encodes the dotted name of an event's property as the path it is stored under. ClickHouse gives ':', '^',
// '[', '@' and the backtick meanings of their own in a path, so every ASCII byte but letters, digits, '_', '$', '-', ' '
// and '.' is written as %XX, and so is a dot that does not stand between two parts. Other bytes stay as they are.
func PropertyKey(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		plain := c >= 0x80 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			c == '_' || c == '$' || c == '-' || c == ' ' ||
			c == '.' && i > 0 && i < len(name)-1 && name[i-1] != '.'
		if plain {
			b.WriteByte(c)
			continue
		}
		const digits = "0123456789ABCDEF"
		b.WriteByte('%')
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

// PropertyName returns the dotted name that [PropertyKey] encoded.
func PropertyName(key string) string {
	if !strings.Contains(key, "%") {
		return key
	}
	var b strings.Builder
	for i := 0; i < len(key); i++ {
		if key[i] == '%' && i+2 < len(key) {
			if n, err := strconv.ParseUint(key[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(key[i])
	}
	return b.String()
}

// decimal is the form a text must have, wholly, to also be a number.
var decimal = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// ReadNumber reads a text that is wholly a decimal number: sign, digits, fraction, exponent, no spaces. A number too
// large for a float64 is none.
func ReadNumber(text string) (float64, bool) {
	if !decimal.MatchString(text) {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && !math.IsInf(n, 0)
}

// ReadInstant reads a text that is an RFC 3339 date-time, in milliseconds since the epoch; finer parts are cut off. A
// date alone is none: when it begins depends on the project's time zone.
func ReadInstant(text string) (int64, bool) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, false
	}
	return t.UnixMilli(), true
}
