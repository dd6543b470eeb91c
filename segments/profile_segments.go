package segments

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"muster"
	"muster/projects"
	"muster/queries"
)

// SegmentOf is a segment that a user is in.
type SegmentOf struct {
	Segment Segment
	Run     Run        // its newest
	Since   *time.Time // as of the run in which the user entered last; nil where that run is not kept any more
}

// UserSegments lists the segments whose newest finished run has the user, by name.
func (e *Evaluator) UserSegments(ctx context.Context, project projects.Project, user muster.Actor) ([]SegmentOf, error) {
	scope, who, err := e.profileScope(ctx, project, user, At{})
	if err != nil {
		return nil, err
	}
	current, err := e.store.Current(ctx, project.ID)
	if err != nil {
		return nil, err
	}
	last, err := e.LastRuns(ctx, project.ID)
	if err != nil {
		return nil, err
	}
	var ids []string
	var bases []uuid.UUID
	var steps []uint32
	for id := range current {
		if run := last[id]; run != nil {
			ids, bases, steps = append(ids, id), append(bases, run.Base), append(steps, run.Step)
		}
	}
	in := map[string]*SegmentOf{}
	err = e.each(ctx, "list the user's segments", queries.SegmentsOf(scope, who.uid, ids, bases, steps), func(rows driver.Rows) error {
		var id string
		err := rows.Scan(&id)
		in[id] = &SegmentOf{Segment: current[id]}
		if run := last[id]; run != nil {
			in[id].Run = *run
		}
		return err
	})
	if err != nil || len(in) == 0 {
		return nil, err
	}
	ids = ids[:0]
	for id := range in {
		ids = append(ids, id)
	}
	err = e.each(ctx, "find when the user entered", queries.Entered(scope, who.uid, ids), func(rows driver.Rows) error {
		var id string
		var since time.Time
		if err := rows.Scan(&id, &since); err != nil {
			return err
		}
		since = since.UTC()
		in[id].Since = &since
		return nil
	})
	var all []SegmentOf
	for _, s := range in {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b SegmentOf) int {
		if c := strings.Compare(a.Segment.Name, b.Segment.Name); c != 0 {
			return c
		}
		return strings.Compare(a.Segment.ID, b.Segment.ID)
	})
	return all, err
}
