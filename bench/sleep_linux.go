package bench

import (
	"syscall"
	"time"
)

// sleepUntil returns at a time, or some tens of microseconds later: time.Sleep of an idle process is up to a millisecond late here,
// since it counts in milliseconds what it waits for the network.
func sleepUntil(at time.Time) {
	for left := time.Until(at); left > 0; left = time.Until(at) {
		wait := syscall.NsecToTimespec(int64(left))
		_ = syscall.Nanosleep(&wait, nil) // interrupted, it goes on with what is left
	}
}
