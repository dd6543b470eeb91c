package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"muster"
	"muster/membership"
	"muster/projects"
)

const (
	checkedUsers    = 2_000_000
	checkedSegments = 500
	checks          = 1_000_000
	checkBar        = 20 * time.Microsecond
	askBar          = 2 * time.Millisecond // of the 99th percentile
	bareAskBar      = 2
)

// checkedUser names a user. The names are not kept: the service has no list of them to look through.
func checkedUser(n int) string { return fmt.Sprintf("user-%d", n) }

// Memberships measures a membership check in process, and asking over HTTP for all segments of a user at a steady rate while the
// service has one core. Both are measured against what they may take.
func Memberships(ctx context.Context, p *membership.Project, handler http.Handler, secretKey string) ([]Figure, error) {
	random := rand.New(rand.NewPCG(1, 1))
	for n := range checkedUsers {
		p.Place(muster.NewActor(projects.DefaultID, muster.Identified, checkedUser(n)), uint32(n+1), true)
	}
	names := make([]string, checkedSegments)
	for i := range names {
		members := roaring.New()
		for range checkedUsers * i / checkedSegments / 4 { // up to a quarter of all users
			members.Add(1 + random.Uint32N(checkedUsers))
		}
		names[i] = fmt.Sprintf("segment-%03d", i)
		p.Put(membership.Segment{ID: names[i], Name: names[i]}, members)
	}
	p.Settle(time.Now())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))

	start := time.Now()
	for range checks {
		p.Has(names[random.IntN(checkedSegments)], muster.NewActor(projects.DefaultID, muster.Identified, checkedUser(random.IntN(checkedUsers))))
	}
	check := Figure{
		Name:   fmt.Sprintf("membership: a thousand checks among %d segments of %d users, against 20 ms", checkedSegments, checkedUsers),
		Muster: time.Since(start) / (checks / 1000), Bare: 1000 * checkBar, Bar: 1,
	}
	slowest, bare, err := slowestAnswers(ctx, handler, secretKey)
	if err != nil {
		return nil, err
	}
	return []Figure{check, {
		Name:   fmt.Sprintf("membership: 99th percentile over HTTP at %d requests a second on one core, against 2 ms", askedPerSecond),
		Muster: slowest, Bare: askBar, Bar: 1,
	}, {
		Name:   "membership: that percentile, against a handler that does nothing but write as many bytes",
		Muster: slowest, Bare: bare, Bar: bareAskBar,
	}}, nil
}
