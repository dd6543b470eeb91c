package clickhouse

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
)

const (
	startTimeout = 60 * time.Second // a server with many parts loads them first
	stopTimeout  = 10 * time.Second
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = 10 * time.Second
	healthyAfter = 30 * time.Second // a run this long forgets earlier failures
	portAttempts = 5
	// inheritance is how long a start waits for the directory: the engine of a service that was killed may take a while to
	// end on a busy machine, and it must not keep the next service from starting.
	inheritance = 10 * time.Second
)

// EngineConfig says where an embedded ClickHouse lives.
type EngineConfig struct {
	Dir     string // its data, configuration and log; made when missing
	Library string // libchdb.so; empty to look for it, see [FindLibrary]
	Log     *slog.Logger
}

// Engine is an embedded ClickHouse: a child process of this binary that is started again whenever it dies, with the same
// address and password, so that open pools find it again.
type Engine struct {
	cfg      EngineConfig
	library  string
	config   string
	password string
	port     int

	restarts atomic.Uint64
	mu       sync.Mutex
	process  *process // the running child, if any
	stop     context.CancelFunc
	done     chan struct{}
}

// StartEngine starts the engine and returns when it answers. The errors of a first start say what to do: the library is
// missing, another process uses the directory, no port can be had.
func StartEngine(ctx context.Context, cfg EngineConfig) (*Engine, error) {
	if cfg.Dir == "" || cfg.Log == nil {
		return nil, errors.New("the engine needs a directory and a logger")
	}
	if len(os.Args) > 1 && os.Args[1] == ChildCommand {
		// The child would start a child, and so on until the machine has no more processes.
		return nil, fmt.Errorf("this process was started as an engine: its main must call clickhouse.RunChild when its first argument is %q", ChildCommand)
	}
	library, err := FindLibrary(cfg.Library)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the engine's directory: %w", err)
	}
	e := &Engine{cfg: cfg, library: library, password: rand.Text(), done: make(chan struct{})}
	memory := engineMemory()
	if e.config, err = (serverConfig{Password: e.password, Memory: memory, QueryMemory: memory / 2}).write(cfg.Dir); err != nil {
		return nil, err
	}
	p, err := e.startFirst(ctx)
	if err != nil {
		return nil, err
	}
	supervise, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.process, e.stop = p, stop
	go e.supervise(supervise, p)
	return e, nil
}

// startFirst starts the first child, at a port that it finds.
func (e *Engine) startFirst(ctx context.Context) (p *process, err error) {
	deadline := time.Now().Add(inheritance)
	for range portAttempts {
		if e.port, err = freePort(); err != nil {
			return nil, err
		}
		p, err = e.start(ctx)
		for errors.Is(err, errInUse) && time.Now().Before(deadline) && ctx.Err() == nil {
			time.Sleep(firstBackoff)
			p, err = e.start(ctx)
		}
		if !errors.Is(err, errPortTaken) {
			break
		}
	}
	return p, err
}

// Open connects to the engine.
func (e *Engine) Open(ctx context.Context) (*DB, error) { return e.OpenDatabase(ctx, DefaultDatabase) }

// OpenDatabase connects to a database of the engine, and makes it when it is missing.
func (e *Engine) OpenDatabase(ctx context.Context, name string) (*DB, error) {
	return open(ctx, e.options(name))
}

// Pid returns the child's process id, or 0 while there is none.
func (e *Engine) Pid() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.process == nil {
		return 0
	}
	return e.process.pid()
}

// Restarts returns how often the engine died and was started again.
func (e *Engine) Restarts() uint64 { return e.restarts.Load() }

// Stop ends the engine: it is asked first, and killed after ten seconds. No restart follows.
func (e *Engine) Stop() {
	e.stop()
	<-e.done
}

// options are those of a connection over loopback, where compression costs more than it saves.
func (e *Engine) options(database string) *driver.Options {
	return &driver.Options{
		Addr:        []string{net.JoinHostPort("127.0.0.1", strconv.Itoa(e.port))},
		Auth:        driver.Auth{Database: database, Username: engineUser, Password: e.password},
		DialContext: dialEngine,
	}
}

// start starts a child and waits until it answers.
func (e *Engine) start(ctx context.Context) (*process, error) {
	p, err := startProcess(e.library, filepath.Join(e.cfg.Dir, "engine.log"), []string{
		"--config-file", e.config,
		"--path", filepath.Join(e.cfg.Dir, "data"),
		"--tcp_port", strconv.Itoa(e.port),
		"--listen_host", "127.0.0.1",
		"-q", "SYSTEM START LISTEN TCP; SELECT sleepEachRow(3) FROM system.numbers SETTINGS max_block_size = 1 FORMAT Null",
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	options := e.options("")
	options.DialTimeout = time.Second
	conn, err := driver.Open(options)
	if err != nil {
		p.kill()
		return nil, fmt.Errorf("connect to the engine: %w", err)
	}
	defer conn.Close()
	for {
		if err = conn.Ping(ctx); err == nil {
			return p, nil
		}
		select {
		case <-p.exited:
			return nil, p.failure(e.cfg.Dir)
		case <-ctx.Done():
			p.kill()
			return nil, fmt.Errorf("the engine did not answer within %s: %w", startTimeout, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// supervise starts the engine again when it dies, until it is told to stop.
func (e *Engine) supervise(ctx context.Context, p *process) {
	defer close(e.done)
	backoff := firstBackoff
	for {
		started := time.Now()
		select {
		case <-ctx.Done():
			p.end(stopTimeout)
			return
		case <-p.exited:
		}
		if time.Since(started) > healthyAfter {
			backoff = firstBackoff
		}
		e.setProcess(nil)
		e.cfg.Log.ErrorContext(ctx, "ClickHouse died and is started again", slog.Any("error", p.failure(e.cfg.Dir)))
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(backoff):
			}
			backoff = min(2*backoff, maxBackoff)
			next, err := e.start(ctx)
			if err == nil {
				p = next
				break
			}
			if ctx.Err() != nil {
				return
			}
			e.cfg.Log.ErrorContext(ctx, "ClickHouse does not start", slog.Any("error", err), slog.Duration("again_in", backoff))
		}
		e.setProcess(p)
		e.restarts.Add(1)
	}
}

func (e *Engine) setProcess(p *process) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.process = p
}

// freePort asks the system for a port of loopback that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port for the engine: %w", err)
	}
	defer l.Close()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("find a free port for the engine: %s is no TCP address", l.Addr())
	}
	return addr.Port, nil
}
