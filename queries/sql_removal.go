package queries

import (
	"slices"
	"strings"
)

// A removal says that as of its time every custom attribute of its user is unset. It is a snapshot of an attribute without a name,
// which nobody can send. An attribute's value is what was said of it last, unless that is custom and a removal came after it: so
// what is said late, and of actors that turn out to be the same user, is held against removals as against everything else. What
// the removal's own message names was said at its very time, and stays.
const removal = "''"

// removable prints the condition that a removal unsets a snapshot's attribute. What is kept of a user's group has a name of its own.
const removable = "source = 'custom' AND NOT startsWith(attribute, 'group.')"

// sentNative are the native attributes that are stated as others are.
var sentNative = []string{"name", "email", "language", "created_at", tagsAttribute}

// isRemovable tells whether an attribute may have values that a removal unsets.
func isRemovable(attribute string) bool {
	_, native := nativeAttributes[attribute]
	return !native && !slices.Contains(sentNative, attribute) && !strings.HasPrefix(attribute, "group.")
}

// latestUnlessRemoved is latestSnapshots where removals are among the snapshots.
func (s *sqlPrinter) latestUnlessRemoved(name, where, some string) string {
	named := "attribute = " + name
	return "SELECT " + uidOf + " AS uid, " + columnsOf("argMaxIf("+said+", (time, received), "+named+")") +
		"\nFROM attribute_snapshots AS said FINAL\nWHERE " + where + "\n  AND time <= " + s.now + s.known("received") + "\nGROUP BY uid\n" +
		"HAVING (value.7 != 'custom' OR maxIf((time, received), " + named + ") >= maxIf((time, received), NOT " + named + "))" + some
}

// lastRemoval prints when the user of a scope was last removed from, and when that was received.
func (s *sqlPrinter) lastRemoval() string {
	return "SELECT max((time, received)) FROM attribute_snapshots FINAL WHERE project = " + s.project + " AND attribute = " + removal +
		s.among + " AND time <= " + s.now + s.known("received")
}

// saidAndRemoved prints the snapshots of an attribute, and the removals that unset it: those that come right after a custom value,
// and whose own message does not name the attribute.
func (s *sqlPrinter) saidAndRemoved(name, where string) string {
	return "SELECT * FROM (\n  SELECT kind, text, number, list, source, time, received, message, actor, attribute = " + removal + " AS removes,\n" +
		"    lagInFrame(source = 'custom' AND kind != 'null' AND NOT removes) OVER said AS follows,\n" +
		"    leadInFrame((time, received, message)) OVER said AS next\n" +
		"  FROM attribute_snapshots FINAL\n  WHERE " + where + " AND attribute IN (" + name + ", " + removal + ")\n" +
		"  WINDOW said AS (ORDER BY time, received, message, NOT removes ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)\n)\n" +
		"WHERE NOT removes OR (follows AND next != (time, received, message))"
}
