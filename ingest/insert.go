package ingest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"muster/clickhouse"
)

// The tables traffic goes to. Each insert is one block under a token of its own, so that ClickHouse drops it, and
// what the views made of it, when it comes again.
const (
	insertEvents     = `INSERT INTO events (project, event, actor, ts, message, time, received, message_id, properties, context)`
	insertSnapshots  = `INSERT INTO attribute_snapshots (project, attribute, actor, ts, message, time, received, source, kind, text, number, instant, list)`
	insertIdentities = `INSERT INTO identities (project, actor, kind, link, linked, id, time)`
	insertNames      = `INSERT INTO names (project, kind, name, first_seen)`
	insertRejected   = `INSERT INTO rejections (project, received, rejection, path, sent_at, code, detail, pointer, context, message, whole, replayed, version)`
)

// inserter writes messages to the tables.
type inserter struct {
	db      *clickhouse.DB
	known   known
	erased  erasures // the state in which known was right
	recent  recent
	observe func(table string, took time.Duration) // told of every insert that succeeded
}

func newInserter(db *clickhouse.DB, observe func(string, time.Duration)) inserter {
	return inserter{db: db, recent: newRecent(), observe: observe}
}

// insert writes the rows of the messages, and reports whether there was anything new about identifiers. token names
// these messages for ever; inserting them again under it changes nothing.
func (w *inserter) insert(ctx context.Context, token string, messages []Message) (identities bool, err error) {
	if len(messages) == 0 {
		return false, nil
	}
	if err := w.insertFacts(ctx, token, rowsOf(messages)); err != nil {
		return false, err
	}
	if err := w.forgetErased(ctx); err != nil {
		return false, err
	}
	fresh := w.known.unknown(identitiesOf(messages))
	if len(fresh) == 0 {
		return false, nil
	}
	if err := w.send(ctx, token+"/identities", insertIdentities, identityColumns(fresh)); err != nil {
		return false, fmt.Errorf("insert identities: %w", err)
	}
	w.known.remember(fresh)
	return true, nil
}

// insertFacts writes what was done and what was said, at once: most of an insert is waiting for the disk.
func (w *inserter) insertFacts(ctx context.Context, token string, rows []row) error {
	var done, said error
	var group sync.WaitGroup
	group.Go(func() {
		if columns := snapshotColumns(rows); columns != nil {
			said = w.send(ctx, token+"/attributes", insertSnapshots, columns)
		}
	})
	if columns := eventColumns(rows); columns != nil {
		done = w.send(ctx, token+"/events", insertEvents, columns)
	}
	group.Wait()
	switch {
	case done != nil: // and what is wrong with the other, the next attempt finds too
		return fmt.Errorf("insert events: %w", done)
	case said != nil:
		return fmt.Errorf("insert attributes: %w", said)
	}
	return nil
}

// insertNames writes the names a segment brought in.
func (w *inserter) insertNames(ctx context.Context, token string, all []newName) error {
	if len(all) == 0 {
		return nil
	}
	if err := w.send(ctx, token+"/names", insertNames, nameColumns(all)); err != nil {
		return fmt.Errorf("insert names: %w", err)
	}
	return nil
}

// insertRejected writes the messages of a segment that were not accepted.
func (w *inserter) insertRejected(ctx context.Context, token string, all []Rejected) error {
	if len(all) == 0 {
		return nil
	}
	if err := w.send(ctx, token+"/rejections", insertRejected, rejectedColumns(all)); err != nil {
		return fmt.Errorf("insert rejected messages: %w", err)
	}
	return nil
}

// send inserts the rows of one table. The end of the token is the table's name.
func (w *inserter) send(ctx context.Context, token, statement string, columns []any) error {
	start := time.Now()
	batch, err := w.db.PrepareBatch(clickhouse.WithInsertToken(ctx, token), statement)
	if err != nil {
		return err
	}
	defer func() { _ = batch.Close() }() // it does something only where Send was not reached
	for i, column := range columns {
		if err := batch.Column(i).Append(column); err != nil {
			return &unfitError{err}
		}
	}
	if err := batch.Send(); err != nil {
		return err
	}
	w.observe(path.Base(token), time.Since(start))
	return nil
}

// unfitError is a value that the driver itself could not put into its column.
type unfitError struct{ error }

func (e *unfitError) Unwrap() error { return e.error }

// refusesData tells whether an insert failed because of what the rows say, so that it would fail again for ever. Only
// codes known to mean that count: a missing table or a full disk is no reason to put messages aside.
func refusesData(err error) bool {
	if _, ok := errors.AsType[*unfitError](err); ok {
		return true
	}
	refused, ok := errors.AsType[*driver.Exception](err)
	if !ok {
		return false
	}
	switch refused.Code {
	case 6, // CANNOT_PARSE_TEXT
		25,  // CANNOT_PARSE_ESCAPE_SEQUENCE
		26,  // CANNOT_PARSE_QUOTED_STRING
		27,  // CANNOT_PARSE_INPUT_ASSERTION_FAILED
		38,  // CANNOT_PARSE_DATE
		41,  // CANNOT_PARSE_DATETIME
		53,  // TYPE_MISMATCH
		69,  // ARGUMENT_OUT_OF_BOUND
		70,  // CANNOT_CONVERT_TYPE
		72,  // CANNOT_PARSE_NUMBER
		117, // INCORRECT_DATA
		128, // TOO_LARGE_ARRAY_SIZE
		131, // TOO_LARGE_STRING_SIZE
		306, // TOO_DEEP_RECURSION
		321: // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
		return true
	}
	return false
}
