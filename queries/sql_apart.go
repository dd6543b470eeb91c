package queries

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Some users have to be told apart from the others before anything is computed. They are few, or none, and each kind has an index
// that tells where there are none. They are looked for once in a statement, for all of its leaves: to plan a look takes longer than to
// find nobody. A statement may also presume that nobody is in a set: see [Plan.Presume].

// apartKind tells what is looked for.
type apartKind uint8

const (
	indexedUIDs apartKind = iota // no users: up to which uid the dictionary of actors knows the project
	lateUsers                    // of whom an actor was first seen after now
	mixedUsers                   // whose value of an attribute is not simply the latest: see [sqlPrinter.latestRows]
)

// Apart is one set of such users.
type Apart struct {
	kind      apartKind
	attribute string // of mixed users
}

// apartLook is the look for some sets, among the users that a condition tells.
type apartLook struct {
	among string
	sets  []Apart
}

// apart prints a set, among the users who are evaluated, and has it defined by the statement.
func (s *sqlPrinter) apart(set Apart) string {
	look := slices.IndexFunc(s.looks, func(l apartLook) bool { return l.among == s.among })
	if look < 0 {
		look = len(s.looks)
		s.looks = append(s.looks, apartLook{among: s.among})
	}
	l := &s.looks[look]
	if !slices.Contains(l.sets, set) {
		l.sets = append(l.sets, set)
	}
	return apartName(look) + "." + strconv.Itoa(slices.Index(l.sets, set)+1)
}

func apartName(look int) string {
	if look == 0 {
		return "apart"
	}
	return "apart" + strconv.Itoa(look+1)
}

// What a row of a look is about. Those of one attribute's values follow, in the order of the attributes.
const (
	aboutLate = iota
	aboutAliases
	aboutRemovals
	aboutValues
)

// lookedFor prints the definitions of the sets.
func (s *sqlPrinter) lookedFor() []string {
	all := make([]string, len(s.looks))
	for i, l := range s.looks {
		sets := make([]string, len(l.sets))
		for j, set := range l.sets {
			sets[j] = s.apartState(l, set)
		}
		all[i] = "(\n  SELECT tuple(\n    " + strings.Join(sets, ",\n    ") + "\n  )"
		if rows := s.apartRows(l); len(rows) > 0 {
			all[i] += "\n  FROM (\n" + indent(indent(joinBranches(rows))) + "\n  )"
		}
		all[i] += "\n) AS " + apartName(i)
	}
	return all
}

func (s *sqlPrinter) apartState(l apartLook, set Apart) string {
	if set.kind == indexedUIDs {
		return "dictGet('actor_uids', 'uid', toUInt64(" + s.project + "))"
	}
	abouts := l.abouts(set)
	conditions := make([]string, len(abouts))
	for i, about := range abouts {
		conditions[i] = fmt.Sprintf("about = %d", about)
	}
	return "groupBitmapStateIf(uid, " + strings.Join(conditions, " OR ") + ")"
}

// abouts returns what rows are about that tell of users in a set.
func (l apartLook) abouts(set Apart) []int {
	switch set.kind {
	case indexedUIDs:
		return nil
	case lateUsers:
		return []int{aboutLate}
	case mixedUsers:
	}
	abouts := []int{aboutAliases, aboutValues + slices.Index(l.attributes(), set.attribute)}
	if isRemovable(set.attribute) {
		abouts = append(abouts, aboutRemovals)
	}
	return abouts
}

// attributes returns the attributes whose mixed are looked for.
func (l apartLook) attributes() []string {
	var all []string
	for _, set := range l.sets {
		if set.kind == mixedUsers {
			all = append(all, set.attribute)
		}
	}
	return all
}

// apartRows prints the rows of a look. Rows that newer ones replaced do no harm: the newer ones tell the same. Of values, an actor's
// lowest bit tells an anonymous one; of users, only those that were aliased are not the first.
//
// A rank is not compared with zero: ClickHouse would turn the comparison into a scan of the whole dictionary.
func (s *sqlPrinter) apartRows(l apartLook) []string {
	about := func(about int) string { return fmt.Sprintf(", toUInt64(%d) AS about FROM ", about) }
	of := "\nWHERE project = " + s.project + l.among + " AND "
	var rows []string
	if slices.Contains(l.sets, Apart{kind: lateUsers}) {
		rows = append(rows, "SELECT "+uidOf+" AS uid"+about(aboutLate)+"activity"+of+"first_seen > "+s.now)
	}
	attributes := l.attributes()
	if len(attributes) == 0 {
		return rows
	}
	later := "time > " + s.now
	if !s.scope.KnownAt.IsZero() {
		later = "(" + later + " OR NOT (true" + s.known("received") + "))"
	}
	names, mixed := s.texts(attributes), later+" OR toBool(dictGet('actor_uids', 'rank', actor))"
	number := fmt.Sprintf("indexOf(%s, attribute) + %d", names, aboutValues-1)
	if slices.ContainsFunc(attributes, isRemovable) {
		names = s.texts(append([]string{""}, attributes...))
		number = fmt.Sprintf("if(attribute = %s, %d, %s)", removal, aboutRemovals, number)
		mixed = "attribute = " + removal + " OR " + mixed
	}
	return append(rows,
		"SELECT uid"+about(aboutAliases)+"actors"+of+"if(kind = 'user', rank, 0) > 0",
		"SELECT "+uidOf+" AS uid, "+number+" AS about FROM latest_attributes"+of+"attribute IN "+names+
			"\n  AND (if(attribute = "+removal+" OR bitTest(actor, 0) = 1, 1, 0) = 1 OR "+later+") AND ("+mixed+")")
}
