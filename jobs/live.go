package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"muster"
	"muster/projects"
	"muster/segments"
)

const (
	// liveInterval is how often live segments are brought up to date at most.
	liveInterval = 10 * time.Second
	// liveShare bounds the part of the time that ticks take: after one, a project rests this many times as long as it took.
	liveShare = 9
	// longestRest bounds that rest.
	longestRest = 5 * time.Minute
)

// LiveKeeper brings the live segments of every project up to date every few seconds, in one of the processes. The others follow.
type LiveKeeper struct {
	directory *projects.Directory
	live      *segments.Live
	leases    *Leases
	log       *slog.Logger
	rests     map[muster.ProjectID]time.Time // until when
}

// NewLiveKeeper returns a keeper; [LiveKeeper.Run] does the work.
func NewLiveKeeper(directory *projects.Directory, live *segments.Live, leases *Leases, log *slog.Logger) *LiveKeeper {
	return &LiveKeeper{directory: directory, live: live, leases: leases, log: log, rests: map[muster.ProjectID]time.Time{}}
}

// Run keeps live segments until ctx ends; a tick under way is stopped then. The first is at once.
func (k *LiveKeeper) Run(ctx context.Context) {
	ticker := time.NewTicker(liveInterval)
	defer ticker.Stop()
	for {
		for _, project := range k.directory.All() {
			if err := k.keep(ctx, project); err != nil && ctx.Err() == nil {
				k.log.WarnContext(ctx, "live segments could not be brought up to date; it will be tried again",
					slog.Any("project", project.ID), slog.Any("error", err))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// keep ticks, where it is this process's turn, or follows the one whose turn it is.
func (k *LiveKeeper) keep(ctx context.Context, project projects.Project) error {
	now := time.Now()
	mine, err := k.leases.Take(ctx, fmt.Sprintf("live/%d", project.ID), now.Truncate(liveInterval))
	if err != nil {
		return err
	}
	if !mine {
		return k.live.Follow(ctx, project)
	}
	if now.Before(k.rests[project.ID]) {
		return nil // and nobody else ticks
	}
	tick, err := k.live.Tick(ctx, project)
	if err != nil {
		return err
	}
	k.rests[project.ID] = time.Now().Add(min(liveShare*time.Since(now), longestRest))
	k.log.DebugContext(ctx, "live segments are up to date", slog.Any("project", project.ID), slog.Time("as_of", tick.AsOf),
		slog.Int("segments", tick.Segments), slog.Int("runs", len(tick.Runs)), slog.Int("leaves", tick.Leaves), slog.Int("read", tick.Read),
		slog.Uint64("affected", tick.Affected), slog.Duration("elapsed", tick.Elapsed))
	return nil
}
