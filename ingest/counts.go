package ingest

import (
	"maps"
	"sync"
	"sync/atomic"

	"muster"
)

// doorCounts count what a door did since the start.
type doorCounts struct {
	accepted, unkept atomic.Uint64

	mu       sync.Mutex
	rejected map[RejectCode]uint64
	refused  map[muster.Code]uint64
}

func (c *doorCounts) reject(code RejectCode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rejected == nil {
		c.rejected = map[RejectCode]uint64{}
	}
	c.rejected[code]++
}

func (c *doorCounts) refuse(code muster.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = map[muster.Code]uint64{}
	}
	c.refused[code]++
}

// DoorStats are counts since the start.
type DoorStats struct {
	Accepted uint64                 // messages acknowledged
	Rejected map[RejectCode]uint64  // messages not accepted, by why
	Unkept   uint64                 // of them, those not kept: the day's budget was spent, or the disk did not take them
	Refused  map[muster.Code]uint64 // requests answered with an error, by its code
}

// Stats returns the counts so far.
func (d *Door) Stats() DoorStats {
	c := &d.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	return DoorStats{
		Accepted: c.accepted.Load(), Rejected: maps.Clone(c.rejected), Unkept: c.unkept.Load(), Refused: maps.Clone(c.refused),
	}
}
