package ingest

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"muster"
)

const (
	// keptADay bounds the bytes of rejected messages kept of one project: so many at once, and so many a day after that.
	// With the 30 days they are kept it bounds the table, whoever sends what with a key that every page carries.
	keptADay = 64 << 20
	// maxRejectedText bounds how much of one is kept, in bytes: all of any that could be accepted one day.
	maxRejectedText = MaxMessage
)

// budget is what is left of a day's bytes.
type budget struct {
	bytes int // at once, and a day
	mu    sync.Mutex
	of    map[muster.ProjectID]*rate.Limiter
}

func newBudget(bytes int) budget {
	return budget{bytes: bytes, of: map[muster.ProjectID]*rate.Limiter{}}
}

// take takes bytes out of the budget of a project, if it has them.
func (b *budget) take(project muster.ProjectID, now time.Time, bytes int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.of[project]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(b.bytes)/rate.Limit((24*time.Hour).Seconds()), b.bytes)
		b.of[project] = l
	}
	return l.AllowN(now, bytes)
}

// reject counts a rejected message and puts it on the desk, to be kept; beyond the budget it is only counted.
func (d *Door) reject(k *desk, project muster.ProjectID, path Type, req request, raw []byte, shared string, r Rejection) {
	d.counts.reject(r.Code)
	if d.seldom.now(fmt.Sprint("reject/", project, "/", r.Code), req.received) {
		d.log.Warn("messages are rejected", slog.Uint64("project", uint64(project)), slog.String("code", string(r.Code)),
			slog.String("detail", r.Detail), slog.String("pointer", r.Pointer))
	}
	kept := Rejected{
		ID: uuid.Must(uuid.NewV7()), Project: project, Received: d.rejectClock.next(req.received), Path: path,
		Code: r.Code, Detail: r.Detail, Pointer: r.Pointer, Context: shared,
		Message: string(raw[:min(len(raw), maxRejectedText)]), Whole: len(raw) <= maxRejectedText,
	}
	if req.hasSent {
		kept.SentAt = &req.sentAt
	}
	start := len(k.records)
	k.records = appendRejected(k.records, &kept)
	size := len(k.records) - start
	if k.kept+size > maxRecords || !d.budget.take(project, req.received, size) {
		k.records = k.records[:start]
		d.counts.unkept.Add(1)
		return
	}
	k.kept += size
	k.end()
}

// seldom tells which of many equal lines of the log is written: one a minute.
type seldom struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (s *seldom) now(what string, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.last[what]; ok && at.Sub(last) < time.Minute {
		return false
	}
	if s.last == nil {
		s.last = map[string]time.Time{}
	}
	s.last[what] = at
	return true
}
