package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"muster/projects"
)

// exportCommand asks a running service for a dataset and downloads it.
type exportCommand struct {
	Segment    string   `arg:"" help:"Id of the segment."`
	URL        string   `help:"Address of the service." default:"http://127.0.0.1:8080"`
	DataDir    string   `help:"The service's data directory, for its keys." default:"data" type:"path"`
	Attributes []string `help:"Attributes to export besides the ids, in this order."`
	Out        string   `help:"Folder to write to; it must not exist." default:"export" type:"path"`
}

// exportPoll is how often the export is asked how far it is.
const exportPoll = 200 * time.Millisecond

// Run exports and downloads.
func (c *exportCommand) Run(ctx context.Context) error {
	keys, err := projects.ReadKeyFile(c.DataDir)
	if err != nil {
		return fmt.Errorf("%w; start the service first, or name its --data-dir", err)
	}
	call := func(method, path string, body, answer any) error {
		return callAPI(ctx, http.DefaultClient, c.URL, keys.SecretKey, method, path, body, answer)
	}
	var export struct {
		ID, Status, Error, Manifest string
		Rows                        uint64
		Files                       []struct{ Name string }
	}
	err = call(http.MethodPost, "/api/v1/exports", map[string]any{
		"dataset": "members", "segment": c.Segment, "attributes": c.Attributes, "format": "parquet",
	}, &export)
	if err != nil {
		return err
	}
	for export.Status == "queued" || export.Status == "running" {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(exportPoll):
		}
		if err := call(http.MethodGet, "/api/v1/exports/"+export.ID, nil, &export); err != nil {
			return err
		}
	}
	if export.Status != "done" {
		return errors.New("the export failed: " + export.Error)
	}
	if err := os.Mkdir(c.Out, 0o755); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	names := []string{}
	for _, f := range export.Files {
		names = append(names, f.Name)
	}
	for _, name := range append(names, export.Manifest) { // the manifest last: with it the dataset is whole
		var text []byte
		if err := call(http.MethodGet, "/api/v1/exports/"+export.ID+"/files/"+name, nil, &text); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(c.Out, filepath.Base(name)), text, 0o644); err != nil {
			return fmt.Errorf("write the dataset: %w", err)
		}
	}
	fmt.Fprintf(os.Stdout, "%d rows in %d files, described by %s\n", export.Rows, len(names), filepath.Join(c.Out, export.Manifest))
	return nil
}
