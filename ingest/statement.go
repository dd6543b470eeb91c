package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"muster"
)

// State says attributes of a user who is known, as people do and not traffic: the user is the actor of a kind and an id. It
// returns when they are fsynced in the spool, from which they go the way of everything else. at is the time they are said
// for; of two sayings the later holds. It returns the message's number in the tables' keys.
func (d *Door) State(ctx context.Context, project muster.ProjectID, kind muster.ActorKind, id string, at time.Time, attributes []Attribute) (message uint64, err error) {
	name, err := uuid.NewV7()
	if err != nil {
		return 0, fmt.Errorf("make a message id: %w", err)
	}
	m := Message{
		Project: project, Type: Statement, MessageID: name.String(), Timestamp: at.UnixMilli(), Time: at.UnixMilli(),
		Received: d.clock.next(d.now()), Properties: "{}", Context: "{}", Attributes: attributes,
	}
	switch kind {
	case muster.Identified:
		m.UserID = id
	case muster.Anonymous:
		m.AnonymousID = id
	default:
		return 0, fmt.Errorf("state attributes of an actor of kind %d", kind)
	}
	k := &desk{}
	k.records = AppendRecord(k.records, &m)
	k.end()
	return m.Hash(), d.store(ctx, k, project, d.now())
}
