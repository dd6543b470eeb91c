package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
)

// serveCommand runs the service until it is told to stop.
type serveCommand struct {
	DataDir       string `help:"Where the spool, the keys, the exports and the embedded ClickHouse live." default:"data" type:"path"`
	Listen        string `help:"Address to listen on." default:"127.0.0.1:8080"`
	ClickhouseDSN string `name:"clickhouse-dsn" help:"Use this ClickHouse server instead of the embedded one." placeholder:"clickhouse://user:password@host:9000/muster"`
	EngineLibrary string `help:"Path of libchdb.so, when it is not beside the checkout." type:"path" placeholder:"FILE"`
	Demo          bool   `help:"When the project is empty, send it the traffic of a made-up product."`
}

// Run starts the service, says where it is, and stops it when ctx ends.
func (c *serveCommand) Run(ctx context.Context) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	s, err := start(ctx, config{
		dataDir: c.DataDir, listen: c.Listen, dsn: c.ClickhouseDSN, engineLibrary: c.EngineLibrary, log: log,
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
