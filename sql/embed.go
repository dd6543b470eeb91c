// Package sql holds the schema: the migrations, in the order of their numbers. Their statements may run again.
package sql

import "embed"

// Files are the migrations, for [muster/clickhouse.Migrate].
//
//go:embed *.sql
var Files embed.FS
