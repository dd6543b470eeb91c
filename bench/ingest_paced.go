package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"muster/clickhouse"
)

const (
	pacedFor     = 15 * time.Second
	pacedClients = 64
	probeEvery   = 250 * time.Millisecond
	// The bars: how late an acknowledgement of a hundred may be, and how long until half of what was acknowledged is
	// queryable.
	acknowledgeBar = 50 * time.Millisecond
	lagBar         = 2 * time.Second
)

// paced sends batches at a steady rate, messages a second, and measures how long the acknowledgements take and how long
// it is from an acknowledgement until the message is queryable. A request that had to wait for its turn is timed from
// when it should have been sent.
func paced(ctx context.Context, s Service, rate float64) (acknowledged, lag Figure, err error) {
	_, bodies, err := requests(11)
	if err != nil {
		return acknowledged, lag, err
	}
	wanted := min(len(bodies), int(rate*pacedFor.Seconds()/perRequest))
	every := time.Duration(float64(time.Second) * perRequest / rate)
	probing, stop := context.WithCancel(ctx)
	defer stop()
	lags := make(chan []time.Duration, 1)
	failed := make(chan error, 1)
	go func() {
		seen, err := probe(probing, s)
		failed <- err
		lags <- seen
	}()
	times, err := schedule(ctx, s, bodies[:wanted], every)
	stop()
	if err := errors.Join(err, <-failed, s.Flush(ctx)); err != nil {
		return acknowledged, lag, err
	}
	slices.Sort(times)
	seen := <-lags
	if len(seen) == 0 {
		return acknowledged, lag, errors.New("bench: no probe was seen in time")
	}
	acknowledged = Figure{
		Name:   fmt.Sprintf("ingest: the 99th of 100 acknowledgements at %.0f messages a second, against what is wanted", rate),
		Muster: times[len(times)*99/100], Bare: acknowledgeBar, Bar: 1,
	}
	lag = Figure{
		Name:   fmt.Sprintf("ingest: from acknowledged to queryable at that rate, the median of %d, against what is wanted", len(seen)),
		Muster: median(seen), Bare: lagBar, Bar: 1,
	}
	return acknowledged, lag, nil
}

// schedule sends each body at its time, and returns how long after it the answers came.
func schedule(ctx context.Context, s Service, bodies [][]byte, every time.Duration) ([]time.Duration, error) {
	type turn struct {
		at   time.Time
		body []byte
	}
	turns := make(chan turn, len(bodies))
	start := time.Now()
	for i, body := range bodies {
		turns <- turn{start.Add(time.Duration(i) * every), body}
	}
	close(turns)
	var mu sync.Mutex
	var times []time.Duration
	group, ctx := errgroup.WithContext(ctx)
	for range pacedClients {
		group.Go(func() error {
			c, err := dial(ctx, s.URL, s.WriteKey)
			if err != nil {
				return err
			}
			defer c.close()
			for t := range turns {
				time.Sleep(time.Until(t.at))
				if err := c.post("/v1/batch", t.body); err != nil {
					return err
				}
				took := time.Since(t.at)
				mu.Lock()
				times = append(times, took)
				mu.Unlock()
			}
			return nil
		})
	}
	err := group.Wait()
	return times, err
}

// probe sends a message now and then until ctx ends, and measures how long after its acknowledgement it is queryable.
func probe(ctx context.Context, s Service) ([]time.Duration, error) {
	c, err := dial(ctx, s.URL, s.WriteKey)
	if err != nil {
		return nil, err
	}
	defer c.close()
	var seen []time.Duration
	for n := 0; ctx.Err() == nil; n++ {
		lag, err := probeOnce(ctx, s, c, "probe-"+strconv.Itoa(n))
		switch {
		case ctx.Err() != nil: // what was under way when the time was up does not count
		case err != nil:
			return nil, err
		default:
			seen = append(seen, lag)
			time.Sleep(probeEvery)
		}
	}
	return seen, nil
}

func probeOnce(ctx context.Context, s Service, c *client, id string) (time.Duration, error) {
	if err := c.post("/v1/track", []byte(`{"type":"track","event":"probe","userId":"probe","messageId":"`+id+`"}`)); err != nil {
		return 0, err
	}
	start := time.Now()
	ctx = clickhouse.WithParameters(ctx, clickhouse.Parameters{"id": id})
	for found := uint64(0); ; time.Sleep(5 * time.Millisecond) {
		err := s.DB.QueryRow(ctx, `SELECT count() FROM events WHERE project = 1 AND event = 'probe' AND message_id = {id:String}`).Scan(&found)
		if err != nil || found > 0 {
			return time.Since(start), err
		}
	}
}
