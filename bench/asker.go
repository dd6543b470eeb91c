package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// AskerCommand is the hidden sub-command under which a binary must call [RunAsker]: who asks is a process of its own, so that
// it takes nothing of the service's core and is not late itself.
const AskerCommand = "bench-asker"

const (
	askedPerSecond = 2000
	askedFor       = time.Second
	askers         = 16 // who can wait for an answer at once
)

// RunAsker is the whole life of the process that asks which segments users are in. Its arguments are a service's address and its key, and
// it prints the 99th percentile of how long an answer took.
func RunAsker(ctx context.Context, args []string, w io.Writer) error {
	if len(args) != 2 {
		return fmt.Errorf("%s is started by muster itself", AskerCommand)
	}
	took, err := askSteadily(ctx, args[0], args[1])
	if err != nil {
		return err
	}
	slices.Sort(took)
	_, err = fmt.Fprintln(w, took[len(took)*99/100])
	return err
}

// askSteadily asks at a steady rate and returns how long each answer took since its request was due: one that waits behind a slow one
// counts too.
func askSteadily(ctx context.Context, url, key string) ([]time.Duration, error) {
	random := rand.New(rand.NewPCG(2, 2))
	paths := make([]string, int(askedFor.Seconds()*askedPerSecond))
	for i := range paths {
		paths[i] = "/v1/me/segments?user_id=" + checkedUser(random.IntN(checkedUsers))
	}
	took := make([]time.Duration, len(paths))
	start := time.Now().Add(100 * time.Millisecond)
	due := func(i int) time.Time { return start.Add(time.Duration(i) * time.Second / askedPerSecond) }
	next := make(chan int, len(paths))
	group, ctx := errgroup.WithContext(ctx)
	for range askers {
		c, err := dial(ctx, url, key)
		if err != nil {
			return nil, err
		}
		defer c.close()
		group.Go(func() error {
			for i := range next {
				if err := c.get(paths[i]); err != nil {
					return err
				}
				took[i] = time.Since(due(i))
			}
			return nil
		})
	}
	runtime.LockOSThread() // what wakes in time does not have to be found a thread
	for i := range paths {
		sleepUntil(due(i))
		next <- i
	}
	close(next)
	return took, group.Wait()
}
