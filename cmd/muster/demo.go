package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"text/tabwriter"
	"time"

	"muster/demo"
	"muster/projects"
)

// demoCommand sends a made-up product's traffic to a running service.
type demoCommand struct {
	URL     string `help:"Address of the service." default:"http://127.0.0.1:8080"`
	DataDir string `help:"The service's data directory, for its keys." default:"data" type:"path"`
	Users   int    `help:"People." default:"5000"`
	Days    int    `help:"Days of the product's past." default:"90"`
	Seed    uint64 `help:"Another seed makes another product." default:"1"`
}

// Run sends the traffic and shows the starter segments.
func (c *demoCommand) Run(ctx context.Context) error {
	keys, err := projects.ReadKeyFile(c.DataDir)
	if err != nil {
		return fmt.Errorf("%w; start the service first, or name its --data-dir", err)
	}
	d := demonstration{url: c.URL, keys: keys, w: os.Stdout, client: http.DefaultClient}
	generator, err := demo.New(demo.Config{Users: c.Users, Days: c.Days, Seed: c.Seed, End: demoEnd()})
	if err != nil {
		return err
	}
	return d.run(ctx, generator)
}

// showDemo fills an empty project, and shows the segments of one that is not.
func showDemo(ctx context.Context, s *service, w io.Writer) error {
	d := demonstration{url: s.url(), keys: s.keyFile, w: w, client: http.DefaultClient}
	var page struct{ Total uint64 }
	if err := d.call(ctx, http.MethodPost, "/api/v1/users/query", map[string]any{"limit": 1}, &page); err != nil {
		return err
	}
	if page.Total > 0 {
		return d.showSegments(ctx)
	}
	generator, err := demo.New(demo.Config{Users: 5000, Days: 90, Seed: 1, End: demoEnd()})
	if err != nil {
		return err
	}
	return d.run(ctx, generator)
}

// demoEnd is the start of today: another run on the same day is the same messages, and changes nothing.
func demoEnd() time.Time { return time.Now().UTC().Truncate(24 * time.Hour) }

// demonstration speaks to the service as any client does.
type demonstration struct {
	url    string
	keys   projects.KeyFile
	w      io.Writer
	client *http.Client
}

func (d demonstration) run(ctx context.Context, generator *demo.Generator) error {
	total := generator.Count()
	fmt.Fprintf(d.w, "\n  Sending the traffic of a made-up product: %d messages\n", total)
	info, err := os.Stdout.Stat()
	bar := demo.NewBar(d.w, err == nil && info.Mode()&os.ModeCharDevice != 0, total)
	summary, err := demo.Send(ctx, demo.SendConfig{
		BaseURL: d.url, WriteKey: d.keys.WriteKey, Concurrency: 2, BatchSize: 400, Progress: bar.Show,
	}, generator.Messages())
	bar.End(summary)
	if err != nil {
		return err
	}
	if err := d.call(ctx, http.MethodPost, "/api/v1/flush", nil, nil); err != nil {
		return err
	}
	if err := d.createSegments(ctx); err != nil {
		return err
	}
	return d.showSegments(ctx)
}

type segmentRow struct {
	ID       string
	Name     string
	Sentence string
	LastRun  *struct {
		Size, Entered, Exited uint64
	} `json:"last_run"`
}

func (d demonstration) segments(ctx context.Context) ([]segmentRow, error) {
	var list struct{ Segments []segmentRow }
	err := d.call(ctx, http.MethodGet, "/api/v1/segments", nil, &list)
	return list.Segments, err
}

// createSegments saves and materializes the starter segments that are not there yet.
func (d demonstration) createSegments(ctx context.Context) error {
	existing, err := d.segments(ctx)
	if err != nil {
		return err
	}
	ids := map[string]string{}
	for _, seg := range existing {
		ids[seg.Name] = seg.ID
	}
	for _, starter := range demo.StarterSegments() {
		id := ids[starter.Name]
		if id == "" {
			var created segmentRow
			err := d.call(ctx, http.MethodPost, "/api/v1/segments", map[string]any{
				"name": starter.Name, "description": starter.Description, "definition": starter.Definition,
				"live": starter.Live, "schedule": starter.Schedule,
			}, &created)
			if err != nil {
				return err
			}
			id = created.ID
		}
		if err := d.call(ctx, http.MethodPost, "/api/v1/segments/"+id+"/materialize", nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// showSegments prints a table of the segments.
func (d demonstration) showSegments(ctx context.Context) error {
	list, err := d.segments(ctx)
	if err != nil {
		return err
	}
	var page struct{ Total uint64 }
	if err := d.call(ctx, http.MethodPost, "/api/v1/users/query", map[string]any{"limit": 1}, &page); err != nil {
		return err
	}
	fmt.Fprintf(d.w, "\n  %d users\n\n", page.Total)
	table := tabwriter.NewWriter(d.w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "  SEGMENT\tMEMBERS\tSHARE\tDEFINITION")
	for _, seg := range list {
		size := "-"
		share := ""
		if seg.LastRun != nil {
			size = fmt.Sprint(seg.LastRun.Size)
			share = fmt.Sprintf("%.1f%%", 100*float64(seg.LastRun.Size)/float64(max(page.Total, 1)))
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", seg.Name, size, share, seg.Sentence)
	}
	return table.Flush()
}

// call sends a request with the secret key and reads the answer; a problem document becomes an error.
func (d demonstration) call(ctx context.Context, method, path string, body, answer any) error {
	return callAPI(ctx, d.client, d.url, d.keys.SecretKey, method, path, body, answer)
}

// callAPI is a request to the API of a running service.
func callAPI(ctx context.Context, client *http.Client, url, key, method, path string, body, answer any) error {
	var text io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		text = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, url+path, text)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, got)
	}
	if answer == nil || len(got) == 0 {
		return nil
	}
	if raw, ok := answer.(*[]byte); ok {
		*raw = got
		return nil
	}
	if err := json.Unmarshal(got, answer); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}
