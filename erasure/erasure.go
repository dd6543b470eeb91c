package erasure

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"muster"
	"muster/clickhouse"
	"muster/identity"
	"muster/ingest"
	"muster/queries"
	"muster/segments"
)

// Config is what an [Eraser] needs.
type Config struct {
	DB         *clickhouse.DB
	Index      *identity.Index
	Evaluator  *segments.Evaluator
	Rejections *ingest.Rejections
	// Flush returns when everything acknowledged before is in ClickHouse and its actors are users: what waits in the spool
	// is the user's history too.
	Flush func(context.Context) error
	// Pause runs a function while the index of actors stands still.
	Pause func(func() error) error
	// Forget has what is in memory not answer of users any more.
	Forget func(muster.ProjectID, []uint32)
}

// Eraser erases users.
type Eraser struct{ Config }

// New returns an eraser.
func New(c Config) (*Eraser, error) {
	if c.DB == nil || c.Index == nil || c.Evaluator == nil || c.Rejections == nil || c.Flush == nil || c.Pause == nil || c.Forget == nil {
		return nil, errors.New("erasure: a part of the configuration is missing")
	}
	return &Eraser{c}, nil
}

// facts are the tables with what actors did and what was said of them.
var facts = []string{"events", "attribute_snapshots", "latest_attributes", "activity", "import_members", "arrivals"}

// Erase removes the user that an actor is: all actors, what they did and what was said of them, messages of theirs that were
// rejected, and the user's place in every membership, old ones too. When it returns without an error the user is in no answer, at any time. What is
// acknowledged later under the same ids is a new user's. Exported files stay as they are.
//
// The index comes last, because it tells who is meant: after an error the same call goes on where it stopped.
func (e *Eraser) Erase(ctx context.Context, project muster.ProjectID, actor muster.Actor) error {
	// Before anything waits for traffic: most wrong addresses are found out here.
	if _, err := e.Index.Person(ctx, project, actor); err != nil {
		return err
	}
	if err := e.Flush(ctx); err != nil {
		return err
	}
	// What is rejected goes first, and then what was replayed of it is waited for: after that nothing of it can come back.
	if _, err := e.forgetRejected(ctx, project, actor); err != nil {
		return err
	}
	if err := e.Flush(ctx); err != nil {
		return err
	}
	return e.Pause(func() error {
		person, err := e.forgetRejected(ctx, project, actor) // the user may have more identifiers now
		if err != nil {
			return err
		}
		uids := append(person.Vacated, person.UID)
		// The drain relies on this order; see its forgetErased.
		if err := e.Index.Unsay(ctx, project, person); err != nil {
			return err
		}
		if err := e.record(ctx, project, uids); err != nil {
			return err
		}
		e.Forget(project, uids)
		for _, table := range facts {
			if err := e.remove(ctx, table, project, person.Actors); err != nil {
				return err
			}
		}
		if err := e.Evaluator.Withdraw(ctx, project, uids); err != nil {
			return err
		}
		return e.Index.Forget(ctx, project, person)
	})
}

// forgetRejected erases the user's rejected messages, and tells who the user is.
func (e *Eraser) forgetRejected(ctx context.Context, project muster.ProjectID, actor muster.Actor) (identity.Person, error) {
	person, err := e.Index.Person(ctx, project, actor)
	if err != nil {
		return person, err
	}
	return person, e.Rejections.Forget(ctx, project, person.Identifiers)
}

// record makes the erasure known to whoever works on what is older.
func (e *Eraser) record(ctx context.Context, project muster.ProjectID, uids []uint32) error {
	batch, err := e.DB.PrepareBatch(ctx, `INSERT INTO erased_users (project, uid)`)
	if err != nil {
		return fmt.Errorf("record an erasure: %w", err)
	}
	defer batch.Close()
	for _, uid := range uids {
		if err := batch.Append(uint32(project), uid); err != nil {
			return fmt.Errorf("record an erasure: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("record an erasure: %w", err)
	}
	return nil
}

// remove removes the rows of actors from a table. They are masked at once, and leave the disk when their parts merge.
func (e *Eraser) remove(ctx context.Context, table string, project muster.ProjectID, actors []muster.Actor) error {
	err := e.DB.Exec(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": strconv.FormatUint(uint64(project), 10), "actors": queries.Unsigned(actors),
	}), `DELETE FROM `+table+` WHERE project = {project:UInt32} AND actor IN {actors:Array(UInt64)}`)
	if err != nil {
		return fmt.Errorf("erase from %s: %w", table, err)
	}
	return nil
}
