package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"muster"
	"muster/api"
	"muster/bench"
	"muster/clickhouse"
	"muster/membership"
	"muster/projects"
	"muster/sql"
)

// benchCommand measures and prints ratios.
type benchCommand struct {
	DataDir string   `help:"Where the data is made; it is kept for the next time." default:"bench-data" type:"path"`
	Users   uint64   `help:"Users to query." default:"2000000"`
	Events  uint64   `help:"Events to query." default:"30000000"`
	Only    []string `help:"Measure only these: ingest, preview, explain, materialize, live, membership." enum:"ingest,preview,explain,materialize,live,membership" placeholder:"WHAT"`
}

// measure is one over the kept data.
type measure struct {
	name string
	run  func(context.Context, *clickhouse.DB) ([]bench.Figure, error)
}

// measures are in the order in which they are printed.
var measures = []measure{
	{"preview", bench.Previews},
	{"explain", bench.Explanations},
	{"materialize", bench.Materializations},
	{"live", bench.Live},
	{"membership", memberships},
}

// memberships measures asking over HTTP with the handler that the service has.
func memberships(ctx context.Context, _ *clickhouse.DB) ([]bench.Figure, error) {
	current := membership.NewCurrent()
	unsigned := func(muster.ProjectID) (string, bool) { return "", false }
	keys := projects.KeyFile{WriteKey: "wk_bench", SecretKey: "sk_bench"}
	return bench.Memberships(ctx, current.Project(projects.DefaultID), api.NewMe(projects.NewKeyring(keys), unsigned, current), keys.SecretKey)
}

// wanted tells whether something is to be measured.
func (c *benchCommand) wanted(what string) bool {
	return len(c.Only) == 0 || slices.Contains(c.Only, what)
}

// Run makes the data where it is missing, measures, and prints the table.
func (c *benchCommand) Run(ctx context.Context) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	var figures []bench.Figure
	if c.wanted("ingest") {
		fmt.Fprintln(os.Stdout, "Measuring ingest")
		ingest, err := c.ingest(ctx, log)
		if err != nil {
			return err
		}
		figures = append(figures, ingest...)
	}
	if slices.ContainsFunc(measures, func(m measure) bool { return c.wanted(m.name) }) {
		queried, err := c.query(ctx, log)
		if err != nil {
			return err
		}
		figures = append(figures, queried...)
	}
	fmt.Fprintln(os.Stdout)
	return bench.Print(os.Stdout, figures)
}

// ingest starts a whole service on an empty directory.
func (c *benchCommand) ingest(ctx context.Context, log *slog.Logger) ([]bench.Figure, error) {
	dir, err := os.MkdirTemp("", "muster-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	defer os.RemoveAll(dir)
	s, err := start(ctx, config{dataDir: dir, listen: "127.0.0.1:0", log: log})
	if err != nil {
		return nil, err
	}
	defer s.close()
	bare, err := s.engine.OpenDatabase(ctx, "bare")
	if err != nil {
		return nil, err
	}
	defer bare.Close()
	if err := clickhouse.Migrate(ctx, bare, sql.Files); err != nil {
		return nil, err
	}
	b := s.store.Load()
	return bench.Ingest(ctx, bench.Service{URL: s.url(), WriteKey: s.keyFile.WriteKey, DB: b.db, Flush: b.drain.Flush}, bare)
}

// query measures over the kept data.
func (c *benchCommand) query(ctx context.Context, log *slog.Logger) ([]bench.Figure, error) {
	engine, err := clickhouse.StartEngine(ctx, clickhouse.EngineConfig{Dir: filepath.Join(c.DataDir, "clickhouse"), Log: log})
	if err != nil {
		return nil, err
	}
	defer engine.Stop()
	db, err := engine.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := clickhouse.Migrate(ctx, db, sql.Files); err != nil {
		return nil, err
	}
	if err := bench.Load(ctx, db, bench.Size{Users: c.Users, Events: c.Events}, os.Stdout); err != nil {
		return nil, err
	}
	var figures []bench.Figure
	for _, m := range measures {
		if !c.wanted(m.name) {
			continue
		}
		fmt.Fprintf(os.Stdout, "Measuring %s\n", m.name)
		measured, err := m.run(ctx, db)
		if err != nil {
			return nil, err
		}
		figures = append(figures, measured...)
	}
	if peak, ok := peakMemory(engine.Pid()); ok {
		fmt.Fprintf(os.Stdout, "ClickHouse took at most %s of memory (bar: 4 GB)\n", peak)
	}
	return figures, nil
}

// peakMemory returns the most memory a process ever had, with its unit, where the system tells.
func peakMemory(pid int) (string, bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "", false
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}
