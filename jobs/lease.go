package jobs

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"muster/clickhouse"
)

// Leases decide which of several processes runs a job in a slot of time.
type Leases struct {
	db     *clickhouse.DB
	holder uuid.UUID
}

// NewLeases returns the leases of this process.
func NewLeases(db *clickhouse.DB) *Leases { return &Leases{db: db, holder: uuid.New()} }

// Take tells whether this process is the one to run a job in the slot that begins at a time. The insert carries a
// deduplication token made of the job and the slot, so of all that try the first is kept and the others are dropped.
func (l *Leases) Take(ctx context.Context, job string, slot time.Time) (bool, error) {
	n := uint64(slot.Unix())
	batch, err := l.db.PrepareBatch(clickhouse.WithInsertToken(ctx, fmt.Sprintf("leases/%s/%d", job, n)),
		`INSERT INTO leases (job, slot, holder)`)
	if err != nil {
		return false, fmt.Errorf("take the lease of %s: %w", job, err)
	}
	defer batch.Close()
	if err := batch.Append(job, n, l.holder); err != nil {
		return false, fmt.Errorf("take the lease of %s: %w", job, err)
	}
	if err := batch.Send(); err != nil {
		return false, fmt.Errorf("take the lease of %s: %w", job, err)
	}
	var holder uuid.UUID
	err = l.db.QueryRow(clickhouse.WithParameters(ctx, clickhouse.Parameters{"job": job, "slot": strconv.FormatUint(n, 10)}),
		`SELECT any(holder) FROM leases WHERE job = {job:String} AND slot = {slot:UInt64}`).Scan(&holder)
	if err != nil {
		return false, fmt.Errorf("read the lease of %s: %w", job, err)
	}
	return holder == l.holder, nil
}
