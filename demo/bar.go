package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Bar shows progress: on a terminal as a line that is drawn again, elsewhere as a line now and then.
type Bar struct {
	w        io.Writer
	terminal bool
	total    uint64
	start    time.Time

	mu   sync.Mutex
	last time.Time
}

// NewBar returns a bar for a total.
func NewBar(w io.Writer, terminal bool, total uint64) *Bar {
	return &Bar{w: w, terminal: terminal, total: max(total, 1), start: time.Now()}
}

// Set shows how much is done.
func (b *Bar) Set(done uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	every := 3 * time.Second
	if b.terminal {
		every = 100 * time.Millisecond
	}
	now := time.Now()
	if done < b.total && now.Sub(b.last) < every {
		return
	}
	b.last = now
	elapsed := now.Sub(b.start).Seconds()
	share := float64(done) / float64(b.total)
	rate := float64(done) / max(elapsed, 0.001)
	left := time.Duration(float64(b.total-min(done, b.total)) / max(rate, 1) * float64(time.Second)).Round(time.Second)
	const width = 30
	filled := min(width, int(share*width))
	line := fmt.Sprintf("  [%s%s] %3.0f%%  %d of %d messages, %.0f a second, %s left",
		strings.Repeat("█", filled), strings.Repeat("░", width-filled), 100*share, done, b.total, rate, left)
	if b.terminal {
		fmt.Fprintf(b.w, "\r\033[K%s", line)
		return
	}
	fmt.Fprintln(b.w, line)
}

// End leaves the line of a terminal.
func (b *Bar) End() {
	if b.terminal {
		fmt.Fprintln(b.w)
	}
}
