package ingest

import (
	"sync/atomic"
	"time"
)

// The range an event's time must be in: from the year 2000 on, and at most a day ahead of its receipt. What the client
// itself says is in the tables' keys and partitions, so it is bounded too, even where its clock is corrected.
const maxAhead = 24 * time.Hour

var (
	earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	latest   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
)

// parseTimestamp reads an ISO 8601 date-time with its offset ("Z", "+02:00" or "+0200"), cut to milliseconds since the
// epoch. Without an offset nobody can know what instant is meant, so such a text is none.
func parseTimestamp(text string) (int64, bool) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		if t, err = time.Parse("2006-01-02T15:04:05Z0700", text); err != nil {
			return 0, false
		}
	}
	return t.UnixMilli(), true
}

// onTheWay is how much later than it was sent a message may be received by a good clock. A smaller difference is the way
// and not the clock, and corrects nothing: it is another at every retry, and would change the order of what one client
// said.
const onTheWay = time.Minute

// request is what all messages of one request share.
type request struct {
	received time.Time
	sentAt   int64 // the client's clock when it sent them, in unix milliseconds
	hasSent  bool

	signed bool   // the project demands signatures
	secret string // they are made with

	messageID string // for a message that has none; empty for a new one
}

// stamp sets the message's times from the client's timestamp, if it gave one. Where the client also said when it sent,
// and that is a minute or more from our receipt, the difference corrects its clock.
func (r request) stamp(m *Message, timestamp int64, has bool) *Rejection {
	received := r.received.UnixMilli()
	if !has {
		m.Timestamp, m.Time = 0, received
		return nil
	}
	m.Timestamp, m.Time = timestamp, timestamp
	if skew := received - r.sentAt; r.hasSent && (skew >= onTheWay.Milliseconds() || skew <= -onTheWay.Milliseconds()) {
		m.Time += skew
	}
	if m.Timestamp < earliest || m.Timestamp >= latest || m.Time < earliest || m.Time > received+maxAhead.Milliseconds() {
		return reject(RejectTimestampRange, "/timestamp",
			"the event is of %s; it must be after 1999 and at most a day ahead of now", time.UnixMilli(m.Time).UTC().Format(time.RFC3339))
	}
	return nil
}

// clock gives out times of receipt in unix microseconds, each later than the one before.
type clock struct{ last atomic.Int64 }

func (c *clock) next(now time.Time) int64 {
	for {
		last := c.last.Load()
		next := max(now.UnixMicro(), last+1)
		if c.last.CompareAndSwap(last, next) {
			return next
		}
	}
}
