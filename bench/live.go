package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"muster/clickhouse"
	"muster/membership"
	"muster/queries"
	"muster/segments"
)

const (
	liveSegments = 500
	liveArrivals = 10_000           // events between two ticks
	livePause    = 30 * time.Second // between two ticks
	liveTicks    = 5
	liveBar      = 0.1
)

// livePartition is the month of the events of this measure: all others are older. They are dropped when it ends.
const livePartition = "202610"

// Live measures a tick of many live segments after new events against materializing all of them.
func Live(ctx context.Context, db *clickhouse.DB) (figures []Figure, err error) {
	store := segments.NewStore(db)
	evaluator := segments.NewEvaluator(db, store)
	leaves := append(eventLeaves(), attributeLeaves()...)
	ids, err := createLive(ctx, store, combined(leaves, liveSegments))
	defer func() { err = errors.Join(err, clearLive(context.WithoutCancel(ctx), db)) }()
	if err != nil {
		return nil, err
	}
	clock := now
	live := segments.NewLive(evaluator, membership.NewCurrent(), func() time.Time { return clock })
	if _, err := live.Tick(ctx, project()); err != nil {
		return nil, err
	}
	var ticks, wholes []time.Duration
	for round := range liveTicks + 1 {
		if err := arrive(ctx, db, uint64(round)); err != nil {
			return nil, err
		}
		clock = clock.Add(livePause)
		start := time.Now()
		tick, err := live.Tick(ctx, project())
		if err != nil {
			return nil, err
		}
		took := time.Since(start)
		if tick.Whole || tick.Affected < liveArrivals/2 || len(tick.Runs) < liveSegments/2 {
			return nil, fmt.Errorf("a live tick did not do what is measured: %+v", tick)
		}
		start = time.Now()
		if _, err := evaluator.MaterializeAt(ctx, project(), ids, segments.At{AsOf: &clock}); err != nil {
			return nil, err
		}
		if round > 0 {
			ticks, wholes = append(ticks, took), append(wholes, time.Since(start))
		}
		// The runs that were asked for are followed before the next tick, which is not what is measured.
		if err := live.Follow(ctx, project()); err != nil {
			return nil, err
		}
		if _, err := live.Tick(ctx, project()); err != nil {
			return nil, err
		}
	}
	return []Figure{{
		Name:   fmt.Sprintf("live: a tick of %d segments over %d leaves after %d events, against materializing them", len(ids), len(leaves), liveArrivals),
		Muster: median(ticks), Bare: median(wholes), Bar: liveBar,
	}}, nil
}

// clearLive removes what the measure made, also where an earlier run was interrupted.
func clearLive(ctx context.Context, db *clickhouse.DB) error {
	store := segments.NewStore(db)
	all, err := store.List(ctx, project().ID)
	if err != nil {
		return err
	}
	for _, seg := range all {
		if !seg.Live {
			continue
		}
		if err := store.Delete(ctx, project().ID, seg.ID, 0, "bench"); err != nil {
			return err
		}
	}
	var seen uint64
	if err := db.QueryRow(clickhouse.WithParameters(ctx, clickhouse.Parameters{"now": now.Format("2006-01-02 15:04:05.000")}),
		`SELECT count() FROM activity WHERE project = 1 AND last_seen > {now:DateTime64(3, 'UTC')}`).Scan(&seen); err != nil {
		return fmt.Errorf("look for the events of live segments: %w", err)
	}
	if seen == 0 {
		return nil
	}
	for _, sql := range []string{
		`ALTER TABLE events DROP PARTITION ` + livePartition,
		`DELETE FROM arrivals WHERE project = 1 AND kind = 'event' AND toYYYYMM(time) = ` + livePartition,
		`TRUNCATE TABLE activity`,
		`INSERT INTO activity SELECT project, actor, min(least(time, toDateTime64(received, 3, 'UTC'))), max(least(time, toDateTime64(received, 3, 'UTC')))
			FROM events GROUP BY project, actor`,
		`OPTIMIZE TABLE activity FINAL`,
	} {
		if err := db.Exec(ctx, sql); err != nil {
			return fmt.Errorf("remove the events of live segments: %w", err)
		}
	}
	return nil
}

func createLive(ctx context.Context, store *segments.Store, texts []string) ([]string, error) {
	var ids []string
	for i, text := range texts {
		definition, err := queries.Decode([]byte(text))
		if err != nil {
			return ids, err
		}
		seg, err := store.Create(ctx, project().ID, segments.Draft{Name: fmt.Sprintf("Live %d", i), Definition: definition, Live: true}, "bench")
		if err != nil {
			return ids, err
		}
		ids = append(ids, seg.ID)
	}
	return ids, nil
}

// arrive inserts the events between two ticks.
func arrive(ctx context.Context, db *clickhouse.DB, round uint64) error {
	var users uint32
	if err := db.QueryRow(ctx, `SELECT max(uid) FROM actors WHERE project = 1`).Scan(&users); err != nil {
		return fmt.Errorf("count users: %w", err)
	}
	err := db.Exec(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"from": strconv.FormatUint(1<<40+round*liveArrivals, 10), "count": strconv.Itoa(liveArrivals), "users": strconv.FormatUint(uint64(users), 10),
		"now": now.Add(time.Duration(round+1) * livePause).Format("2006-01-02 15:04:05.000"),
	}), insertEventsBefore(livePause.Milliseconds()))
	if err != nil {
		return fmt.Errorf("make events: %w", err)
	}
	return nil
}
