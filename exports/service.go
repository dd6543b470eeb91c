package exports

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
)

// Run is a materialization of a segment: a membership that stays what it is.
type Run struct {
	ID             uuid.UUID
	Segment        string
	SegmentName    string
	Revision       uint32
	Definition     json.RawMessage
	DefinitionHash string
	AsOf           time.Time
	Size           uint64
}

// MembersFunc materializes a segment and returns the run, whose members are in table segment_members. An export is tried
// again when it fails with [muster.Unavailable].
type MembersFunc func(ctx context.Context, project muster.ProjectID, segment string) (Run, error)

// Config is what a [Service] needs.
type Config struct {
	DB      *clickhouse.DB
	Dir     string // where the datasets are: <project>/<export>/; made when missing, and of one process at a time
	Log     *slog.Logger
	Members MembersFunc
}

// Service takes requests for exports and writes them one after the other.
type Service struct {
	cfg    Config
	owner  uuid.UUID
	wake   chan struct{}
	limits limits
	create func(path string) (*os.File, error)
	pause  time.Duration // between attempts, and between looks at the queue
}

const (
	attempts     = 3
	defaultPause = 5 * time.Second
)

// NewService returns a service. What an earlier process left half written is removed; [Service.Run] begins it again.
func NewService(c Config) (*Service, error) {
	if c.DB == nil || c.Dir == "" || c.Log == nil || c.Members == nil {
		return nil, errors.New("exports: a service needs a database, a directory, a log and a source of members")
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of exports: %w", err)
	}
	if err := removeUnfinished(c.Dir); err != nil {
		return nil, err
	}
	owner, err := ownerOf(c.Dir)
	if err != nil {
		return nil, err
	}
	return &Service{
		cfg: c, owner: owner, wake: make(chan struct{}, 1), limits: defaultLimits, create: createFile, pause: defaultPause,
	}, nil
}

// Create takes a request. The export is queued when it returns. A request that makes no sense is refused with
// [muster.InvalidArgument] and the places that are wrong; whether there is such a segment is only found out by Run.
func (s *Service) Create(ctx context.Context, project muster.ProjectID, r Request) (Export, error) {
	if err := r.check(); err != nil {
		return Export{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Export{}, fmt.Errorf("make an export's id: %w", err)
	}
	e := Export{ID: id, Status: Queued, Request: r, Files: []File{}, CreatedAt: time.Now().UTC().Truncate(time.Millisecond)}
	if err := s.save(ctx, project, &e); err != nil {
		return Export{}, err
	}
	select {
	case s.wake <- struct{}{}:
	default: // Run is told already
	}
	return e, nil
}

// Run writes queued exports until ctx ends, and returns nil then. Those that were being written when an earlier process
// ended are begun again.
func (s *Service) Run(ctx context.Context) error {
	for {
		waiting, err := s.waiting(ctx)
		if err != nil && ctx.Err() == nil {
			s.cfg.Log.WarnContext(ctx, "the queue of exports could not be read", slog.Any("error", err))
		}
		for _, w := range waiting {
			if err := s.do(ctx, w.project, w.export); err != nil && ctx.Err() == nil {
				s.cfg.Log.WarnContext(ctx, "an export's state could not be kept", slog.String("export", w.export.ID.String()),
					slog.Any("error", err))
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-time.After(s.pause):
		}
	}
}

// do writes one export and records how it went. When ctx ends meanwhile, the export stays running: the next process
// begins it again.
func (s *Service) do(ctx context.Context, project muster.ProjectID, e Export) error {
	e.Status = Running
	if err := s.save(ctx, project, &e); err != nil {
		return err
	}
	whole, err := s.write(ctx, project, e)
	for attempt := 1; attempt < attempts && muster.CodeOf(err) == muster.Unavailable; attempt++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.pause):
		}
		whole, err = s.write(ctx, project, e)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.cfg.Log.ErrorContext(ctx, "an export failed", slog.String("export", e.ID.String()), slog.Any("error", err))
		e.Status, e.Error = Failed, reason(err)
		return s.save(ctx, project, &e)
	}
	e.Status, e.Rows, e.Files, e.Manifest, e.manifest = Done, whole.rows, whole.files, ManifestName, whole.manifest
	return s.save(ctx, project, &e)
}

// reason says why an export failed, in words for the one who asked. Causes that are ours stay in the log.
func reason(err error) string {
	e, ok := errors.AsType[*muster.Error](err)
	switch {
	case !ok:
		return "something went wrong on our side; the service's log says what"
	case e.Hint == "":
		return e.Detail
	}
	return e.Detail + "; " + e.Hint
}

// Open opens a file of an export that is done: one of its files by name, or its manifest. The caller closes it. Nothing
// outside the dataset can be named.
func (s *Service) Open(ctx context.Context, project muster.ProjectID, id uuid.UUID, name string) (*os.File, File, error) {
	e, err := s.Get(ctx, project, id)
	if err != nil {
		return nil, File{}, err
	}
	files := e.Files
	if e.Status == Done {
		files = append(slices.Clip(files), e.manifest)
	}
	i := slices.IndexFunc(files, func(f File) bool { return f.Name == name })
	if i < 0 {
		return nil, File{}, &muster.Error{Code: muster.NotFound, Detail: fmt.Sprintf("export %s has no file %q", id, name)}
	}
	f, err := os.OpenInRoot(s.folder(project, id), files[i].Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, File{}, &muster.Error{
			Code: muster.NotFound, Detail: fmt.Sprintf("the files of export %s are not on this machine", id),
			Hint: "ask the one that made it, or export again", Err: err,
		}
	}
	if err != nil {
		return nil, File{}, fmt.Errorf("open an export's file: %w", err)
	}
	return f, files[i], nil
}

// folder is where a finished dataset is.
func (s *Service) folder(project muster.ProjectID, id uuid.UUID) string {
	return filepath.Join(s.cfg.Dir, strconv.FormatUint(uint64(project), 10), id.String())
}
