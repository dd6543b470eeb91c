package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"muster/projects"
	"muster/segments"
)

const (
	// liveRetention is how long the runs of live segments are kept at least.
	liveRetention = 30 * 24 * time.Hour
	// pruneInterval is how often older ones are removed.
	pruneInterval = 24 * time.Hour
	// pruneCheck is how often it is looked whether that is due.
	pruneCheck = time.Hour
)

// Pruner removes old runs of live segments, which come every few seconds.
type Pruner struct {
	directory *projects.Directory
	evaluator *segments.Evaluator
	leases    *Leases
	log       *slog.Logger
}

// NewPruner returns a pruner; [Pruner.Run] does the work.
func NewPruner(directory *projects.Directory, evaluator *segments.Evaluator, leases *Leases, log *slog.Logger) *Pruner {
	return &Pruner{directory: directory, evaluator: evaluator, leases: leases, log: log}
}

// Run prunes until ctx ends.
func (p *Pruner) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pruneCheck):
		}
		for _, project := range p.directory.All() {
			if err := p.prune(ctx, project); err != nil && ctx.Err() == nil {
				p.log.WarnContext(ctx, "old runs of live segments could not be removed; it will be tried again tomorrow",
					slog.Any("project", project.ID), slog.Any("error", err))
			}
		}
	}
}

func (p *Pruner) prune(ctx context.Context, project projects.Project) error {
	now := time.Now()
	mine, err := p.leases.Take(ctx, fmt.Sprintf("prune/%d", project.ID), now.Truncate(pruneInterval))
	if err != nil || !mine {
		return err
	}
	return p.evaluator.Prune(ctx, project, now.Add(-liveRetention))
}
