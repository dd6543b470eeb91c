package queries

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster"
	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
)

// nasty are texts that are nearly a number or a time, or are one at the edge of what there is.
var nasty = []string{
	"", " ", "0", "-0", "+7", "007", "1.5", "1.", ".5", "1e5", "1E+5", "1e-5", "1e", "e5", "1.5e3", " 1", "1 ", "1\n", "1\x00", "1,5", "1_000",
	"0x10", "inf", "nan", "NaN", "Infinity", "--1", "+-1", "1e308", "1.7976931348623157e308", "1.7976931348623159e308", "1e400", "-1e400",
	"1e-400", "5e-324", "0.1", "0.30000000000000004", "9007199254740993", "123456789.123456789", "2.2250738585072011e-308",
	"179769313486231570814527423731704356798070567525844996598917476803157260780028538760589558632766878171540458953514382464234321326889464182768467546703537516986049910576551282076245490090389328944075868508455133942304583236903222948165808559332123347747797926207231447587",
	"١٢", "１２", "12\xff", "1e9999999999999999999",

	"2026-01-31", "2026-02-28", "2026-02-29", "2024-02-29", "2026-02-30", "2026-04-31", "2026-13-01", "2026-00-10", "2026-01-00", "2026-1-1",
	"1900-02-29", "2000-02-29", "0000-01-01", "0001-01-01", "1899-12-31", "1900-01-01", "1969-12-31", "2299-12-31", "2300-01-01", "9999-12-31",
	" 2026-01-31", "2026-01-31 ", "2026/01/31", "20260131", "2026-01-31T", "２026-01-31",

	"2026-01-31T10:20:30Z", "2026-01-31T10:20:30.1Z", "2026-01-31T10:20:30.1239Z", "2026-01-31T10:20:30.123456789Z",
	"2026-01-31T10:20:30.1234567891234Z", "2026-01-31T10:20:30.Z", "2026-01-31T10:20:30+02:00", "2026-01-31T10:20:30-23:59",
	"2026-01-31T10:20:30.5+14:00", "2026-01-31T10:20:30+0200", "2026-01-31T10:20:30+02", "2026-01-31T10:20:30", "2026-01-31T10:20Z",
	"2026-01-31 10:20:30Z", "2026-01-31t10:20:30z", "2026-01-31T10:20:30z", "2026-01-31T24:00:00Z", "2026-01-31T23:60:00Z",
	"2026-01-31T23:59:60Z", "2026-02-30T10:00:00Z", "2026-02-29T10:00:00Z", "2024-02-29T23:59:59.999Z", "1969-12-31T23:59:59.999Z",
	"1969-12-31T23:59:59.9999Z", "1900-01-01T00:00:00Z", "1899-12-31T23:59:59Z", "1850-06-01T12:00:00+00:30", "0000-01-01T00:00:00Z",
	"0000-02-29T00:00:00Z", "0001-01-01T00:00:00Z", "1600-02-29T00:00:00Z", "2299-12-31T23:59:59.999Z", "2300-01-01T00:00:00Z",
	"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59-12:00", "2026-01-31T10:20:30Zz", "2026-01-31T10:20:30Z\n", "2026-01-31T10:20:30\xff",
}

// loose are texts that time.Parse takes for RFC 3339, which they are not.
var loose = []string{
	"2026-01-31T1:20:30Z", "2026-01-31T10:20:30,5Z", "2026-01-31T10:20:30+24:00", "2026-01-31T10:20:30+02:60",
}

func TestReadingsOfTextAreThoseOfGo(t *testing.T) {
	db := clickhousetest.Empty(t)
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	s := newPrinter(Scope{Zone: paris})
	columns := s.read("read_number", "text") + ", " + s.read("read_instant", "text") + ", " + s.read("read_day", "text")
	texts := append(slices.Clone(nasty), loose...)
	sql := "WITH\n" + strings.Join(s.definitions(), ",\n") + "\nSELECT text, " + columns + "\nFROM (SELECT arrayJoin(" + s.texts(texts) + ") AS text)"
	rows, err := db.Query(clickhouse.WithParameters(t.Context(), s.parameters), sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	read := 0
	for ; rows.Next(); read++ {
		var text string
		var number *float64
		var instant, day *int64
		if err := rows.Scan(&text, &number, &instant, &day); err != nil {
			t.Fatal(err)
		}
		if got, want := show(number, number != nil), show(muster.ReadNumber(text)); got != want {
			t.Errorf("%q as a number: %s, in Go %s", text, got, want)
		}
		wantDay, isDay := dayOf(text, paris)
		if got, want := show(day, day != nil), show(wantDay, isDay); got != want {
			t.Errorf("%q as a day: %s, in Go %s", text, got, want)
		}
		wantInstant, isInstant := muster.ReadInstant(text)
		if isDay {
			wantInstant, isInstant = wantDay, true
		}
		if got, want := show(instant, instant != nil), show(wantInstant, isInstant); got != want {
			t.Errorf("%q as an instant: %s, in Go %s", text, got, want)
		}
	}
	if err := rows.Err(); err != nil || read != len(texts) {
		t.Errorf("%d of %d texts were read: %v", read, len(texts), err)
	}
}

// dayOf reads a date. Beyond the years ClickHouse has days of, a day begins at midnight UTC.
func dayOf(text string, zone *time.Location) (int64, bool) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, false
	}
	if day.Year() < 1900 || day.Year() > 2299 {
		zone = time.UTC
	}
	return startOfDay(day.Year(), day.Month(), day.Day(), zone).UnixMilli(), true
}

func show[T any](value T, ok bool) string {
	switch v := any(value).(type) {
	case *float64:
		if ok {
			return fmt.Sprint(*v)
		}
	case *int64:
		if ok {
			return fmt.Sprint(*v)
		}
	default:
		if ok {
			return fmt.Sprint(v)
		}
	}
	return "none"
}

// Days begin at the same instants in Go and in ClickHouse, in zones whose clocks skip midnight, repeat it, or skip a day.
func TestDaysBeginWhereClickHouseBeginsThem(t *testing.T) {
	db := clickhousetest.Empty(t)
	const days = 25_933 // to the end of 2040
	for _, name := range []string{
		"UTC", "Europe/Paris", "America/Havana", "America/Sao_Paulo", "Asia/Beirut", "Atlantic/Azores", "Africa/Cairo", "America/Santiago",
		"Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "America/Asuncion", "Asia/Gaza", "Antarctica/Troll",
	} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		var starts []int64
		if err := db.QueryRow(clickhouse.WithParameters(t.Context(), clickhouse.Parameters{"zone": name, "days": fmt.Sprint(days)}),
			`SELECT arrayMap(day -> toUnixTimestamp64Milli(toDateTime64(toDate32('1970-01-01') + day, 3, {zone:String})), range({days:UInt32}))`,
		).Scan(&starts); err != nil {
			t.Fatal(err)
		}
		for i, got := range starts {
			day := time.Date(1970, 1, 1+i, 0, 0, 0, 0, time.UTC)
			if want := startOfDay(day.Year(), day.Month(), day.Day(), zone).UnixMilli(); got != want {
				t.Fatalf("%s begins at %v in %s, in ClickHouse at %v", day.Format(time.DateOnly), time.UnixMilli(want).In(zone), name,
					time.UnixMilli(got).In(zone))
			}
		}
	}
}
