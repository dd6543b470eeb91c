package ingest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
)

// replayed at once: what one append to the spool and one answer of ClickHouse hold.
const replayChunk = 200

// Replay is what became of rejected messages that were decoded again.
type Replay struct {
	Selected int
	Accepted int
	Rejected map[RejectCode]int // again, by why
}

// Replay decodes the chosen messages again, as of their receipt, and takes those that are right by now: after a cap was
// raised, a signature was no longer demanded, or Muster learned to read them. What is accepted is fsynced in the spool and
// no longer listed. A message keeps its place and its id, so replaying it twice, or after its client sent it again, is the
// same as once.
func (k *Rejections) Replay(ctx context.Context, project muster.ProjectID, f RejectionFilter) (Replay, error) {
	result := Replay{Rejected: map[RejectCode]int{}}
	var last *Place
	for {
		end, err := k.replaySome(ctx, project, f, last, &result)
		if err != nil || end == nil {
			return result, err
		}
		last = end
	}
}

// replaySome replays the next chosen messages after a place, and returns the place of the last of them, or nil when there
// are no more.
func (k *Rejections) replaySome(ctx context.Context, project muster.ProjectID, f RejectionFilter, after *Place, result *Replay) (*Place, error) {
	k.moving.Lock()
	defer k.moving.Unlock()
	chunk, err := k.oldest(ctx, project, f, after)
	if err != nil || len(chunk) == 0 {
		return nil, err
	}
	accepted, rejected, err := k.door.replay(ctx, project, chunk)
	if err != nil {
		return nil, err
	}
	if err := k.markReplayed(ctx, project, accepted); err != nil {
		return nil, err
	}
	result.Selected += len(chunk)
	result.Accepted += len(accepted)
	for code, n := range rejected {
		result.Rejected[code] += n
	}
	end := chunk[len(chunk)-1]
	return &Place{end.Received, end.ID}, nil
}

// oldest returns the chosen messages after a place, the oldest first.
func (k *Rejections) oldest(ctx context.Context, project muster.ProjectID, f RejectionFilter, after *Place) ([]Rejected, error) {
	more := clickhouse.Parameters{"limit": strconv.Itoa(replayChunk)}
	condition := ""
	if after != nil {
		condition = ` AND (received, rejection) > (fromUnixTimestamp64Micro({received:Int64}, 'UTC'), {rejection:UUID})`
		more["received"], more["rejection"] = strconv.FormatInt(after.Received, 10), after.ID.String()
	}
	where, parameters := f.where(project, more)
	return k.read(ctx, where+condition, `received, rejection`, parameters)
}

// markReplayed takes messages off the list, and their text with them: it is in the tables now. Where it fails they are still
// listed, and may be replayed again.
func (k *Rejections) markReplayed(ctx context.Context, project muster.ProjectID, ids []uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	where, parameters := RejectionFilter{IDs: ids}.where(project, nil)
	err := k.db.Exec(clickhouse.WithParameters(ctx, parameters), `
		INSERT INTO rejections
		SELECT * REPLACE ('' AS message, '' AS context, true AS replayed, version + 1 AS version) FROM (SELECT * FROM rejections FINAL WHERE `+where+`)`)
	if err != nil {
		return fmt.Errorf("mark rejected messages as replayed: %w", err)
	}
	return nil
}

// replay decodes rejected messages again and stores those that are accepted now.
func (d *Door) replay(ctx context.Context, project muster.ProjectID, all []Rejected) (accepted []uuid.UUID, rejected map[RejectCode]int, err error) {
	k := d.desks.Get().(*desk) //nolint:errcheck // The pool holds nothing else.
	defer d.desks.Put(k)
	k.clear()
	rejected = map[RejectCode]int{}
	for i := range all {
		r := &all[i]
		if rejection := d.again(k, project, r); rejection != nil {
			rejected[rejection.Code]++
			continue
		}
		accepted = append(accepted, r.ID)
	}
	if err := d.store(ctx, k, project, d.now()); err != nil {
		return nil, nil, err
	}
	d.counts.accepted.Add(uint64(len(accepted)))
	return accepted, rejected, nil
}

// again puts one rejected message on the desk.
func (d *Door) again(k *desk, project muster.ProjectID, r *Rejected) *Rejection {
	if !r.Whole {
		return reject(RejectTooLarge, "", "only the first %d bytes of the message were kept", maxRejectedText)
	}
	req := request{received: time.UnixMicro(r.Received), messageID: r.ID.String()}
	if r.SentAt != nil {
		req.sentAt, req.hasSent = *r.SentAt, true
	}
	req.secret, req.signed = d.signing(project)
	var context []byte
	if r.Context != "" {
		context = []byte(r.Context)
	}
	shared, rejection := newSharedContext(context)
	if rejection != nil {
		return rejection
	}
	return d.add(k, []byte(r.Message), r.Path, project, req, shared)
}

// errPlace is the error of a cursor that is none.
var errPlace = &muster.Error{
	Code: muster.InvalidArgument, Detail: "the cursor is not one of ours", Hint: `send the "next" of the page before, unchanged`,
}

// ParsePlace reads what [Place.String] printed.
func ParsePlace(text string) (Place, error) {
	var p Place
	if len(text) < 38 || text[36] != '-' {
		return p, errPlace
	}
	id, err := uuid.Parse(text[:36])
	received, err2 := strconv.ParseInt(text[37:], 10, 64)
	if errors.Join(err, err2) != nil {
		return p, errPlace
	}
	return Place{received, id}, nil
}

// String prints the place as a cursor.
func (p Place) String() string { return p.ID.String() + "-" + strconv.FormatInt(p.Received, 10) }
