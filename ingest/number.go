package ingest

import (
	"math"
	"strconv"
)

// exactInteger is the largest magnitude up to which every integer is a float64.
const exactInteger = 1 << 53

// appendNumber appends a JSON number so that one value has one spelling, whatever the client's: an integer where it is
// one and fits int64, else the shortest float64 text with a fraction or an exponent. It reports false when the number
// is beyond float64.
func appendNumber(buf []byte, number []byte) ([]byte, bool) {
	text := string(number)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return strconv.AppendInt(buf, n, 10), true
	}
	f, ok := parseNumber(number)
	if !ok {
		return buf, false
	}
	if f == math.Trunc(f) && math.Abs(f) <= exactInteger {
		return strconv.AppendInt(buf, int64(f), 10), true
	}
	// 'g' writes integers beyond 2^53 with an exponent, and all else with a fraction or an exponent.
	return strconv.AppendFloat(buf, f, 'g', -1, 64), true
}

// parseNumber reads a JSON number as a float64. It reports false when the number is beyond float64.
func parseNumber(number []byte) (float64, bool) {
	f, err := strconv.ParseFloat(string(number), 64)
	return f, err == nil && !math.IsInf(f, 0)
}
