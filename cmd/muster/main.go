// Command muster is the analytical cohort service: it takes in what a product's users do, keeps it in ClickHouse, and
// answers which users are in which segment.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // zones are part of what a segment means; the machine may have none

	"github.com/alecthomas/kong"
	kongyaml "github.com/alecthomas/kong-yaml"

	"muster"
	"muster/bench"
	"muster/clickhouse"
)

// commands are what the binary does. Every flag is also an environment variable, MUSTER_ and its name, and a key of the
// YAML file.
type commands struct {
	Config kong.ConfigFlag `help:"YAML file with defaults for the flags." type:"existingfile" placeholder:"FILE"`

	Serve   serveCommand   `cmd:"" help:"Run the service."`
	Demo    demoCommand    `cmd:"" help:"Send the traffic of a made-up product to a running service."`
	Export  exportCommand  `cmd:"" help:"Write the members of a segment as Parquet, through a running service."`
	Migrate migrateCommand `cmd:"" help:"Bring the schema of a ClickHouse server up to date."`
	Bench   benchCommand   `cmd:"" help:"Measure Muster against the bare minimum, as ratios."`
}

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case clickhouse.ChildCommand:
			exit(clickhouse.RunChild(os.Args[2:]))
		case bench.AskerCommand:
			exit(bench.RunAsker(context.Background(), os.Args[2:], os.Stdout))
		}
	}
	var c commands
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed := kong.Parse(&c, kong.Name("muster"), kong.Description("The analytical cohort service."),
		kong.Configuration(kongyaml.Loader), kong.DefaultEnvars("MUSTER"), kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)))
	exit(parsed.Run())
}

// exit ends the process: 0, or 1 after saying what went wrong and what to do.
func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "muster: "+err.Error())
		if e, ok := errors.AsType[*muster.Error](err); ok && e.Hint != "" {
			fmt.Fprintln(os.Stderr, e.Hint)
		}
		os.Exit(1)
	}
	os.Exit(0)
}
