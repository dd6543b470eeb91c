package queries_test

import (
	"flag"
	"os"
	"testing"

	"muster/clickhouse/clickhousetest"
)

// TestMain has few checks of generated projects, always the same ones, unless more are asked for: make test-long does.
func TestMain(m *testing.M) {
	clickhousetest.Child()
	for name, value := range map[string]string{"rapid.checks": "10", "rapid.seed": "1"} {
		variable := map[string]string{"rapid.checks": "RAPID_CHECKS", "rapid.seed": "RAPID_SEED"}[name]
		if _, given := os.LookupEnv(variable); given {
			continue
		}
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	clickhousetest.Main(m)
}
