package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"muster"
	"muster/clickhouse"
)

// Rejections are the messages that were not accepted, for the operator: a table that the drain fills. They are there
// whichever node rejected them, for 30 days.
type Rejections struct {
	db   *clickhouse.DB
	door *Door
	// moving is held while messages are read and then moved: replayed, or erased.
	moving sync.Mutex
}

// NewRejections returns the rejected messages of a database; what is replayed goes through a door.
func NewRejections(db *clickhouse.DB, door *Door) (*Rejections, error) {
	if db == nil || door == nil {
		return nil, errors.New("ingest: rejections need a database and a door")
	}
	return &Rejections{db: db, door: door}, nil
}

// RejectionFilter chooses rejected messages. The zero value is all of them.
type RejectionFilter struct {
	Code RejectCode  // only these
	IDs  []uuid.UUID // only these
}

// Place is where a list of rejected messages goes on: after the one received then, with this id.
type Place struct {
	Received int64 // in unix microseconds
	ID       uuid.UUID
}

// where is the condition of a filter; conditions of its own are added with AND.
func (f RejectionFilter) where(project muster.ProjectID, more clickhouse.Parameters) (string, clickhouse.Parameters) {
	parameters := clickhouse.Parameters{"project": strconv.FormatUint(uint64(project), 10)}
	maps.Copy(parameters, more)
	where := `project = {project:UInt32} AND NOT replayed`
	if f.Code != "" {
		where += ` AND code = {code:String}`
		parameters["code"] = string(f.Code)
	}
	if f.IDs != nil {
		where += ` AND rejection IN {ids:Array(UUID)}`
		parameters["ids"] = uuidArray(f.IDs)
	}
	return where, parameters
}

// List returns a project's rejected messages that were not replayed, the newest first, from a place on.
func (k *Rejections) List(ctx context.Context, project muster.ProjectID, f RejectionFilter, from *Place, limit int) ([]Rejected, error) {
	more := clickhouse.Parameters{"limit": strconv.Itoa(limit)}
	after := ""
	if from != nil {
		after = ` AND (received, rejection) < (fromUnixTimestamp64Micro({received:Int64}, 'UTC'), {rejection:UUID})`
		more["received"], more["rejection"] = strconv.FormatInt(from.Received, 10), from.ID.String()
	}
	where, parameters := f.where(project, more)
	return k.read(ctx, where+after, `received DESC, rejection DESC`, parameters)
}

// Counts tells how many of a project's rejected messages there are, by code.
func (k *Rejections) Counts(ctx context.Context, project muster.ProjectID) (map[RejectCode]uint64, error) {
	where, parameters := RejectionFilter{}.where(project, nil)
	rows, err := k.db.Query(clickhouse.WithParameters(ctx, parameters),
		`SELECT toString(code), count() FROM rejections FINAL WHERE `+where+` GROUP BY code`)
	if err != nil {
		return nil, fmt.Errorf("count rejected messages: %w", err)
	}
	defer rows.Close()
	counts := map[RejectCode]uint64{}
	for rows.Next() {
		var code string
		var n uint64
		if err := rows.Scan(&code, &n); err != nil {
			return nil, fmt.Errorf("count rejected messages: %w", err)
		}
		counts[RejectCode(code)] = n
	}
	return counts, rows.Err()
}

func (k *Rejections) read(ctx context.Context, where, order string, parameters clickhouse.Parameters) ([]Rejected, error) {
	rows, err := k.db.Query(clickhouse.WithParameters(ctx, parameters), `
		SELECT project, received, rejection, path, sent_at, toString(code), detail, pointer, context, message, whole
		FROM rejections FINAL
		WHERE `+where+`
		ORDER BY `+order+`
		LIMIT {limit:UInt32}`)
	if err != nil {
		return nil, fmt.Errorf("read rejected messages: %w", err)
	}
	defer rows.Close()
	all := []Rejected{}
	for rows.Next() {
		var r Rejected
		var owner uint32
		var path uint8
		var received time.Time
		var code string
		if err := rows.Scan(&owner, &received, &r.ID, &path, &r.SentAt, &code, &r.Detail, &r.Pointer, &r.Context, &r.Message, &r.Whole); err != nil {
			return nil, fmt.Errorf("read rejected messages: %w", err)
		}
		r.Project, r.Received, r.Path, r.Code = muster.ProjectID(owner), received.UnixMicro(), Type(path), RejectCode(code)
		all = append(all, r)
	}
	return all, rows.Err()
}

// rejectedColumns are the rows of table rejections.
func rejectedColumns(all []Rejected) []any {
	n := len(all)
	project, received, id, path := make([]uint32, n), make([]time.Time, n), make([]uuid.UUID, n), make([]uint8, n)
	sentAt, code, detail, pointer := make([]*int64, n), make([]string, n), make([]string, n), make([]string, n)
	context, message, whole := make([]string, n), make([]string, n), make([]bool, n)
	for i, r := range all {
		project[i], received[i], id[i], path[i] = uint32(r.Project), time.UnixMicro(r.Received), r.ID, uint8(r.Path)
		sentAt[i], code[i], detail[i], pointer[i] = r.SentAt, string(r.Code), r.Detail, r.Pointer
		context[i], message[i], whole[i] = r.Context, r.Message, r.Whole
	}
	return []any{project, received, id, path, sentAt, code, detail, pointer, context, message, whole, make([]bool, n), make([]uint64, n)}
}

// uuidArray prints ids as a query parameter of type Array(UUID).
func uuidArray(ids []uuid.UUID) string {
	text := make([]byte, 0, 2+39*len(ids))
	text = append(text, '[')
	for i, id := range ids {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, '\''), id.String()...), '\'')
	}
	return string(append(text, ']'))
}
