package clickhouse_test

import (
	"testing"

	"muster/clickhouse/clickhousetest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

func TestJSONRoundTrip(t *testing.T) {
	db := clickhousetest.DB(t)
	var n uint64
	if err := db.QueryRow(t.Context(), `SELECT count() FROM events`).Scan(&n); err != nil {
		t.Fatal(err)
	}
}
