package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"muster/ingest"
)

// serveCommand runs the service until it is told to stop.
type serveCommand struct {
	DataDir       string `help:"Where the spool, the keys, the exports and the embedded ClickHouse live." default:"data" type:"path"`
	Listen        string `help:"Address to listen on." default:"127.0.0.1:8080"`
	ClickhouseDSN string `name:"clickhouse-dsn" help:"Use this ClickHouse server instead of the embedded one." placeholder:"clickhouse://user:password@host:9000/muster"`
	EngineLibrary string `help:"Path of libchdb.so, when it is not beside the checkout." type:"path" placeholder:"FILE"`
	RateLimit     int    `help:"Messages a second that one write key may send; 0 for any number." default:"50000"`
	MaxSpool      int64  `help:"Bytes the spool may hold; past them senders are told to come again." default:"4294967296"`
	MaxEvents     int    `help:"Event names a project may bring in." default:"5000"`
	MaxAttributes int    `help:"Attribute names a project may bring in." default:"5000"`
	MaxProperties int    `help:"Property names a project may bring in." default:"20000"`
	Demo          bool   `help:"When the project is empty, send it the traffic of a made-up product."`
}

// Run starts the service, says where it is, and stops it when ctx ends.
func (c *serveCommand) Run(ctx context.Context) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	s, err := start(ctx, config{
		dataDir: c.DataDir, listen: c.Listen, dsn: c.ClickhouseDSN, engineLibrary: c.EngineLibrary, log: log,
		maxSpool: c.MaxSpool, rateLimit: c.RateLimit,
		names: ingest.NameLimits{Events: c.MaxEvents, Attributes: c.MaxAttributes, Properties: c.MaxProperties},
	})
	if err != nil {
		return err
	}
	defer s.close()
	if c.Demo {
		if err := showDemo(ctx, s, os.Stdout); err != nil && ctx.Err() == nil {
			return fmt.Errorf("the demo: %w", err)
		}
	}
	s.announce(os.Stdout)
	select {
	case <-ctx.Done():
		fmt.Fprintln(os.Stdout, "stopping; what was acknowledged is kept")
		return nil
	case err := <-s.failed:
		return err
	}
}
