package segments

import (
	"maps"
	"sync"
	"time"

	"muster"
	"muster/queries"
)

// toldFor is how long users who had to be told apart are told apart without being looked for anew: long enough that finding
// them costs little, which is counting twice.
const toldFor = time.Hour

// asked is what an evaluation asks of. At another time than now others have to be told apart.
type asked struct {
	project muster.ProjectID
	then    bool // as of, or as known at, a given time
}

// apart remembers which sets of users had to be told apart.
type apart struct {
	mu    sync.Mutex
	found map[askedSet]time.Time
}

// asks returns what an evaluation for a time asks of.
func (at At) asks(project muster.ProjectID) asked { return asked{project, at != At{}} }

type askedSet struct {
	asked
	set queries.Apart
}

// told returns which sets are told apart without being looked for.
func (a *apart) told(of asked) func(queries.Apart) bool {
	return func(set queries.Apart) bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		at, ok := a.found[askedSet{of, set}]
		return ok && time.Since(at) < toldFor
	}
}

func (a *apart) add(of asked, sets []queries.Apart) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.found == nil {
		a.found = map[askedSet]time.Time{}
	}
	maps.DeleteFunc(a.found, func(_ askedSet, at time.Time) bool { return time.Since(at) >= toldFor })
	for _, set := range sets {
		a.found[askedSet{of, set}] = time.Now()
	}
}
