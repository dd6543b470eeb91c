// Package e2e drives a built muster as its users do: as a process, with a public client, and with another program reading
// what it exports.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// service is a running muster.
type service struct {
	cmd  *exec.Cmd
	log  *bytes.Buffer
	url  string
	keys struct {
		WriteKey  string `json:"write_key"`
		SecretKey string `json:"secret_key"`
	}
}

// startService starts ../bin/muster on a data directory and a port, and waits until it is ready.
func startService(t *testing.T, dir, listen string) *service {
	t.Helper()
	binary, err := filepath.Abs("../bin/muster")
	if err != nil {
		t.Fatal(err)
	}
	s := &service{log: &bytes.Buffer{}, url: "http://" + listen}
	s.cmd = exec.Command(binary, "serve", "--data-dir", dir, "--listen", listen)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start muster (run `make build` first): %v", err)
	}
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			s.kill(t)
		}
		if t.Failed() {
			t.Logf("muster said:\n%s", s.log)
		}
	})
	await(t, "muster to be ready", func() bool {
		response, err := http.Get(s.url + "/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	text, err := os.ReadFile(filepath.Join(dir, "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &s.keys); err != nil {
		t.Fatal(err)
	}
	return s
}

// stop asks the service to end and waits for it.
func (s *service) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Fatalf("muster did not end well: %v", err)
	}
}

// kill ends the service as a power cut would.
func (s *service) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait() // it says that it was killed
}

// call sends a JSON request with the secret key and decodes the answer, which must have the status.
func (s *service) call(t *testing.T, method, path string, body any, status int, answer any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.keys.SecretKey)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, response.StatusCode, status, got)
	}
	if answer == nil {
		return
	}
	if raw, ok := answer.(*[]byte); ok {
		*raw = got
		return
	}
	if err := json.Unmarshal(got, answer); err != nil {
		t.Fatalf("%s %s: %v: %s", method, path, err, got)
	}
}

// flush waits until everything acknowledged is queryable.
func (s *service) flush(t *testing.T) {
	t.Helper()
	s.call(t, http.MethodPost, "/api/v1/flush", nil, http.StatusNoContent, nil)
}

// freeAddress returns an address of loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// await waits until something is so, for at most a minute.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !is() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited a minute for %s", what)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func must[T any](t *testing.T, what string) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(fmt.Errorf("%s: %w", what, err))
		}
		return v
	}
}

// runToFailure runs muster, which must fail, and returns what it said.
func runToFailure(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "../bin/muster", args...).CombinedOutput()
	if err == nil {
		t.Fatalf("muster %v succeeds: %s", args, out)
	}
	return string(out)
}
