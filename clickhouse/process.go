package clickhouse

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// errPortTaken means that somebody took the port between its choice and the child's listening.
var errPortTaken = errors.New("the port was taken meanwhile")

// errInUse means that another server has the directory.
var errInUse = errors.New("in use by another process")

// maxLog is how large the engine's log may be when a new child starts; a larger one is begun anew.
const maxLog = 4 << 20

// process is one child.
type process struct {
	cmd     *exec.Cmd
	stdin   io.Closer // its closing tells the child that its parent is gone
	logPath string
	logFrom int64 // where this child's part of the log begins
	exited  chan struct{}
}

// startProcess starts the hidden sub-command of this binary. The thread that starts it must live as long as the parent,
// because the child asks to be ended with it; so it is a thread of its own that never returns before the child.
func startProcess(library, logPath string, args []string) (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	if info, err := os.Stat(logPath); err == nil && info.Size() > maxLog {
		if err := os.Rename(logPath, logPath+".1"); err != nil {
			return nil, fmt.Errorf("rotate the engine's log: %w", err)
		}
	}
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the engine's log: %w", err)
	}
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("open the engine's log: %w", err)
	}
	p := &process{
		cmd: exec.Command(exe, append([]string{ChildCommand, library}, args...)...), logPath: logPath, logFrom: from,
		exited: make(chan struct{}),
	}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	p.stdin = stdin
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer log.Close()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // the log says how it ended
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// end asks the child to end and kills it after a while.
func (p *process) end(patience time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.kill()
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// failure says why a child ended, in its own last words, and what to do about the causes that are known.
func (p *process) failure(dir string) error {
	words := p.lastWords()
	switch {
	case strings.Contains(words, "Another server instance in same directory is already running"),
		strings.Contains(words, "CANNOT_OPEN_FILE") && strings.Contains(words, "Cannot lock file"):
		return fmt.Errorf("the ClickHouse data in %s is %w: stop that one, or choose another --data-dir", dir, errInUse)
	case strings.Contains(words, "Address already in use"):
		return fmt.Errorf("ClickHouse cannot listen: %w: %s", errPortTaken, words)
	case words == "":
		return fmt.Errorf("ClickHouse ended without a word (%s)", p.cmd.ProcessState)
	}
	return fmt.Errorf("ClickHouse ended (%s): %s (all of it is in %s)", p.cmd.ProcessState, words, p.logPath)
}

// lastWords returns the end of what this child wrote to the log; of a crash what it died of, without the traces.
func (p *process) lastWords() string {
	const most = 2000
	f, err := os.Open(p.logPath)
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, p.logFrom, maxLog))
	if err != nil {
		return ""
	}
	if words := crash(string(text)); words != "" {
		return words
	}
	text = text[max(0, len(text)-most):]
	return strings.TrimSpace(string(text))
}

// crash returns how ClickHouse says in its log that it died: the exception that nothing caught, if it was one, or the
// signal, with the version and the query. It is empty where nothing of the kind was said.
func crash(log string) string {
	const lines = 3 // more repeat the same
	var words []string
	for line := range strings.Lines(log) {
		_, text, fatal := strings.Cut(line, "<Fatal> ")
		if !fatal || len(words) == lines {
			continue
		}
		_, text, _ = strings.Cut(text, ": ") // the name of the logger
		text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), ", Stack trace (when copying this message, always include the lines below):"))
		if text != "" && !strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "Stack trace") && !frame.MatchString(text) {
			words = append(words, text)
		}
	}
	return strings.Join(words, " ")
}

// frame is a line of a stack trace.
var frame = regexp.MustCompile(`^\d+\. .* @ 0x`)
