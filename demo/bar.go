package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Bar shows how far sending has come: on a terminal as one line drawn again and again, elsewhere as a line every few
// seconds.
type Bar struct {
	w        io.Writer
	terminal bool
	total    int
	next     time.Duration // when to show something again
}

// How often each kind of bar shows something, and how wide the drawn part is.
const (
	redraw   = 100 * time.Millisecond
	newLine  = 5 * time.Second
	barWidth = 24
)

// NewBar returns a bar for a number of messages.
func NewBar(w io.Writer, terminal bool, total int) *Bar {
	b := &Bar{w: w, terminal: terminal, total: max(total, 1)}
	if !terminal {
		b.next = newLine
	}
	return b
}

// Show shows the progress, unless it did a moment ago.
func (b *Bar) Show(p Progress) {
	if p.Elapsed < b.next {
		return
	}
	if !b.terminal {
		b.next = p.Elapsed + newLine
		fmt.Fprintln(b.w, b.line(p))
		return
	}
	b.next = p.Elapsed + redraw
	share := min(p.Sent(), b.total)
	filled := barWidth * share / b.total
	fmt.Fprintf(b.w, "\r[%s%s] %s\x1b[K", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), b.line(p))
}

// End shows where sending ended, and leaves the line.
func (b *Bar) End(s Summary) {
	b.next = 0
	b.Show(s.Progress)
	if b.terminal {
		fmt.Fprintln(b.w)
	}
}

// line says the percentage, the messages a second so far and the time the rest will take at that rate.
func (b *Bar) line(p Progress) string {
	rate := float64(p.Sent()) / max(p.Elapsed.Seconds(), 0.001)
	line := fmt.Sprintf("%3d%%  %d of %d messages, %.0f/s", 100*min(p.Sent(), b.total)/b.total, p.Sent(), b.total, rate)
	if left := b.total - p.Sent(); left > 0 && rate > 0 {
		line += ", " + time.Duration(float64(left)/rate*float64(time.Second)).Round(time.Second).String() + " left"
	}
	return line
}
