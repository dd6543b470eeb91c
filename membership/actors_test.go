package membership

import (
	"math"
	"testing"

	"muster"
)

// Actors come in their own order, as an index has them. Each must still be found near where it is looked for: a table that
// keeps the order is full at one end whenever it grows, and looking there takes as long as it has actors.
func TestActorsInOrderAreNotFarAway(t *testing.T) {
	const n, far = 200_000, 200
	var table actors
	looked := 0
	for i := range uint64(n) {
		actor := muster.Actor((i + 1) * (math.MaxUint64 / (n + 1)))
		table.put(actor, uint32(i+1))
		run := 0
		for at := table.place(actor); table.keys[at] != 0 && run <= far; at = (at + len(table.keys) - 1) % len(table.keys) {
			run++
		}
		looked = max(looked, run)
	}
	if looked > far {
		t.Errorf("more than %d places in a row were taken", far)
	}
	for i := range uint64(n) {
		if got := table.get(muster.Actor((i + 1) * (math.MaxUint64 / (n + 1)))); got != uint32(i+1) {
			t.Fatalf("actor %d is user %d", i+1, got)
		}
	}
}
