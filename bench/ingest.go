package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"muster/clickhouse"
	"muster/demo"
)

const (
	ingestUsers = 8000 // of the demo product, about 300,000 messages
	perRequest  = 100  // messages
	clients     = 4    // requests under way at once
	bareRows    = 50_000
)

// Service is a running Muster.
type Service struct {
	URL      string
	WriteKey string
	DB       *clickhouse.DB
	Flush    func(context.Context) error
}

// Ingest measures from the door to the table against inserting the same rows bare: into tables of the same schema, with the
// same views, in a database of its own. What half of the measured rate does to acknowledgements and to the lag, and what
// single messages cost, follows.
func Ingest(ctx context.Context, s Service, bare *clickhouse.DB) ([]Figure, error) {
	messages, bodies, err := requests(7)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := send(ctx, s, "/v1/batch", clients, bodies); err != nil {
		return nil, err
	}
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	whole := Figure{
		Name: fmt.Sprintf("ingest: door to table, %d requests of %d messages", len(bodies), perRequest), Muster: time.Since(start), Bar: 2,
	}
	if whole.Bare, err = insertBare(ctx, s, bare); err != nil {
		return nil, err
	}
	acknowledged, lag, err := paced(ctx, s, float64(len(messages))/whole.Muster.Seconds()/2)
	if err != nil {
		return nil, err
	}
	single, err := singles(ctx, s, whole.Bare/time.Duration(len(messages)))
	return []Figure{whole, acknowledged, lag, single}, err
}

// insertBare inserts what is in the tables into another database, and returns how long the inserts took.
func insertBare(ctx context.Context, s Service, bare *clickhouse.DB) (time.Duration, error) {
	var inserts []func(context.Context) error
	for _, table := range []string{"events", "attribute_snapshots", "identities"} {
		more, err := copyTable(ctx, s.DB, bare, table)
		if err != nil {
			return 0, err
		}
		inserts = append(inserts, more...)
	}
	start := time.Now()
	for _, insert := range inserts {
		if err := insert(ctx); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

// requests makes messages, and the bodies of batches of them, before anything is timed. Those of two seeds are different.
func requests(seed uint64) (messages []demo.Message, bodies [][]byte, err error) {
	generator, err := demo.New(demo.Config{Users: ingestUsers, Days: 90, Seed: seed, End: time.Now()})
	if err != nil {
		return nil, nil, err
	}
	var batch []demo.Message
	flush := func() error {
		body, err := json.Marshal(map[string]any{"batch": batch})
		bodies, batch = append(bodies, body), batch[:0]
		return err
	}
	for m := range generator.Messages() {
		messages = append(messages, m)
		if batch = append(batch, m); len(batch) == perRequest {
			if err := flush(); err != nil {
				return nil, nil, err
			}
		}
	}
	if len(batch) > 0 {
		err = flush()
	}
	return messages, bodies, err
}

// send posts the bodies, several at a time.
func send(ctx context.Context, s Service, path string, clients int, bodies [][]byte) error {
	next := make(chan []byte, len(bodies))
	for _, body := range bodies {
		next <- body
	}
	close(next)
	group, ctx := errgroup.WithContext(ctx)
	for range clients {
		group.Go(func() error {
			c, err := dial(ctx, s.URL, s.WriteKey)
			if err != nil {
				return err
			}
			defer c.close()
			for body := range next {
				if err := c.post(path, body); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// columns are what is read from and written to each table; what the server computes is left to it.
var columns = map[string]string{
	"events":              "project, event, actor, ts, message, time, received, message_id, properties, context",
	"attribute_snapshots": "project, attribute, actor, ts, message, time, received, source, kind, text, number, instant, list",
	"identities":          "project, actor, kind, link, linked, id, time",
}

// copyTable reads a table's rows into batches for another database, and returns what sends them.
func copyTable(ctx context.Context, from, to *clickhouse.DB, table string) ([]func(context.Context) error, error) {
	rows, err := from.Query(ctx, "SELECT "+columns[table]+" FROM "+table)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", table, err)
	}
	defer rows.Close()
	types := rows.ColumnTypes()
	var inserts []func(context.Context) error
	var all [][]any
	cut := func() {
		part := all
		all = nil
		inserts = append(inserts, func(ctx context.Context) error {
			batch, err := to.PrepareBatch(ctx, "INSERT INTO "+table+" ("+columns[table]+")")
			if err != nil {
				return fmt.Errorf("insert into %s: %w", table, err)
			}
			defer batch.Close()
			for _, row := range part {
				if err := batch.Append(row...); err != nil {
					return fmt.Errorf("insert into %s: %w", table, err)
				}
			}
			return batch.Send()
		})
	}
	for rows.Next() {
		row := make([]any, len(types))
		for i, t := range types {
			row[i] = newScan(t.Name(), t.ScanType())
		}
		if err := rows.Scan(row...); err != nil {
			return nil, fmt.Errorf("read %s: %w", table, err)
		}
		for i := range row {
			row[i] = dereference(row[i])
		}
		if all = append(all, row); len(all) == bareRows {
			cut()
		}
	}
	cut()
	return inserts, rows.Err()
}
