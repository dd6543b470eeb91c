package e2e

import (
	"bytes"
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

const (
	crashRounds = 10
	crashBatch  = 20
)

// TestKilledService kills the service ten times while a client sends and resends: afterwards every message is there once.
func TestKilledService(t *testing.T) {
	dir, listen := t.TempDir(), freeAddress(t)
	s := startService(t, dir, listen)
	c := newRetryingClient(s)
	go c.run()
	for range crashRounds {
		time.Sleep(time.Duration(50+rand.IntN(400)) * time.Millisecond) // the point of the crash is left to chance
		s.kill(t)
		s = startService(t, dir, listen)
	}
	exactlyOnce(t, s, c.stop())
}

// TestKilledEngine does the same to ClickHouse, which the service starts again.
func TestKilledEngine(t *testing.T) {
	s := startService(t, t.TempDir(), freeAddress(t))
	c := newRetryingClient(s)
	go c.run()
	killed := 0
	for range crashRounds {
		time.Sleep(time.Duration(50+rand.IntN(400)) * time.Millisecond) // the point of the crash is left to chance
		pid := enginePid(t, s)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		killed++
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

// exactlyOnce checks that n users did their one thing once.
func exactlyOnce(t *testing.T, s *service, n int) {
	t.Helper()
	s.flush(t)
	t.Logf("%d messages acknowledged", n)
	for op, want := range map[string]int{"gte": n, "eq": n} {
		var preview struct{ Count, Of int }
		s.call(t, http.MethodPost, "/api/v1/segments/preview", map[string]any{"definition": map[string]any{
			"event": "tick", "count": map[string]any{"op": op, "value": 1},
		}}, http.StatusOK, &preview)
		if preview.Count != want || preview.Of != n {
			t.Errorf("%d of %d users did it %s 1 times, want %d of %d", preview.Count, preview.Of, op, want, n)
		}
	}
}

// retryingClient sends batches one after the other, each until it is acknowledged.
type retryingClient struct {
	url, key string
	ending   atomic.Bool
	ended    sync.WaitGroup
	sent     int
}

func newRetryingClient(s *service) *retryingClient {
	c := &retryingClient{url: s.url, key: s.keys.WriteKey}
	c.ended.Add(1)
	return c
}

func (c *retryingClient) run() {
	defer c.ended.Done()
	start := time.Now().UTC().Format(time.RFC3339Nano)
	client := &http.Client{Timeout: 5 * time.Second}
	for !c.ending.Load() {
		var b bytes.Buffer
		b.WriteString(`{"batch":[`)
		for i := range crashBatch {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"type":"track","event":"tick","userId":"u%d","messageId":"m%d","timestamp":%q}`, c.sent+i, c.sent+i, start)
		}
		b.WriteString(`]}`)
		for !c.post(client, b.Bytes()) {
			time.Sleep(5 * time.Millisecond)
		}
		c.sent += crashBatch
	}
}

func (c *retryingClient) post(client *http.Client, body []byte) bool {
	request, err := http.NewRequest(http.MethodPost, c.url+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return false
	}
	request.SetBasicAuth(c.key, "")
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// stop ends the client after its last batch was acknowledged, and returns how many messages were.
func (c *retryingClient) stop() int {
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
