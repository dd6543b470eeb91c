package queries

import (
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/cases"

	"muster/clickhouse"
	"muster/clickhouse/clickhousetest"
)

// cased are texts whose case folding is anything but letter by letter.
var cased = []string{
	"", "a", "A", "É", "é", "E\u0301", "ß", "ẞ", "ss", "SS", "İ", "i", "ı", "I", "i\u0307", "ſ", "s", "S", "\u212a", "k", "K", "ς", "σ", "Σ",
	"ΑΣ", "ας", "ασ", "ﬁ", "FI", "\u212b", "å", "Å", "ŉ", "ʼn", "ΐ", "Ⴀ", "ⴀ", "Ж", "ж", "Ω", "ω", "\u2126", "ǅ", "ǆ", "Ǆ",
	"Straße", "STRASSE", "漢", "a\x00B", "\xff", "A\xff", "a\xfe\xfe", "𐐀", "𐐨", "ﬃ", "Ⅷ", "ⅷ",
}

// Ignoring case, two texts are equal where their full case foldings are: as Unicode has it, and golang.org/x/text but for
// Cherokee, of which it folds only one case.
func TestIgnoringCaseIsFullFolding(t *testing.T) {
	var folds []string
	s := newPrinter(Scope{})
	sql := "SELECT arrayMap(x -> " + folded(Comparison{IgnoreCase: true}, "x") + ", " + s.texts(cased) + ")"
	if err := clickhousetest.Empty(t).QueryRow(clickhouse.WithParameters(t.Context(), s.parameters), sql).Scan(&folds); err != nil {
		t.Fatal(err)
	}
	fold := cases.Fold()
	inGo := make([]string, len(cased))
	for i, text := range cased {
		inGo[i] = fold.String(strings.ToValidUTF8(text, "\ufffd"))
	}
	for i := range cased {
		for j := range cased[:i] {
			if got, want := folds[i] == folds[j], inGo[i] == inGo[j]; got != want {
				t.Errorf("%q is %q: %v, in Go %v", cased[i], cased[j], got, want)
			}
		}
	}
}

// Expressions that engines differ on, or that optimisers mistake.
var expressions = []string{
	"", "a", "^a", "a$", "^$", ".", "^.$", "a.b", "(?s)a.b", "a\\nb", "^b", "(?m)^b", "(?m)a$", "\\Aa", "b\\z", "\\bab\\b", "\\Bb", "a|b", "ab?", "(ab)+",
	"[^a]", "[^a-z]", "\\d", "\\w", "\\s", "\\pL", "^\\pL+$", "\\p{Greek}", "\\p{Letter}", "\\x00", "\\x{4e00}", "[[:alpha:]]", "straße", "strasse",
	"kelvin", "KELVIN", "\\Qa.b\\E", "(?i)AB", "(?-i)ab", "a{2,3}", "x*", "(?U)a+?", "é", "[é-ü]", "a.*b", "^a.*z$", "(?:a|b)c", "(?P<n>a)", "(?<n>a)",
	"\\.", "a\\+b", "ſ", "S", "σ", "a\\b", "%", "_", "'", "\\\\", "\\t", "\\{p1:String\\}",
}

var subjects = []string{
	"", "a", "A", "b", "ab", "AB", "abab", "aab", "a b", "a\nb", "b\na", "a\nB", "a.b", "a+b", "aXb", "x", "1", "é", "É", "ö", "Straße", "STRASSE", "straſſe",
	"Kelvin", "\u212aelvin", "ΑΣ", "σ", "ς", "漢", "一", "\x00", "a\x00b", "\xff", "a\xffb", "%", "_", "'", "\\", "\t", "{p1:String}", "ac", "bc", "abz",
	"a\nz", "aa", "aaa", "ſ", "s",
}

// An expression matches what it matches in Go, whatever ClickHouse's own defaults are.
func TestExpressionsMatchAsInGo(t *testing.T) {
	db := clickhousetest.Empty(t)
	for _, ignoreCase := range []bool{false, true} {
		for _, text := range expressions {
			c := Comparison{Op: OpMatches, Operand: Operand{Kind: TextOperand, Text: text}, IgnoreCase: ignoreCase}
			flags := ""
			if ignoreCase {
				flags = "(?i)"
			}
			inGo := regexp.MustCompile(flags + text)
			s := newPrinter(Scope{})
			var matches []bool
			// A column, not a constant: ClickHouse has another way for constants.
			sql := "SELECT groupArray(match) FROM (SELECT toBool(" + s.compare(c, reading{text: "text"}) + ") AS match, i FROM (SELECT i, " +
				s.texts(subjects) + "[i] AS text FROM (SELECT toUInt32(number) + 1 AS i FROM numbers(" + s.count(uint64(len(subjects))) +
				"))) ORDER BY i)"
			if err := db.QueryRow(clickhouse.WithParameters(t.Context(), s.parameters), sql).Scan(&matches); err != nil {
				t.Errorf("%q: %v", text, err)
				continue
			}
			for i, subject := range subjects {
				if want := inGo.MatchString(strings.ToValidUTF8(subject, "\ufffd")); matches[i] != want {
					t.Errorf("%q, ignoring case %v, on %q: %v, in Go %v", text, ignoreCase, subject, matches[i], want)
				}
			}
		}
	}
}

// What the decoder takes, ClickHouse compiles.
func TestLargestExpressionsCompile(t *testing.T) {
	db := clickhousetest.Empty(t)
	taken := 0
	for _, text := range []string{
		"a{1000}", "(a{30}){30}", "\\pL{30}", "\\pL{37}", "\\pL{38}", "\\pL{50}", "\\pL{100}", "\\pL{700}", "[^\\pL]{50}", ".{1000}", "(\\w|\\pN){100}",
		strings.Repeat("\\pL", 36), "(?i)\\pL{36}", "(a|b|c){1000}", "[\\x{100}-\\x{ffff}]{1000}", "\\P{Greek}{300}", "(?i)[a-zß]{1000}",
	} {
		d := &decoder{}
		if d.expression(text, false, ""); len(d.issues) > 0 {
			continue
		}
		taken++
		s := newPrinter(Scope{})
		c := Comparison{Op: OpMatches, Operand: Operand{Kind: TextOperand, Text: text}}
		if err := db.Exec(clickhouse.WithParameters(t.Context(), s.parameters),
			"SELECT "+s.compare(c, reading{text: "materialize('a')"})); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if taken < 5 {
		t.Errorf("only %d expressions were small enough", taken)
	}
}

// Every operator has a meaning, in SQL or as an interval of time, or is the complement of one that has.
func TestEveryOperatorMeansSomething(t *testing.T) {
	for name, op := range operators {
		if op.positive != "" {
			if operators[op.positive].positive != "" || len(operators[op.positive].operands) == 0 {
				t.Errorf("%s is the complement of %s, which is no positive operator", name, op.positive)
			}
			continue
		}
		for _, kind := range op.operands {
			if kind.isTime() && spans[name] == nil || !kind.isTime() && conditions[name] == nil {
				t.Errorf("%s means nothing with operand kind %d", name, kind)
			}
		}
	}
}
