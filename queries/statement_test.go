package queries

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster"
	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
)

// texts that would harm, if any became part of a statement or of another value.
var harmful = []string{
	"", " ", "'", "''", "\\", "\\\\", "\\'", "\\n", "\n", "\r\n", "\t", "\b", "\f", "\v", "\a", "\x00", "a\x00b", "\\0", "\\N", "NULL", "`", "\"", "?", "{p1:String}",
	"{", "}", "$1", ":p1", "; DROP TABLE events", "--", "/* */", "[", "]", ",", "['a','b']", "é", "漢字", "👩‍👩‍👧", "\u2028", "\ufeff", "\xff\xfe", "a\xff", "%",
	"\\x41", "\\u0041", "\x1b[0m", "\x7f", strings.Repeat("'\\", 2000),
}

func TestTextsComeBackByteForByte(t *testing.T) {
	roundTrip(t, harmful)
}

func TestRandomTextsComeBackByteForByte(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := append(slices.Clone(harmful[:len(harmful)-1]), "a", "Z", "0")
	texts := make([]string, 3000)
	for i := range texts {
		var b strings.Builder
		for range random.IntN(8) {
			if random.IntN(4) == 0 {
				b.WriteByte(byte(random.IntN(256)))
				continue
			}
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		texts[i] = b.String()
	}
	roundTrip(t, texts)
}

// roundTrip sends texts alone and as one list.
func roundTrip(t *testing.T, texts []string) {
	t.Helper()
	db := clickhousetest.Empty(t)
	var list []string
	if err := db.QueryRow(clickhouse.WithParameters(t.Context(), clickhouse.Parameters{"list": Texts(texts)}),
		"SELECT {list:Array(String)}").Scan(&list); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(list, texts) {
		for i := range texts {
			if i >= len(list) || list[i] != texts[i] {
				t.Fatalf("%q came back otherwise", texts[i])
			}
		}
	}
	for chunk := range slices.Chunk(texts, 200) {
		b := newBuilder(Scope{})
		places := make([]string, len(chunk))
		for i, text := range chunk {
			places[i] = b.text(text)
		}
		sql := "SELECT [" + strings.Join(places, ", ") + "]"
		if strings.Trim(strings.NewReplacer("SELECT", "", "String", "").Replace(sql), " []{}p0123456789:,") != "" {
			t.Fatalf("the statement holds something of its values: %s", sql)
		}
		var back []string
		if err := db.QueryRow(clickhouse.WithParameters(t.Context(), b.parameters), sql).Scan(&back); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(back, chunk) {
			t.Fatalf("%q came back as %q", chunk, back)
		}
	}
}

func TestNumbersComeBackBitForBit(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	sent := []float64{0, 1, -1, 0.1, 0.3, 1e15, 1e21, 123456789.123456789, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1e-5, 5e-324}
	for len(sent) < 2000 {
		if n := math.Float64frombits(random.Uint64()); !math.IsNaN(n) && !math.IsInf(n, 0) {
			sent = append(sent, n)
		}
	}
	db := clickhousetest.Empty(t)
	b := newBuilder(Scope{})
	places := make([]string, len(sent))
	for i, n := range sent {
		places[i] = b.number(n)
	}
	var list, single []float64
	sql := "SELECT " + b.bind("Array(Float64)", numbers(sent)) + ", [" + strings.Join(places, ", ") + "]"
	if err := db.QueryRow(clickhouse.WithParameters(t.Context(), b.parameters), sql).Scan(&list, &single); err != nil {
		t.Fatal(err)
	}
	for i, n := range sent {
		if list[i] != n || single[i] != n {
			t.Errorf("%g came back as %g and %g", n, list[i], single[i])
		}
	}
	for _, ms := range []int64{0, math.MinInt64, math.MaxInt64, -62135596800000, 253402300799999} {
		b := newBuilder(Scope{})
		var back int64
		if err := db.QueryRow(clickhouse.WithParameters(t.Context(), b.parameters), "SELECT "+b.millis(ms)).Scan(&back); err != nil || back != ms {
			t.Errorf("%d came back as %d: %v", ms, back, err)
		}
	}
	b = newBuilder(Scope{})
	uids := []uint32{0, 1, math.MaxUint32}
	var back []uint32
	if err := db.QueryRow(clickhouse.WithParameters(t.Context(), b.parameters), "SELECT "+b.bind("Array(UInt32)", unsigned(uids))).Scan(&back); err != nil ||
		!slices.Equal(back, uids) {
		t.Errorf("%v came back as %v: %v", uids, back, err)
	}
}

// Every name of a property finds the property of that name, in every kind of column it may be stored in.
func TestAnyNameOfAPropertyIsAPath(t *testing.T) {
	db := clickhousetest.DB(t)
	names := []string{
		"a", "a.b", "a.b.c", "with space", " ", "é", "漢字", "100%", "%41", "A", "a-b", "$x", "_", "1", "0", "a..b", ".a", "a.", ".", "..", "a:b", "a^b", "a@b", "a[0]",
		"[]", "`", "a`b", "\"", "'", "\\", "a\\b", "{p1:String}", "?", "null", "NULL", "true", "size0", "String", "a.:Int64", "a.^b", "\n", "\t", "a\tb", "/", "~", "#",
		"👩‍👩‍👧", "select", "Array(String)", "(", ")", ",", ";", "--", "/*",
	}
	values := []string{"7", "1.5", "true", `"text"`, `["x","y"]`}
	batch, err := db.PrepareBatch(t.Context(), "INSERT INTO events (project, event, actor, ts, message, properties)")
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		for j, value := range values {
			properties := "{" + strconv.Quote(muster.PropertyKey(name)) + ":" + value + "}"
			if err := batch.Append(uint32(1), "e", uint64(i*len(values)+j+1), time.Unix(0, 0), uint64(1), properties); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	kinds := []Comparison{
		{Op: OpEquals, Operand: Operand{Kind: NumberOperand, Number: 7}},
		{Op: OpEquals, Operand: Operand{Kind: NumberOperand, Number: 1.5}},
		{Op: OpEquals, Operand: Operand{Kind: BooleanOperand, Boolean: true}},
		{Op: OpEquals, Operand: Operand{Kind: TextOperand, Text: "text"}},
		{Op: OpHasAll, Operand: Operand{Kind: TextsOperand, Texts: []string{"x", "y"}}},
	}
	for i, name := range names {
		s := newPrinter(Scope{})
		conditions := make([]string, len(kinds))
		want := make([]uint64, len(kinds))
		for j, c := range kinds {
			conditions[j] = "groupArrayIf(actor, " + s.compare(c, s.propertyReading(name)) + ")"
			want[j] = uint64(i*len(kinds) + j + 1)
		}
		sql := "WITH\n" + strings.Join(s.definitions(), ",\n") + "\nSELECT arrayConcat(" + strings.Join(conditions, ", ") + ") FROM events"
		var got []uint64
		if err := db.QueryRow(clickhouse.WithParameters(t.Context(), s.parameters), sql).Scan(&got); err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q is found in %v, not in %v", name, got, want)
		}
	}
}
