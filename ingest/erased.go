package ingest

import (
	"context"
	"fmt"
	"time"
)

// forgetErased empties the memory of what is in table identities when users were erased since, in whichever process: what
// was said of them is not there any more, and must be written again when they come back as new users.
//
// It is called after a segment's events are inserted and before its identities are. An erasure takes the identities out,
// is recorded, and then takes the events out, in this order: so either the record is seen here, or the events inserted
// before are erased too.
func (w *inserter) forgetErased(ctx context.Context) error {
	var users uint64
	var last time.Time
	if err := w.db.QueryRow(ctx, `SELECT count(), max(erased_at) FROM erased_users`).Scan(&users, &last); err != nil {
		return fmt.Errorf("look for erased users: %w", err)
	}
	if users != w.erased.users || !last.Equal(w.erased.last) {
		w.known, w.erased = known{}, erasures{users, last}
	}
	return nil
}

// erasures tell one state of table erased_users from another.
type erasures struct {
	users uint64
	last  time.Time
}
