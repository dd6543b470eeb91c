package ingest

import (
	"context"
	"errors"
	"fmt"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"muster/clickhouse"
)

// The three tables traffic goes to. Each insert is one block under a token of its own, so that ClickHouse drops it, and
// what the views made of it, when it comes again.
const (
	insertEvents     = `INSERT INTO events (project, event, actor, ts, message, time, received, message_id, properties, context)`
	insertSnapshots  = `INSERT INTO attribute_snapshots (project, attribute, actor, ts, message, time, received, source, kind, text, number, instant, list)`
	insertIdentities = `INSERT INTO identities (project, actor, kind, link, linked, id, time)`
)

// inserter writes messages to the tables.
type inserter struct {
	db     *clickhouse.DB
	known  known
	erased erasures // the state in which known was right
}

// insert writes the rows of the messages, and reports whether there was anything new about identifiers. token names
// these messages for ever; inserting them again under it changes nothing.
func (w *inserter) insert(ctx context.Context, token string, messages []Message) (identities bool, err error) {
	if len(messages) == 0 {
		return false, nil
	}
	rows := rowsOf(messages)
	if err := w.send(ctx, token+"/events", insertEvents, eventColumns(rows)); err != nil {
		return false, fmt.Errorf("insert events: %w", err)
	}
	if columns := snapshotColumns(rows); columns != nil {
		if err := w.send(ctx, token+"/attributes", insertSnapshots, columns); err != nil {
			return false, fmt.Errorf("insert attributes: %w", err)
		}
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

func (w *inserter) send(ctx context.Context, token, statement string, columns []any) error {
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
	return batch.Send()
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
