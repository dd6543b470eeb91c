package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync"
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
	askedPerSecond  = 2000
	askedFor        = 5 * time.Second
	askers          = 16
	askBar          = 2 * time.Millisecond // of the 99th percentile
)

// Memberships measures a membership check in process, and asking over HTTP for all segments of a user at a steady rate while
// one core does everything, the asking too. Both are measured against what they may take.
func Memberships(ctx context.Context, p *membership.Project, handler http.Handler, secretKey string) ([]Figure, error) {
	random := rand.New(rand.NewPCG(1, 1))
	user := func(n int) string { return fmt.Sprintf("user-%d", n) } // not kept: the service has no list of names to look through
	for n := range checkedUsers {
		p.Place(muster.NewActor(projects.DefaultID, muster.Identified, user(n)), uint32(n+1), true)
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
		p.Has(names[random.IntN(checkedSegments)], muster.NewActor(projects.DefaultID, muster.Identified, user(random.IntN(checkedUsers))))
	}
	check := Figure{
		Name:   fmt.Sprintf("membership: a thousand checks among %d segments of %d users, against 20 ms", checkedSegments, checkedUsers),
		Muster: time.Since(start) / (checks / 1000), Bare: 1000 * checkBar, Bar: 1,
	}
	slowest, err := askSteadily(ctx, handler, secretKey, func() string { return user(random.IntN(checkedUsers)) })
	if err != nil {
		return nil, err
	}
	return []Figure{check, {
		Name:   fmt.Sprintf("membership: 99th percentile over HTTP at %d requests a second on one core, against 2 ms", askedPerSecond),
		Muster: slowest, Bare: askBar, Bar: 1,
	}}, nil
}

// askSteadily asks at a steady rate and returns the 99th percentile of how long an answer took since the request was due: one
// that waits behind a slow one counts too.
func askSteadily(ctx context.Context, handler http.Handler, key string, user func() string) (time.Duration, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }() // it ends with Close
	defer func() { _ = server.Close() }()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: askers}}
	defer client.CloseIdleConnections()
	total := int(askedFor.Seconds() * askedPerSecond)
	addresses := make([]string, total)
	for i := range addresses {
		addresses[i] = fmt.Sprintf("http://%s/v1/me/segments?writeKey=%s&user_id=%s", listener.Addr(), key, user())
	}
	took := make([]time.Duration, total)
	failures := make([]error, askers)
	start := time.Now().Add(100 * time.Millisecond)
	var group sync.WaitGroup
	for asker := range askers {
		group.Go(func() {
			for i := asker; i < total && failures[asker] == nil; i += askers {
				due := start.Add(time.Duration(i) * time.Second / askedPerSecond)
				time.Sleep(time.Until(due))
				failures[asker] = askOnce(ctx, client, addresses[i])
				took[i] = time.Since(due)
			}
		})
	}
	group.Wait()
	for _, err := range failures {
		if err != nil {
			return 0, err
		}
	}
	slices.Sort(took)
	return took[total*99/100], nil
}

func askOnce(ctx context.Context, client *http.Client, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("asking for a user's segments answers %s", response.Status)
	}
	return nil
}
