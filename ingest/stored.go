package ingest

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
)

// eventKey is a message's place in table events, within its project and event: what makes two messages one.
type eventKey struct {
	actor   muster.Actor
	ts      int64
	message uint64
}

// nameOf is an event of a project.
type nameOf struct {
	project muster.ProjectID
	event   string
}

// withoutStored leaves out messages that are in the tables already, as other copies of them, and that the drain does not
// remember: it was started since, or much came in between. Rows with one key collapse in events and in attribute_snapshots,
// where the first copy stays; but what the views keep of all rows - the latest attributes, when an actor was last seen -
// would take a repeat whose time is another for something said later.
//
// It asks only about messages that could be forgotten and could do harm. A copy received at the same microsecond is this very
// message, from an attempt that was interrupted: it stays, so that the attempt is completed under its token.
func (w *inserter) withoutStored(ctx context.Context, messages []Message, since time.Time) ([]Message, error) {
	asked := map[nameOf][]eventKey{}
	for i := range messages {
		if m := &messages[i]; m.mayBeStored(since) {
			of := nameOf{m.Project, m.Event}
			asked[of] = append(asked[of], m.eventKey())
		}
	}
	if len(asked) == 0 {
		return messages, nil
	}
	stored := map[nameOf]map[eventKey]int64{}
	for of, keys := range asked {
		found, err := w.find(ctx, of, keys)
		if err != nil {
			return nil, err
		}
		stored[of] = found
	}
	return slices.DeleteFunc(messages, func(m Message) bool {
		received, found := stored[nameOf{m.Project, m.Event}][m.eventKey()]
		return found && received != m.Received
	}), nil
}

func (m *Message) eventKey() eventKey { return eventKey{m.Actor(), m.Timestamp, m.Hash()} }

// mayBeStored tells whether the message may be a repeat of one that was inserted before a time, and would not just collapse.
func (m *Message) mayBeStored(before time.Time) bool {
	if m.Type == Statement { // made once, by us
		return false
	}
	if len(m.Attributes) == 0 && m.Time == m.Timestamp {
		return false // a repeat is the same row, unless the client's clock was wrong at one time and right at another
	}
	return m.made() < before.Add(onTheWay).UnixMilli()
}

// made is when the message was made at the latest, by a clock that is less than a minute wrong, in unix milliseconds; 0 when
// nothing tells.
func (m *Message) made() int64 {
	if m.Timestamp != 0 {
		return min(m.Timestamp, m.Time)
	}
	// Ours for a message that came without an id, and many clients', tell when they were made.
	if id, err := uuid.Parse(m.MessageID); err == nil && id.Version() == 7 {
		seconds, nanos := id.Time().UnixTime()
		return seconds*1000 + nanos/1_000_000
	}
	return 0
}

// find returns when the stored ones of some messages of one event were received, in unix microseconds.
func (w *inserter) find(ctx context.Context, of nameOf, keys []eventKey) (map[eventKey]int64, error) {
	from, to := keys[0].ts, keys[0].ts
	var places strings.Builder
	for i, k := range keys {
		from, to = min(from, k.ts), max(to, k.ts)
		if i > 0 {
			places.WriteByte(',')
		}
		fmt.Fprintf(&places, "(%d,%d)", k.actor, k.message)
	}
	rows, err := w.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": strconv.FormatUint(uint64(of.project), 10), "event": hex.EncodeToString([]byte(of.event)),
		"from": strconv.FormatInt(from, 10), "to": strconv.FormatInt(to, 10), "places": "[" + places.String() + "]",
	}), `
		SELECT actor, toUnixTimestamp64Milli(ts), message, toUnixTimestamp64Micro(received)
		FROM events
		WHERE project = {project:UInt32} AND event = unhex({event:String})
			AND ts BETWEEN fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND fromUnixTimestamp64Milli({to:Int64}, 'UTC')
			AND (actor, message) IN {places:Array(Tuple(UInt64, UInt64))}`)
	if err != nil {
		return nil, fmt.Errorf("look for repeats: %w", err)
	}
	defer rows.Close()
	found := map[eventKey]int64{}
	for rows.Next() {
		var k eventKey
		var actor uint64
		var received int64
		if err := rows.Scan(&actor, &k.ts, &k.message, &received); err != nil {
			return nil, fmt.Errorf("look for repeats: %w", err)
		}
		k.actor = muster.Actor(actor)
		if earlier, ok := found[k]; !ok || received < earlier {
			found[k] = received
		}
	}
	return found, rows.Err()
}
