package queries

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Outline is a plan for people to read.
type Outline struct {
	Sources []OutlineSource
	Leaves  []OutlineLeaf
	Sets    []string // one per target: its algebra over the numbers of leaves
}

// OutlineSource is one scan.
type OutlineSource struct {
	Table  string // that most of it is read from
	Reads  string // what of it
	Leaves []int  // the numbers of the leaves that come out of it
}

// OutlineLeaf is a set of users that is computed once, however many definitions it stands in.
type OutlineLeaf struct {
	Number    int // from 1; number 0 is everyone
	Condition string
}

// Outline says what the plan reads and computes.
func (p *Plan) Outline() Outline {
	var o Outline
	for _, src := range p.sources {
		o.Sources = append(o.Sources, OutlineSource{src.table(), src.phrase(), src.leaves})
	}
	for i, l := range p.leaves {
		o.Leaves = append(o.Leaves, OutlineLeaf{i + 1, leafPhrase(l)})
	}
	for _, set := range p.sets {
		o.Sets = append(o.Sets, p.algebraPhrase(set, false))
	}
	return o
}

// table names the table that a source reads, or reads the most of.
func (s source) table() string {
	switch s.kind {
	case actorSource:
		return "actors"
	case importSource:
		return "import_members"
	case attributeSource:
		switch s.names[0] {
		case "user_id", "anonymous_id":
			return "actors"
		case "first_seen", "last_seen":
			return "activity"
		case sessionsAttribute:
			return "events"
		}
		return "latest_attributes"
	case eventSource, sequenceSource:
		return "events"
	default:
		panic(fmt.Sprintf("outline: unknown source %d", s.kind))
	}
}

// sessionsAttribute is counted from the events.
const sessionsAttribute = "sessions"

func (s source) phrase() string {
	switch s.kind {
	case actorSource:
		return "identified users"
	case importSource:
		return "import " + quoted(s.names[0])
	case attributeSource:
		return "attribute " + quoted(s.names[0])
	case eventSource:
		return "event " + quoted(s.names[0])
	case sequenceSource:
		names := make([]string, len(s.names))
		for i, name := range s.names {
			names[i] = quoted(name)
		}
		return "events " + strings.Join(names, ", ") + ", by user and time"
	default:
		panic(fmt.Sprintf("outline: unknown source %d", s.kind))
	}
}

// Estimate returns the statement for how much the plan's sources are, from the tables' indexes alone: per source its index,
// the table, and how many parts, rows and marks there are to look at.
func (p *Plan) Estimate() Statement {
	s := newPrinter(p.scope)
	var branches []string
	for i, src := range p.sources {
		branches = append(branches, fmt.Sprintf("SELECT toUInt16(%d) AS source, table, parts, rows, marks\nFROM (\n  EXPLAIN ESTIMATE\n"+
			"  SELECT 1\n%s\n)", i, indent(s.extent(src, p.leaves))))
	}
	return s.statement(strings.Join(branches, "\nUNION ALL\n"))
}

// extent prints where a source is read from.
func (s *sqlPrinter) extent(src source, all []leaf) string {
	table := src.table()
	from := "FROM " + table + "\nWHERE project = " + s.project + s.among
	leaves := make([]leaf, len(src.leaves))
	for i, n := range src.leaves {
		leaves[i] = all[n-1]
	}
	var windows []interval
	switch {
	case src.kind == eventSource:
		for _, l := range leavesOf[eventLeaf](leaves) {
			windows = append(windows, l.window)
		}
		return s.eventsFrom(src.names, hull(windows))
	case src.kind == sequenceSource:
		for _, l := range leavesOf[sequenceLeaf](leaves) {
			windows = append(windows, l.window)
		}
		return s.eventsFrom(src.names, hull(windows))
	case table == "latest_attributes":
		return from + " AND attribute = " + s.text(src.names[0])
	case src.kind == importSource:
		return from + " AND import = " + s.text(src.names[0])
	}
	return from
}

// algebraPhrase says a set as the numbers of its leaves. Inside another, a group is bracketed.
func (p *Plan) algebraPhrase(f formula, inside bool) string {
	group := func(word string) string {
		parts := make([]string, len(f.of))
		for i, part := range f.of {
			parts[i] = p.algebraPhrase(part, true)
		}
		text := strings.Join(parts, word)
		if inside {
			return "(" + text + ")"
		}
		return text
	}
	switch f.op {
	case nobody:
		return "nobody"
	case everybody:
		return "everyone"
	case leafSet:
		return strconv.Itoa(p.numbers[f.key])
	case complement:
		return "not " + p.algebraPhrase(f.of[0], true)
	case intersection:
		return group(" and ")
	case union:
		return group(" or ")
	case atLeastOf:
		inside = true
		return fmt.Sprintf("at least %d of %s", f.count, group(", "))
	default:
		panic(fmt.Sprintf("outline: unknown operation %d", f.op))
	}
}

// leafPhrase says what holds for the users of a leaf.
func leafPhrase(l leaf) string {
	switch l := l.(type) {
	case identifiedLeaf:
		return "is identified"
	case importLeaf:
		return "was in import " + quoted(l.id)
	case attributeLeaf:
		return quoted(l.name) + " " + comparisonPhrase(l.test)
	case eventLeaf:
		return "did " + quoted(l.name) + wherePhrase(l.where) + l.window.phrase() + l.measure.phrase()
	case sequenceLeaf:
		return strings.TrimSpace(sequencePhrase(Sequence{Steps: l.steps, CompleteWithin: l.complete})) + l.window.phrase()
	default:
		panic(fmt.Sprintf("outline: unknown leaf %T", l))
	}
}

// phrase says when something happened, with a space before.
func (i interval) phrase() string {
	at := func(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }
	switch {
	case i.from == beginning && i.to == forever:
		return " at any time"
	case i.from == beginning:
		return " before " + at(i.to)
	case i.to == forever:
		return " from " + at(i.from) + " on"
	}
	return " from " + at(i.from) + " to before " + at(i.to)
}

// phrase says what is asked of the events; nothing where it is only that there are some.
func (m measure) phrase() string {
	switch m.kind {
	case happened:
		return ""
	case counted:
		return ", " + m.counts.phrase() + " times"
	case countedMeasure:
		return ", " + aggregateName(m.fn, m.property) + " " + m.counts.phrase()
	case aggregateMeasure:
		return ", " + aggregateName(m.fn, m.property) + " " + thresholdPhrase(m.threshold)
	case latestMeasure:
		return ", the last of them where " + predicateSentence(m.test, true)
	default:
		panic(fmt.Sprintf("outline: unknown measure %d", m.kind))
	}
}

func aggregateName(fn Fn, property string) string {
	if property == "" {
		return string(fn)
	}
	return string(fn) + " of " + quoted(property)
}

func (c counts) phrase() string {
	switch {
	case c.most == math.MaxUint64:
		return fmt.Sprintf("at least %d", c.least)
	case c.least == c.most:
		return fmt.Sprintf("exactly %d", c.least)
	}
	return fmt.Sprintf("%d to %d", c.least, c.most)
}
