//go:build soak

package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var (
	soakFor  = flag.Duration("soak", 3*time.Minute, "how long the load goes on")
	soakRate = flag.Int("soak-rate", 3000, "messages a second")
)

const (
	soakBatch   = 50
	soakClients = 8
	soakUsers   = 5000
	soakMemory  = 256 << 20       // bytes the service may have
	soakLag     = 5 * time.Second // once ClickHouse is back and has caught up
)

// moment is what was seen of a service at one time.
type moment struct {
	at     time.Duration
	memory int64 // resident, in bytes
	lag    time.Duration
	spool  int64
}

// TestSoak keeps a steady load up, and stops ClickHouse for a sixth of the time in the middle.
func TestSoak(t *testing.T) {
	s := startService(t, t.TempDir(), freeAddress(t))
	start := time.Now()
	load := startSoak(s)
	stopped, resumed := *soakFor*2/5, *soakFor*2/5+*soakFor/6
	pid, state := enginePid(t, s), "running"
	defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
	var seen []moment
	for next := start; time.Since(start) < *soakFor; time.Sleep(time.Until(next)) {
		next = next.Add(time.Second)
		m := s.look(t, time.Since(start))
		seen = append(seen, m)
		if len(seen)%10 == 0 {
			t.Logf("%4.0f s: %3d MB, lag %5.1f s, spool %4d MB, %d acknowledged, ClickHouse %s", m.at.Seconds(), m.memory>>20,
				m.lag.Seconds(), m.spool>>20, load.acknowledged.Load(), state)
		}
		switch {
		case state == "running" && m.at > stopped && m.at < resumed:
			state = "stopped"
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
		case state == "stopped" && m.at > resumed:
			state = "running again"
			if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
		}
	}
	sent := load.stop()
	s.flush(t)

	quarter := len(seen) / 4
	early, late := memories(seen[quarter:2*quarter]), memories(seen[3*quarter:])
	if most := memories(seen); most[len(most)-1] > soakMemory {
		t.Errorf("the service had up to %d MB", most[len(most)-1]>>20)
	}
	if before, after := early[len(early)/2], late[len(late)/2]; after > before*5/4+16<<20 {
		t.Errorf("memory grew from %d MB in the second quarter to %d MB in the last", before>>20, after>>20)
	}
	outage := slices.MaxFunc(seen, func(a, b moment) int { return int(a.lag - b.lag) })
	if outage.lag < *soakFor/12 {
		t.Errorf("ClickHouse was not stopped: the lag was never more than %s", outage.lag)
	}
	for _, m := range seen[len(seen)-quarter/2:] {
		if m.lag > soakLag {
			t.Errorf("%s in, the lag is still %s", m.at, m.lag)
		}
	}
	var events struct {
		Events []struct {
			Event        string
			Count, Users int
		}
	}
	s.call(t, http.MethodGet, "/api/v1/events", nil, http.StatusOK, &events)
	if len(events.Events) != 1 || events.Events[0].Count != sent || events.Events[0].Users != min(sent, soakUsers) {
		t.Errorf("of %d messages acknowledged there are %+v", sent, events.Events)
	}
	rate := float64(sent) / soakFor.Seconds()
	if rate < float64(*soakRate)*0.95 {
		t.Errorf("the load was %.0f messages a second", rate)
	}
	t.Logf("%d messages, %.0f a second; %d requests were told to come again; memory %d MB, at most %d; the lag was up to %s", sent, rate,
		load.again.Load(), late[len(late)/2]>>20, memories(seen)[len(seen)-1]>>20, outage.lag.Round(100*time.Millisecond))
}

func memories(seen []moment) []int64 {
	all := make([]int64, 0, len(seen))
	for _, m := range seen {
		all = append(all, m.memory)
	}
	slices.Sort(all)
	return all
}

// look reads what the service says of itself, and what the system says of it.
func (s *service) look(t *testing.T, at time.Duration) moment {
	t.Helper()
	m := moment{at: at}
	response, err := http.Get(s.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	read := func(text, name string) float64 {
		_, rest, ok := strings.Cut(text, "\n"+name)
		value, err := strconv.ParseFloat(strings.Fields(rest + " ")[0], 64)
		if !ok || err != nil {
			t.Fatalf("no %s: %v", name, err)
		}
		return value
	}
	m.lag = time.Duration(read(text.String(), "muster_spool_oldest_seconds ") * float64(time.Second))
	m.spool = int64(read(text.String(), "muster_spool_bytes "))
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m.memory = int64(read(string(status), "VmRSS:")) << 10
	return m
}

// soak is a steady load. Its clients send when it is time, whether or not the answers came in time.
type soak struct {
	url, key            string
	ending              atomic.Bool
	ended               sync.WaitGroup
	acknowledged, again atomic.Int64
}

func startSoak(s *service) *soak {
	l := &soak{url: s.url, key: s.keys.WriteKey}
	for client := range soakClients {
		l.ended.Go(func() { l.run(client) })
	}
	return l
}

func (l *soak) run(client int) {
	every := time.Duration(float64(time.Second) * soakBatch * soakClients / float64(*soakRate))
	http := &http.Client{Timeout: 10 * time.Second}
	next := time.Now()
	for n := client * soakBatch; !l.ending.Load(); n += soakClients * soakBatch {
		next = next.Add(every)
		time.Sleep(time.Until(next))
		var b bytes.Buffer
		for i := n; i < n+soakBatch; i++ {
			fmt.Fprintf(&b, `,{"type":"track","event":"tick","userId":"u%d","messageId":"m%d","timestamp":%q,"properties":{"n":%d,"path":"/a/b","nested":{"ok":true}}}`,
				i%soakUsers, i, time.Now().UTC().Format(time.RFC3339Nano), i)
		}
		for !postBatch(http, l.url, l.key, b.String()[1:]) {
			l.again.Add(1)
			time.Sleep(50 * time.Millisecond)
		}
		l.acknowledged.Add(soakBatch)
	}
}

func (l *soak) stop() int {
	l.ending.Store(true)
	l.ended.Wait()
	return int(l.acknowledged.Load())
}
