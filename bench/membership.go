package bench

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
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
	askTurns        = 11
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

// slowestAnswers returns the 99th percentile of how long answers take, and that of a handler that writes the answer of one user to
// all. The two take turns, and of each the median of its quiet turns is returned.
func slowestAnswers(ctx context.Context, handler http.Handler, key string) (slowest, bare time.Duration, err error) {
	one := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/me/segments?user_id="+checkedUser(0), http.NoBody)
	request.SetBasicAuth(key, "")
	handler.ServeHTTP(one, request)
	answer := one.Body.Bytes()
	writer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer) // the asker tells of one that did not arrive
	})
	var ours, bares []askTurn
	for range askTurns {
		for _, side := range []struct {
			handler http.Handler
			turns   *[]askTurn
		}{{handler, &ours}, {writer, &bares}} {
			before := stolen()
			took, err := askedSteadily(ctx, side.handler, key)
			if err != nil {
				return 0, 0, err
			}
			*side.turns = append(*side.turns, askTurn{took, stolen() - before})
		}
	}
	return quiet(ours), quiet(bares), nil
}

// askTurn is one turn of asking.
type askTurn struct {
	slowest time.Duration
	stolen  time.Duration
}

// quiet returns the median of the half of the turns in which the least was stolen: a percentile of a machine that stands still for
// milliseconds is how long it stands still.
func quiet(turns []askTurn) time.Duration {
	slices.SortFunc(turns, func(a, b askTurn) int { return cmp.Compare(a.stolen, b.stolen) })
	var all []time.Duration
	for _, t := range turns[:(len(turns)+1)/2] {
		all = append(all, t.slowest)
	}
	return median(all)
}

// stolen returns for how long, in all, a hypervisor has given the cores of this machine to others while there was work for them; zero
// where the system does not tell.
func stolen() time.Duration {
	const column, tick = 8, 10 * time.Millisecond // of the line of all cores, in Linux
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(first)
	if len(fields) <= column {
		return 0
	}
	ticks, err := strconv.Atoi(fields[column])
	if err != nil {
		return 0
	}
	return time.Duration(ticks) * tick
}

// askedSteadily serves, has another process ask at a steady rate, and returns the 99th percentile of how long an answer took.
func askedSteadily(ctx context.Context, handler http.Handler, key string) (time.Duration, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }() // it ends with Close
	defer func() { _ = server.Close() }()
	exe, err := os.Executable()
	if err != nil {
		return 0, err
	}
	asker := exec.CommandContext(ctx, exe, AskerCommand, "http://"+listener.Addr().String(), key)
	asker.Stderr = os.Stderr
	answer, err := asker.Output()
	if err != nil {
		return 0, fmt.Errorf("ask from another process: %w", err)
	}
	return time.ParseDuration(strings.TrimSpace(string(answer)))
}
