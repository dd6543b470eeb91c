package clickhouse

import (
	"context"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
)

// Table is rows that travel with a query, which reads them by the table's name.
type Table = ext.Table

// Column describes a column of a [Table].
type Column struct{ Name, Type string }

// NewTable makes a table of rows that travel with a query.
func NewTable(name string, columns ...Column) (*Table, error) {
	all := make([]func(*ext.Table) error, len(columns))
	for i, c := range columns {
		all[i] = ext.Column(c.Name, column.Type(c.Type))
	}
	return ext.NewTable(name, all...)
}

// WithTable returns a context whose queries have these parameters, and a table that travels with them. It must not be
// used after [WithParameters].
func WithTable(ctx context.Context, parameters Parameters, table *Table) context.Context {
	return driver.Context(ctx, driver.WithParameters(parameters), driver.WithExternalTable(table))
}
