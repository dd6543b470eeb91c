package clickhouse_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/clickhouse/clickhousetest"
)

// TestTheEngineStandsBack looks at all threads of the engine: those that work must be nicer than the service's.
func TestTheEngineStandsBack(t *testing.T) {
	if err := clickhousetest.Empty(t).Exec(t.Context(), "SELECT sum(number) FROM numbers_mt(1000000)"); err != nil {
		t.Fatal(err)
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", clickhousetest.Engine(t).Pid()))
	if err != nil {
		t.Fatal(err)
	}
	nice := 0
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // the thread ended
		}
		if fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])); fields[16] == "5" {
			nice++
		}
	}
	// A few threads are those of the Go runtime that loads the library.
	if nice < 10 || nice < len(threads)-10 {
		t.Errorf("%d of %d threads stand back", nice, len(threads))
	}
}
