package queries_test

import (
	"os"
	"strings"
	"testing"
)

// page is the page for people.
const page = "../docs/segments.md"

// examples are the examples of the page, as one fixture: the blocks marked so, at the lines they stand in.
func examples(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	inside := false
	for i, line := range lines {
		fence := strings.HasPrefix(line, "```")
		if fence {
			inside = line == "```fixture"
		}
		if fence || !inside {
			lines[i] = ""
		}
	}
	return strings.Join(lines, "\n")
}

// Everything the page says of its examples is so.
func TestThePageIsTrue(t *testing.T) { runFixture(t, newFixture(t), page, examples(t)) }
