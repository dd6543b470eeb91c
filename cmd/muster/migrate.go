package main

import (
	"context"
	"fmt"
	"os"

	"muster/clickhouse"
	"muster/sql"
)

// migrateCommand brings the schema of a server up to date, for operators who do so apart from starting the service.
type migrateCommand struct {
	ClickhouseDSN string `name:"clickhouse-dsn" help:"The ClickHouse server." required:"" placeholder:"clickhouse://user:password@host:9000/muster"`
}

// Run migrates and says so.
func (c *migrateCommand) Run(ctx context.Context) error {
	db, err := clickhouse.OpenDSN(ctx, c.ClickhouseDSN)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := clickhouse.Migrate(ctx, db, sql.Files); err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, "the schema is up to date")
	return nil
}
