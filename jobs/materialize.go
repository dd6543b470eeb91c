package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/robfig/cron/v3"

	"muster/projects"
	"muster/segments"
)

// scheduleCheck is how often the schedules are read again.
const scheduleCheck = 5 * time.Second

// Materializer keeps scheduled segments materialized.
type Materializer struct {
	directory *projects.Directory
	store     *segments.Store
	evaluator *segments.Evaluator
	leases    *Leases
	log       *slog.Logger
	cron      *cron.Cron
	entries   map[scheduled]cron.EntryID
}

// scheduled is a segment with the schedule it has; a changed schedule is another one.
type scheduled struct {
	project  projects.Project
	segment  string
	schedule string
}

// NewMaterializer returns a materializer; [Materializer.Run] does the work.
func NewMaterializer(directory *projects.Directory, store *segments.Store, evaluator *segments.Evaluator, leases *Leases, log *slog.Logger) *Materializer {
	return &Materializer{
		directory: directory, store: store, evaluator: evaluator, leases: leases, log: log,
		// In UTC, where no day has a time twice or not at all.
		cron: cron.New(cron.WithLocation(time.UTC), cron.WithChain(
			cron.Recover(cronLogger{log}), cron.SkipIfStillRunning(cron.DiscardLogger))),
		entries: map[scheduled]cron.EntryID{},
	}
}

// Run materializes until ctx ends; a materialization under way is stopped then.
func (m *Materializer) Run(ctx context.Context) {
	m.cron.Start()
	defer func() { <-m.cron.Stop().Done() }()
	check := time.NewTicker(scheduleCheck)
	defer check.Stop()
	for {
		if err := m.reschedule(ctx); err != nil && ctx.Err() == nil {
			m.log.WarnContext(ctx, "the schedules of segments could not be read", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-check.C:
		}
	}
}

// reschedule makes the cron entries those of the current segments.
func (m *Materializer) reschedule(ctx context.Context) error {
	wanted := map[scheduled]bool{}
	for _, project := range m.directory.All() {
		all, err := m.store.List(ctx, project.ID)
		if err != nil {
			return err
		}
		for _, seg := range all {
			if seg.Schedule != "" {
				wanted[scheduled{project, seg.ID, seg.Schedule}] = true
			}
		}
	}
	for s, id := range m.entries {
		if !wanted[s] {
			m.cron.Remove(id)
			delete(m.entries, s)
		}
	}
	for s := range wanted {
		if _, ok := m.entries[s]; ok {
			continue
		}
		if err := segments.CheckSchedule(s.schedule); err != nil {
			return fmt.Errorf("segment %s: %w", s.segment, err)
		}
		id, err := m.cron.AddFunc(s.schedule, func() { m.materialize(ctx, s) })
		if err != nil {
			return fmt.Errorf("segment %s: %w", s.segment, err)
		}
		m.entries[s] = id
	}
	return nil
}

// materialize runs one segment at its time, in one of the processes.
func (m *Materializer) materialize(ctx context.Context, s scheduled) {
	job := fmt.Sprintf("materialize/%d/%s", s.project.ID, s.segment)
	mine, err := m.leases.Take(ctx, job, time.Now().Truncate(time.Minute))
	if err == nil && mine {
		_, err = m.evaluator.Materialize(ctx, s.project, []string{s.segment})
	}
	if err != nil && ctx.Err() == nil {
		m.log.WarnContext(ctx, "a scheduled segment could not be materialized", slog.String("segment", s.segment), slog.Any("error", err))
	}
}

// cronLogger passes what cron recovers from to the log.
type cronLogger struct{ log *slog.Logger }

// Info drops the routine.
func (cronLogger) Info(string, ...any) {}

// Error logs a panic of a job.
func (l cronLogger) Error(err error, msg string, details ...any) {
	l.log.Error("a scheduled job panicked", slog.String("cron", msg), slog.Any("error", err), slog.Any("details", details))
}
