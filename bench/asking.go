package bench

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// askTurns is how often each side is asked.
const askTurns = 11

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
