package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// How often is little where every commit is tested, and much in make crash. The engine waits longer and longer before it
// is started again, up to ten seconds.
var (
	serviceCrashes = flag.Int("service-crashes", 10, "how often the service is killed")
	engineCrashes  = flag.Int("engine-crashes", 5, "how often its engine is killed")
)

const (
	crashBatch   = 20
	crashUsers   = 20
	crashClients = 4
)

// TestKilledService kills the service again and again while clients send and resend: afterwards every message is there
// once.
func TestKilledService(t *testing.T) {
	dir, listen := t.TempDir(), freeAddress(t)
	s := startService(t, dir, listen)
	c := startClients(s)
	for range *serviceCrashes {
		time.Sleep(time.Duration(50+rand.IntN(400)) * time.Millisecond) // the point of the crash is left to chance
		s.kill(t)
		s = startService(t, dir, listen)
	}
	exactlyOnce(t, s, c.stop())
}

// TestKilledEngine does the same to ClickHouse, which the service starts again.
func TestKilledEngine(t *testing.T) {
	s := startService(t, t.TempDir(), freeAddress(t))
	c := startClients(s)
	for range *engineCrashes {
		time.Sleep(time.Duration(50+rand.IntN(400)) * time.Millisecond) // the point of the crash is left to chance
		pid := enginePid(t, s)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		await(t, "a new engine", func() bool {
			response, err := http.Get(s.url + "/readyz")
			if err != nil {
				return false
			}
			defer response.Body.Close()
			return response.StatusCode == http.StatusOK && enginePid(t, s) != pid
		})
	}
	exactlyOnce(t, s, c.stop())
}

// TestEngineEndsWithService kills the service and waits for its engine to be gone.
func TestEngineEndsWithService(t *testing.T) {
	s := startService(t, t.TempDir(), freeAddress(t))
	pid := enginePid(t, s)
	s.kill(t)
	await(t, "the engine to end", func() bool { return syscall.Kill(pid, 0) != nil || isZombie(pid) })
}

// TestSecondProcess starts a second service on a data directory in use: it must refuse, and say why.
func TestSecondProcess(t *testing.T) {
	dir := t.TempDir()
	startService(t, dir, freeAddress(t))
	out := runToFailure(t, "serve", "--data-dir", dir, "--listen", freeAddress(t))
	if !strings.Contains(out, "in use") || !strings.Contains(out, dir) {
		t.Errorf("the second process says %q, want that the data directory %s is in use", out, dir)
	}
}

// exactlyOnce checks each user's number of messages, the sum of their amounts, and the attribute said last.
func exactlyOnce(t *testing.T, s *service, sent []tally) {
	t.Helper()
	start := time.Now()
	for !s.caughtUp(t) { // what waited while ClickHouse was dead may take longer than one request may
		if time.Since(start) > 10*time.Minute {
			t.Fatal("the service does not catch up")
		}
	}
	all := 0
	for i, want := range sent {
		all += want.count
		user := map[string]any{"attribute": "user_id", "op": "equals", "value": fmt.Sprintf("u%d", i)}
		for what, leaf := range map[string]any{
			"number": map[string]any{"event": "tick", "count": map[string]any{"op": "eq", "value": want.count}},
			"sum": map[string]any{
				"event": "tick", "aggregate": map[string]any{"fn": "sum", "property": "amount"}, "op": "eq", "value": want.sum,
			},
			"attribute": map[string]any{"attribute": "last", "op": "equals", "value": want.last},
		} {
			var preview struct{ Count, Of int }
			s.call(t, http.MethodPost, "/api/v1/segments/preview", map[string]any{"definition": map[string]any{"all": []any{user, leaf}}}, http.StatusOK, &preview)
			if preview.Count != 1 || preview.Of != len(sent) {
				t.Errorf("of user %d the %s is not that of %+v (%d of %d users)", i, what, want, preview.Count, preview.Of)
			}
		}
	}
	t.Logf("%d messages acknowledged", all)
}

// caughtUp waits until everything acknowledged is queryable, as long as one request may take.
func (s *service) caughtUp(t *testing.T) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/v1/flush", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.keys.SecretKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent && response.StatusCode != http.StatusGatewayTimeout {
		t.Fatalf("flush: %s", response.Status)
	}
	return response.StatusCode == http.StatusNoContent
}

// tally is what was acknowledged of one user's messages.
type tally struct{ count, sum, last int }

// retryingClients send batches one after the other, each until it is acknowledged, with a new sentAt at every try.
type retryingClients struct {
	url, key string
	ending   atomic.Bool
	ended    sync.WaitGroup
	sent     []tally // by user; a client has its own users
}

func startClients(s *service) *retryingClients {
	c := &retryingClients{url: s.url, key: s.keys.WriteKey, sent: make([]tally, crashUsers)}
	for client := range crashClients {
		c.ended.Go(func() { c.run(client) })
	}
	return c
}

// run sends a client's batches: ticks, and now and then the same message twice, and an attribute that says the newest.
func (c *retryingClients) run(client int) {
	http := &http.Client{Timeout: 5 * time.Second}
	for n := 0; !c.ending.Load(); n += crashBatch {
		var b bytes.Buffer
		sep := ""
		for i := n; i < n+crashBatch; i++ {
			user := client + crashClients*(i%(crashUsers/crashClients))
			at := time.Now().UTC().Format(time.RFC3339Nano)
			tick := fmt.Sprintf(`{"type":"track","event":"tick","userId":"u%d","messageId":"%d-%d","timestamp":%q,"properties":{"amount":%d}}`, user, client, i, at, i)
			fmt.Fprintf(&b, `%s%s,{"type":"identify","userId":"u%d","messageId":"%d-%d-last","timestamp":%q,"traits":{"last":%d}}`, sep, tick, user, client, i, at, i)
			if sep = ","; i%7 == 0 {
				b.WriteString(sep + tick)
			}
			t := &c.sent[user]
			t.count, t.sum, t.last = t.count+1, t.sum+i, i
			time.Sleep(time.Millisecond) // so that no two are of one time
		}
		for !postBatch(http, c.url, c.key, b.String()) {
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// postBatch sends messages, and tells whether they were acknowledged.
func postBatch(client *http.Client, url, key, messages string) bool {
	body := fmt.Sprintf(`{"sentAt":%q,"batch":[%s]}`, time.Now().UTC().Format(time.RFC3339Nano), messages)
	request, err := http.NewRequest(http.MethodPost, url+"/v1/batch", strings.NewReader(body))
	if err != nil {
		return false
	}
	request.SetBasicAuth(key, "")
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// stop ends the clients after their last batches were acknowledged, and returns what was.
func (c *retryingClients) stop() []tally {
	c.ending.Store(true)
	c.ended.Wait()
	return c.sent
}

// enginePid finds the engine among the service's children; 0 while there is none.
func enginePid(t *testing.T, s *service) int {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range tasks {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // the thread ended meanwhile
		}
		for _, field := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil && !isZombie(pid) {
				return pid
			}
		}
	}
	return 0
}

func isZombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(text), ") Z ")
}
