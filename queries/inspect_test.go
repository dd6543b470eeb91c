package queries_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/clickhouse"
	"muster/queries"
)

// What is settled is printed as "nobody at /all/0".
func settledIn(t *testing.T, scope queries.Scope, definition string) []string {
	t.Helper()
	d, err := queries.Decode([]byte(definition))
	if err != nil {
		t.Fatalf("%s: %v", definition, err)
	}
	plan, err := queries.Compile(scope, []queries.Target{{Definition: d}})
	if err != nil {
		t.Fatalf("%s: %v", definition, err)
	}
	found, err := plan.Inspect()
	if err != nil {
		t.Fatalf("%s: %v", definition, err)
	}
	all := []string{}
	for _, s := range found.Settled {
		who := "nobody"
		if s.Everybody {
			who = "everybody"
		}
		all = append(all, strings.TrimSpace(who+" at "+s.Pointer))
	}
	return all
}

// TestSettled is a table of definitions that hold for nobody or everybody, and of those that come near and do not. In it,
// x> 5 stands for {"attribute":"x","op":"gt","value":5}, and all, any, not for their groups.
func TestSettled(t *testing.T) {
	scope := queries.Scope{
		Project: 1, Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Zone: time.UTC,
		Lookup: func(id string) (queries.Definition, bool) {
			d, err := queries.Decode([]byte(map[string]string{
				"pros": `{"attribute":"plan","op":"equals","value":"pro"}`, "none": `{"not":{"everyone":true}}`,
			}[id]))
			return d, err == nil
		},
	}
	x := func(op, value string) string { return `{"attribute":"x","op":"` + op + `","value":` + value + `}` }
	fold := func(op, value string) string {
		return `{"attribute":"x","op":"` + op + `","value":` + value + `,"ignore_case":true}`
	}
	all := func(of ...string) string { return `{"all":[` + strings.Join(of, ",") + `]}` }
	anyOf := func(of ...string) string { return `{"any":[` + strings.Join(of, ",") + `]}` }
	not := func(of string) string { return `{"not":` + of + `}` }
	bought := func(more string) string { return `{"event":"bought"` + more + `}` }
	where := func(p string) string { return bought(`,"where":` + p) }
	const exists, everyone = `{"attribute":"x","op":"exists"}`, `{"everyone":true}`
	nobody, everybody := []string{"nobody at"}, []string{"everybody at"}
	for _, c := range []struct {
		definition string
		want       []string
	}{
		{everyone, nil},
		{not(everyone), nil},
		{x("gt", "5"), nil},
		// A condition and its complement.
		{all(exists, not(exists)), nobody},
		{anyOf(x("equals", "1"), x("not_equals", "1")), everybody},
		{all(everyone, exists), nil},
		{anyOf(exists, everyone), everybody},
		{all(exists, not(everyone)), nobody},
		// Numbers.
		{all(x("gt", "5"), x("lt", "3")), nobody},
		{all(x("gt", "5"), x("lt", "5")), nobody},
		{all(x("gte", "5"), x("lte", "5")), nil},
		{all(x("gt", "5"), x("lte", "5")), nobody},
		{all(x("gte", "5"), x("lte", "5"), x("not_equals", "5")), nobody},
		{all(x("equals", "5"), x("equals", "6")), nobody},
		{all(x("in", "[5,6]"), x("in", "[6,7]")), nil},
		{all(x("in", "[5,6]"), x("in", "[6,7]"), x("not_in", "[1,6]")), nobody},
		{all(x("between", "[1,2]"), x("between", "[2,3]")), nil},
		{all(x("between", "[1,2]"), x("between", "[2.5,3]")), nobody},
		{all(x("gt", "5"), not(x("gt", "3"))), nobody},
		{all(not(x("gt", "5")), not(x("lte", "5"))), nil}, // it may be missing
		{anyOf(x("gt", "3"), not(x("gt", "5"))), everybody},
		{anyOf(x("gt", "3"), x("lt", "5")), nil},
		{anyOf(x("not_equals", `"a"`), x("not_equals", `"b"`)), everybody},
		{all(x("not_equals", `"a"`), x("not_equals", `"b"`)), nil},
		// Texts.
		{all(x("equals", `"a"`), x("equals", `"b"`)), nobody},
		{all(x("equals", `"a"`), x("equals", `"A"`)), nobody},
		{all(fold("equals", `"a"`), x("equals", `"A"`)), nil},
		{all(fold("equals", `"a"`), fold("equals", `"B"`)), nobody},
		{all(fold("equals", `"ß"`), fold("equals", `"ss"`)), nil},
		{all(x("in", `["a","b"]`), x("not_in", `["b","a","c"]`)), nobody},
		{all(x("in", `["ab","b"]`), x("starts_with", `"b"`)), nil},
		{all(x("in", `["ab","bb"]`), x("starts_with", `"c"`)), nobody},
		{all(x("equals", `"ab"`), x("contains", `"B"`)), nobody},
		{all(x("equals", `"ab"`), fold("contains", `"B"`)), nil},
		{all(x("equals", `"ab"`), x("matches", `"^[0-9]+$"`)), nobody},
		{all(x("equals", `"12"`), x("matches", `"^[0-9]+$"`), x("gt", "11")), nil},
		{all(x("equals", `"12"`), x("gt", "12")), nobody},
		{all(x("equals", `"pro"`), x("gt", "12")), nobody},
		{all(x("equals", `"pro"`), `{"attribute":"x","op":"not_exists"}`), nobody},
		{all(x("contains", `"a"`), x("not_contains", `"b"`)), nil},
		// Booleans, times, lists, and what no value is at once.
		{all(x("equals", "true"), x("equals", "false")), nobody},
		{all(x("equals", "true"), x("not_equals", "false")), nil},
		{all(x("equals", "true"), x("gt", "1")), nobody},
		{all(x("before", `"2026-01-01"`), x("after", `"2026-01-02"`)), nobody},
		{all(x("before", `"2026-01-02"`), x("after", `"2026-01-01"`)), nil},
		{all(x("within_last", `"7d"`), x("more_than_ago", `"30d"`)), nobody},
		{all(x("within_last", `"30d"`), x("more_than_ago", `"7d"`)), nil},
		{all(x("within_last", `"7d"`), x("gt", "5")), nobody},
		{all(x("has_any", `["a","b"]`), x("has_none", `["a","b","c"]`)), nobody},
		{all(x("has_any", `["a","b"]`), x("has_none", `["a"]`)), nil},
		{all(x("has_all", `["a","b"]`), x("has_none", `["a"]`)), nobody},
		{all(x("has_all", `["a","b"]`), not(x("has_all", `["a"]`))), nobody},
		{all(x("has_any", `["a"]`), x("equals", `"a"`)), nobody},
		// Native ones.
		{`{"attribute":"last_seen","op":"within_next","value":"7d"}`, nobody},
		{`{"attribute":"last_seen","op":"more_than_ago","value":"7d"}`, nil},
		{`{"attribute":"first_seen","op":"after","value":"2026-03-02"}`, nobody},
		{`{"attribute":"renewal","op":"within_next","value":"7d"}`, nil},
		{`{"attribute":"sessions","op":"lt","value":1}`, nobody},
		{`{"attribute":"sessions","op":"lte","value":1}`, nil},
		// Events.
		{bought(`,"between":{"from":"2027-01-01","to":"2027-02-01"}`), nobody},
		{bought(`,"since":"2026-03-02"`), nobody},
		{bought(`,"since":"2026-03-02","count":{"op":"eq","value":0}`), everybody},
		{bought(`,"first":{"op":"within_next","value":"7d"}`), nobody},
		{bought(`,"count":{"op":"gte","value":0}`), everybody},
		{bought(`,"count":{"op":"lt","value":0}`), nobody},
		{all(bought(`,"count":{"op":"gte","value":5}`), bought(`,"count":{"op":"lte","value":3}`)), nobody},
		{all(bought(`,"count":{"op":"gte","value":3}`), bought(`,"count":{"op":"lte","value":3}`)), nil},
		{all(bought(`,"count":{"op":"eq","value":3}`), bought(`,"count":{"op":"neq","value":3}`)), nobody},
		{all(bought(`,"within":"7d"`), bought(`,"within":"30d","count":{"op":"eq","value":0}`)), nobody},
		{all(bought(`,"within":"30d"`), bought(`,"within":"7d","count":{"op":"eq","value":0}`)), nil},
		{all(where(`{"property":"a","op":"exists"}`), not(bought(""))), nobody},
		{all(not(where(`{"property":"a","op":"exists"}`)), bought("")), nil},
		{all(`{"sequence":[{"event":"a"},{"event":"bought"}],"within":"7d"}`, not(bought(`,"within":"30d"`))), nobody},
		{all(bought(`,"aggregate":{"fn":"sum","property":"n"},"op":"gt","value":100`), bought(`,"aggregate":{"fn":"sum","property":"n"},"op":"lt","value":50`)), nobody},
		{all(bought(`,"aggregate":{"fn":"min","property":"n"},"op":"gt","value":5`), not(bought(`,"aggregate":{"fn":"min","property":"n"},"op":"gt","value":5`))), nobody},
		{all(not(bought(`,"aggregate":{"fn":"min","property":"n"},"op":"gt","value":5`)), not(bought(`,"aggregate":{"fn":"min","property":"n"},"op":"lte","value":5`))), nil},
		{all(bought(`,"aggregate":{"fn":"min","property":"n"},"op":"gt","value":5`), bought(`,"aggregate":{"fn":"max","property":"n"},"op":"lt","value":5`)), nil},
		{where(`{"all":[{"property":"a","op":"gt","value":5},{"property":"a","op":"lt","value":3}]}`), nobody},
		{where(`{"all":[{"property":"a","op":"gt","value":5},{"property":"b","op":"lt","value":3}]}`), nil},
		{where(`{"not":{"any":[{"property":"a","op":"not_equals","value":1},{"property":"a","op":"not_equals","value":2}]}}`), nobody},
		{bought(`,"where":{"all":[{"property":"a","op":"equals","value":"x"},{"property":"a","op":"not_exists"}]},"count":{"op":"eq","value":0}`), everybody},
		{`{"sequence":[{"event":"a"},{"event":"b","where":{"all":[{"property":"c","op":"equals","value":1},{"property":"c","op":"equals","value":2}]}}]}`, nobody},
		// Places: the smallest condition that settles is named.
		{all(exists, anyOf(x("not_equals", "1"), x("not_equals", "2"))), []string{"everybody at /all/1"}},
		{all(exists, all(x("gt", "5"), x("lt", "3"))), []string{"nobody at /all/1"}},
		{anyOf(exists, not(all(x("gt", "5"), x("lt", "3")))), []string{"nobody at /any/1/not"}},
		{all(x("gt", "5"), x("lt", "3"), anyOf(x("not_equals", "1"), x("not_equals", "2"))), []string{"everybody at /all/2", "nobody at"}},
		{`{"at_least":2,"of":[` + exists + `,` + bought(`,"since":"2027-01-01"`) + `,{"identified":true}]}`, []string{"nobody at /of/1"}},
		{`{"at_least":2,"of":[` + exists + `,` + not(everyone) + `,` + not(everyone) + `]}`, nobody},
		{all(`{"segment":"pros"}`, `{"attribute":"plan","op":"equals","value":"free"}`), nobody},
		{all(exists, `{"segment":"none"}`), []string{"nobody at /all/1"}},
		{`{"segment":"pros"}`, nil},
		{`{"tag":"vip"}`, nil},
		{all(`{"tag":"vip"}`, not(`{"attribute":"tags","op":"has_any","value":["vip","x"]}`)), nobody},
		{`{"experience":"e","question":"q","answer":{"op":"equals","value":"Yes"},"latest":true}`, nil},
	} {
		if got := settledIn(t, scope, c.definition); !slices.Equal(got, c.want) && len(got)+len(c.want) > 0 {
			t.Errorf("%s\n got %q\nwant %q", c.definition, got, c.want)
		}
	}
}

// TestSettledIsRight makes up groups of tests of one attribute, and of counts of one event, and holds what is said of them
// against users with every sort of value.
func TestSettledIsRight(t *testing.T) {
	fx := newFixture(t)
	fx.now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	values := []any{
		nil, "", "a", "A", "b", "ab", "AB", "5", "5.0", "6", "true", "false", "ß", "ss", "SS", "ſ", "K", "K", "k",
		5.0, 5.5, 6.0, -1.0, true, false,
		[]any{},
		[]any{"a"},
		[]any{"a", "b"},
		[]any{"b", "5"},
		"2026-02-27", "2026-03-01T12:00:00Z", "2026-03-05T00:00:00Z",
	}
	for i, value := range values {
		name := fmt.Sprintf("u%d", i)
		fx.appears(name, "")
		fx.happened(name, "$seen", longAgo, "{}", longAgo)
		if i > 0 { // the first has none
			fx.stated(name, "x", value, longAgo, longAgo)
		}
		for range i % 5 {
			fx.happened(name, "e", fx.now.Add(-time.Duration(i)*12*time.Hour), fmt.Sprintf(`{"n":%d}`, i%7), longAgo)
		}
	}
	if err := fx.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	g := rand.New(rand.NewPCG(7, 7))
	one := func(of ...string) string { return of[g.IntN(len(of))] }
	text := func() string {
		return one(`""`, `"a"`, `"A"`, `"b"`, `"ab"`, `"5"`, `"ß"`, `"ss"`, `"s"`, `"k"`, `"true"`)
	}
	number := func() string { return one("5", "5.5", "6", "-1") }
	test := func() string {
		negated := one("", "", "not_")
		switch g.IntN(9) {
		case 0:
			return fmt.Sprintf(`"op":"%sequals","value":%s,"ignore_case":%s`, negated, text(), one("true", "false"))
		case 1:
			return fmt.Sprintf(`"op":"%sin","value":[%s,%s],"ignore_case":%s`, negated, text(), text(), one("true", "false"))
		case 2:
			return fmt.Sprintf(`"op":"%s%s","value":%s,"ignore_case":%s`, negated, one("contains", "starts_with", "ends_with"), text(), one("true", "false"))
		case 3:
			return fmt.Sprintf(`"op":"%s","value":%s`, one("lt", "lte", "gt", "gte"), number())
		case 4:
			return fmt.Sprintf(`"op":"%s%s"`, negated, one(`equals","value":5`+`,"_":"`, `exists`, `equals","value":true,"_":"`))
		case 5:
			return fmt.Sprintf(`"op":"%s","value":["a",%s]`, one("has_any", "has_all", "has_none"), one(`"b"`, `"5"`))
		case 6:
			return fmt.Sprintf(`"op":"%s","value":"%s"`, one("within_last", "more_than_ago", "within_next", "more_than_ahead"), one("1d", "2d", "5d"))
		case 7:
			return fmt.Sprintf(`"op":"%smatches","value":%s`, negated, one(`"^a"`, `"[0-9]"`, `"^$"`))
		default:
			return fmt.Sprintf(`"op":"%sin","value":[%s,%s]`, negated, number(), number())
		}
	}
	condition := func() string {
		if g.IntN(3) > 0 {
			return strings.NewReplacer(`,"_":""`, "").Replace(`{"attribute":"x",` + test() + `}`)
		}
		window := one("", `,"within":"2d"`, `,"within":"7d"`, `,"since":"2026-02-20"`)
		filter := one("", "", `,"where":{"property":"n","op":"gt","value":2}`)
		asked := one("", `,"count":{"op":"`+one("eq", "lte", "gte", "lt", "neq")+`","value":`+one("0", "1", "2", "3")+`}`,
			`,"aggregate":{"fn":"`+one("sum", "min", "max")+`","property":"n"},"op":"`+one("lt", "gte")+`","value":`+one("0", "2", "4"))
		return `{"event":"e"` + filter + asked + window + `}`
	}
	var definitions []string
	var targets []queries.Target
	everybody := map[int]bool{}
	for range 6000 {
		conditions := make([]string, 2+g.IntN(2))
		for i := range conditions {
			conditions[i] = condition()
			if g.IntN(4) == 0 {
				conditions[i] = `{"not":` + conditions[i] + `}`
			}
		}
		definition := `{"` + one("all", "any") + `":[` + strings.Join(conditions, ",") + `]}`
		found := settledIn(t, fx.scope(), definition)
		if !slices.Contains(found, "nobody at") && !slices.Contains(found, "everybody at") {
			continue
		}
		d, err := queries.Decode([]byte(definition))
		if err != nil {
			t.Fatal(err)
		}
		everybody[len(targets)] = slices.Contains(found, "everybody at")
		definitions, targets = append(definitions, definition), append(targets, queries.Target{Definition: d})
	}
	if len(targets) < 300 {
		t.Fatalf("only %d of the definitions are settled", len(targets))
	}
	plan, err := queries.Compile(fx.scope(), targets)
	if err != nil {
		t.Fatal(err)
	}
	statement := plan.Counts(100)
	rows, err := fx.db.Query(clickhouse.WithParameters(t.Context(), statement.Parameters), statement.SQL)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	checked := 0
	for rows.Next() {
		var target uint16
		var size, of uint64
		var uids []uint32
		if err := rows.Scan(&target, &size, &of, &uids); err != nil {
			t.Fatal(err)
		}
		if want := map[bool]uint64{false: 0, true: of}[everybody[int(target)]]; size != want || of != uint64(len(values)) {
			t.Errorf("%s holds for %d of %d users, uids %v; it was said to hold for %d", definitions[target], size, of, uids, want)
		}
		checked++
	}
	if err := rows.Err(); err != nil || checked != len(targets) {
		t.Errorf("%d of %d were checked: %v", checked, len(targets), err)
	}
}
