package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"muster"
	"muster/api"
	"muster/clickhouse"
	"muster/erasure"
	"muster/exports"
	"muster/identity"
	"muster/ingest"
	"muster/ingest/spool"
	"muster/jobs"
	"muster/membership"
	"muster/problem"
	"muster/projects"
	"muster/queries"
	"muster/segments"
	"muster/sql"
	"muster/web"
)

const (
	// defaultMaxSpool bounds the spool: hours of traffic while ClickHouse is away.
	defaultMaxSpool = 4 << 30
	// maxHeader bounds the bytes of a request's header: with many connections the usual megabyte is too much.
	maxHeader = 64 << 10
	// closeTimeout bounds the end of requests under way, and of emptying the spool.
	closeTimeout = 10 * time.Second
	// refreshInterval is how often keys and projects that other processes made are read.
	refreshInterval = 15 * time.Second
	// reconnectPause is how long to wait for a ClickHouse server that does not answer yet.
	reconnectPause = 2 * time.Second
)

// config is what a service needs to start.
type config struct {
	dataDir       string
	listen        string // host:port; port 0 for any
	dsn           string // empty for the embedded engine
	engineLibrary string
	log           *slog.Logger

	maxSpool  int64             // bytes; defaultMaxSpool where it is 0
	rateLimit int               // messages a second of one write key; 0 for any number
	names     ingest.NameLimits // [ingest.DefaultNameLimits] where it is zero
}

// service is everything that runs: the door, the spool and its drain, ClickHouse, the API and the jobs.
type service struct {
	cfg      config
	keyFile  projects.KeyFile
	keys     *projects.Keyring
	projects *projects.Directory
	current  *membership.Current
	spool    *spool.Spool
	door     *ingest.Door
	listener net.Listener
	server   *http.Server
	api      atomic.Pointer[http.Handler] // nil until ClickHouse answers
	engine   *clickhouse.Engine           // nil with a DSN
	store    atomic.Pointer[backend]
	inserts  *prometheus.HistogramVec
	failed   chan error // the first thing without which the service cannot go on

	background sync.WaitGroup
	cancel     context.CancelFunc
}

// backend is what exists only while there is a ClickHouse to speak with.
type backend struct {
	db        *clickhouse.DB
	drain     *ingest.Drain
	indexer   *jobs.Indexer
	evaluator *segments.Evaluator
}

// start opens the data directory, begins to listen, and connects to ClickHouse. The door takes traffic as soon as it
// listens; when the server of a DSN does not answer yet, the rest follows when it does.
func start(ctx context.Context, cfg config) (*service, error) {
	if err := os.MkdirAll(cfg.dataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	if cfg.maxSpool == 0 {
		cfg.maxSpool = defaultMaxSpool
	}
	s := &service{cfg: cfg, projects: &projects.Directory{}, current: membership.NewCurrent(), inserts: newInsertHistogram(), failed: make(chan error, 1)}
	// What runs in the background ends with close, not with the start's context.
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	if err := s.open(ctx, running); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *service) open(ctx, running context.Context) error {
	var err error
	if s.spool, err = spool.Open(filepath.Join(s.cfg.dataDir, "spool"), spool.Config{
		MaxBytes: s.cfg.maxSpool,
		Damaged: func(d spool.Damage) {
			s.cfg.log.ErrorContext(running, "the spool is damaged", slog.String("damage", d.String()))
		},
	}); err != nil {
		return err
	}
	if s.keyFile, err = projects.OpenKeyFile(s.cfg.dataDir); err != nil {
		return err
	}
	s.keys = projects.NewKeyring(s.keyFile)
	s.door, err = ingest.NewDoor(ingest.DoorConfig{
		Spool: s.spool, Log: s.cfg.log, RateLimit: s.cfg.rateLimit, Names: s.cfg.names,
		Keys: func(_ context.Context, key string) (muster.ProjectID, bool) {
			return s.keys.Project(projects.WriteKey, key)
		},
		Signing: s.signing,
	})
	if err != nil {
		return err
	}
	if s.listener, err = net.Listen("tcp", s.cfg.listen); err != nil {
		return fmt.Errorf("listen on %s: %w; choose another address with --listen", s.cfg.listen, err)
	}
	s.server = &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxHeader,
	}
	s.goRun(func() {
		if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.fail(fmt.Errorf("serve HTTP: %w", err))
		}
	})
	db, err := s.connect(ctx)
	switch {
	case err == nil:
		return s.attach(ctx, running, db)
	case s.cfg.dsn == "" || !clickhouse.IsUnavailable(err):
		return err
	}
	s.cfg.log.WarnContext(ctx, "ClickHouse does not answer yet; traffic is taken and kept until it does", slog.Any("error", err))
	s.goRun(func() { s.attachLater(running) })
	return nil
}

// connect opens the DSN, or starts the engine.
func (s *service) connect(ctx context.Context) (*clickhouse.DB, error) {
	if s.cfg.dsn != "" {
		return clickhouse.OpenDSN(ctx, s.cfg.dsn)
	}
	engine, err := clickhouse.StartEngine(ctx, clickhouse.EngineConfig{
		Dir: filepath.Join(s.cfg.dataDir, "clickhouse"), Library: s.cfg.engineLibrary, Log: s.cfg.log,
	})
	if err != nil {
		return nil, err
	}
	s.engine = engine
	return engine.Open(ctx)
}

// attachLater tries to connect until it succeeds or the service ends.
func (s *service) attachLater(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(reconnectPause):
		}
		db, err := s.connect(ctx)
		if err == nil {
			err = s.attach(ctx, ctx, db)
		}
		if err == nil {
			return
		}
		if ctx.Err() == nil && !clickhouse.IsUnavailable(err) {
			s.fail(err)
			return
		}
	}
}

// attach brings the schema up to date and starts everything that needs ClickHouse.
func (s *service) attach(ctx, running context.Context, db *clickhouse.DB) error {
	if err := clickhouse.Migrate(ctx, db, sql.Files); err != nil {
		return err
	}
	if err := projects.Register(ctx, db, s.keys); err != nil {
		return err
	}
	if err := s.projects.Refresh(ctx, db); err != nil {
		return err
	}
	if err := s.door.Refresh(ctx, db); err != nil {
		return err
	}
	index := identity.NewIndex(db)
	if err := index.Open(ctx); err != nil {
		return err
	}
	b := &backend{db: db, indexer: jobs.NewIndexer(index, s.cfg.log)}
	var err error
	b.drain, err = ingest.NewDrain(ingest.DrainConfig{
		Spool: s.spool, DB: db, Log: s.cfg.log, RefusedDir: filepath.Join(s.cfg.dataDir, "refused"),
		Drained: func(identities bool) {
			if identities {
				b.indexer.Wake()
			}
		},
		Inserted: func(table string, took time.Duration) { s.inserts.WithLabelValues(table).Observe(took.Seconds()) },
	})
	if err != nil {
		return err
	}
	store := segments.NewStore(db)
	b.evaluator = segments.NewEvaluator(db, store)
	datasets, err := exports.NewService(exports.Config{
		DB: db, Dir: filepath.Join(s.cfg.dataDir, "exports"), Log: s.cfg.log, Members: s.pinMembers(b.evaluator),
	})
	if err != nil {
		return err
	}
	tags, err := segments.NewTagger(segments.TaggerConfig{Evaluator: b.evaluator, State: s.state, Flush: b.drain.Flush})
	if err != nil {
		return err
	}
	rejections, err := ingest.NewRejections(db, s.door)
	if err != nil {
		return err
	}
	eraser, err := erasure.New(erasure.Config{
		DB: db, Index: index, Evaluator: b.evaluator, Rejections: rejections, Flush: b.flush, Pause: b.indexer.Pause,
		Forget: func(id muster.ProjectID, uids []uint32) { s.current.Project(id).Forget(uids...) },
	})
	if err != nil {
		return err
	}
	handler, err := api.New(api.Config{
		Keys: s.keys, Projects: s.projects, Segments: store, Evaluator: b.evaluator, Current: s.current, Exports: datasets, Tags: tags, Flush: b.flush,
		Erase: eraser.Erase, DB: db, Rejections: rejections, Dashboard: web.Handler(), Log: s.cfg.log,
	})
	if err != nil {
		return err
	}
	leases := jobs.NewLeases(db)
	materializer := jobs.NewMaterializer(s.projects, store, b.evaluator, leases, s.cfg.log)
	keeper := jobs.NewLiveKeeper(s.projects, segments.NewLive(b.evaluator, s.current, time.Now), leases, s.cfg.log)
	s.goRun(func() {
		if err := b.drain.Run(running); err != nil {
			s.fail(err)
		}
	})
	s.goRun(func() { b.indexer.Run(running) })
	s.goRun(func() { materializer.Run(running) })
	s.goRun(func() { keeper.Run(running) })
	s.goRun(func() { jobs.NewPruner(s.projects, b.evaluator, leases, s.cfg.log).Run(running) })
	s.goRun(func() {
		if err := datasets.Run(running); err != nil && running.Err() == nil {
			s.fail(err)
		}
	})
	s.goRun(func() { s.refresh(running, db) })
	b.indexer.Wake()
	s.store.Store(b)
	s.api.Store(&handler)
	return nil
}

// state puts what people say of a user into the spool.
func (s *service) state(ctx context.Context, said segments.Statement) (uint64, error) {
	return s.door.State(ctx, said.Project, said.Kind, said.ID, said.At, []ingest.Attribute{
		{Name: said.Attribute, Source: ingest.Native, Kind: ingest.List, List: said.List},
	})
}

// signing tells whether a project demands signatures, and the secret they are made with.
func (s *service) signing(id muster.ProjectID) (secret string, demanded bool) {
	p, _ := s.projects.Get(id)
	return p.IdentifySecret, p.SignedIdentify
}

// flush returns when everything acknowledged before is in ClickHouse and its actors are users.
func (b *backend) flush(ctx context.Context) error {
	if err := b.drain.Flush(ctx); err != nil {
		return err
	}
	return b.indexer.Now(ctx)
}

// pinMembers gives an export a membership that stays what it is.
func (s *service) pinMembers(evaluator *segments.Evaluator) exports.MembersFunc {
	return func(ctx context.Context, project muster.ProjectID, segment string) (exports.Run, error) {
		p, ok := s.projects.Get(project)
		if !ok {
			return exports.Run{}, &muster.Error{Code: muster.NotFound, Detail: fmt.Sprintf("there is no project %d", project)}
		}
		runs, err := evaluator.Materialize(ctx, p, []string{segment})
		if err != nil {
			return exports.Run{}, err
		}
		seg, err := evaluator.RunSegment(ctx, project, runs[0])
		if err != nil {
			return exports.Run{}, err
		}
		return exports.Run{
			ID: runs[0].ID, Segment: seg.ID, SegmentName: seg.Name, Revision: seg.Revision, Definition: queries.Print(seg.Definition),
			DefinitionHash: runs[0].DefinitionHash, AsOf: runs[0].AsOf, Size: runs[0].Size,
		}, nil
	}
}

// refresh reads what other processes changed, until ctx ends.
func (s *service) refresh(ctx context.Context, db *clickhouse.DB) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(refreshInterval):
		}
		if err := errors.Join(s.keys.Refresh(ctx, db), s.projects.Refresh(ctx, db), s.door.Refresh(ctx, db)); err != nil && ctx.Err() == nil {
			s.cfg.log.WarnContext(ctx, "keys, projects and names could not be read again", slog.Any("error", err))
		}
	}
}

// goRun runs a part of the service until it ends.
func (s *service) goRun(f func()) { s.background.Go(f) }

// fail reports what the service cannot go on without.
func (s *service) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// close ends the service in the order that loses nothing: no more requests, then the spool is emptied as far as time
// allows, then the rest. What stays in the spool is taken at the next start.
func (s *service) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if s.server != nil {
		if err := s.server.Shutdown(ctx); err != nil {
			_ = s.server.Close()
		}
	} else if s.listener != nil {
		_ = s.listener.Close()
	}
	b := s.store.Load()
	if b != nil {
		if err := b.drain.Flush(ctx); err != nil {
			s.cfg.log.WarnContext(ctx, "the spool is not empty; the next start goes on", slog.Any("error", err))
		}
	}
	s.cancel()
	s.background.Wait()
	if s.spool != nil {
		if err := s.spool.Close(); err != nil {
			s.cfg.log.ErrorContext(ctx, "close the spool", slog.Any("error", err))
		}
	}
	if b != nil {
		_ = b.db.Close()
	}
	if s.engine != nil {
		s.engine.Stop()
	}
}

// url is the service's address.
func (s *service) url() string {
	addr, ok := s.listener.Addr().(*net.TCPAddr)
	if ok && addr.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", addr.Port)
	}
	return "http://" + s.listener.Addr().String()
}

// announce says where everything is.
func (s *service) announce(w io.Writer) {
	fmt.Fprintf(w, `
  dashboard   %[1]s/#key=%[2]s
  API         %[1]s/docs
  traffic     %[1]s/v1/batch   (write key %[3]s)
  keys        %[4]s

`, s.url(), s.keyFile.SecretKey, s.keyFile.WriteKey, filepath.Join(s.cfg.dataDir, "keys.json"))
}

// unavailable answers what needs ClickHouse while there is none.
func unavailable(w http.ResponseWriter, _ *http.Request) {
	problem.Write(w, &muster.Error{
		Code: muster.Unavailable, Detail: "ClickHouse does not answer yet", Hint: "traffic is taken all the same; try again soon",
	})
}
