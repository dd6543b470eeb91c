package exports

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"muster"
	"muster/clickhouse"
	"muster/queries"
)

// source reads the members of a run.
type source struct {
	db         *clickhouse.DB
	project    muster.ProjectID
	run        Run
	attributes []string
}

// span is a range of buckets, both ends included.
type span struct{ first, last uint16 }

// everything is the span of all buckets there can be.
var everything = span{0, 1<<16 - 1}

// query runs a statement over the members in a span.
func (s source) query(ctx context.Context, sql string, over span) (driver.Rows, error) {
	parameters := clickhouse.Parameters{
		"project": decimal(s.project), "segment": queries.Text(s.run.Segment), "run": s.run.ID.String(),
		"first": decimal(over.first), "last": decimal(over.last), "now": decimal(s.run.AsOf.UnixMilli()),
		"attributes": queries.Texts(s.attributes),
	}
	rows, err := s.db.Query(clickhouse.WithParameters(ctx, parameters), sql)
	if err != nil {
		return nil, failed("read the members", err)
	}
	return rows, nil
}

func (s source) sessions() bool { return slices.Contains(s.attributes, "sessions") }

// kinds returns which kinds of values the members have of each attribute, in alphabetic order.
func (s source) kinds(ctx context.Context) (map[string][]string, error) {
	if len(s.attributes) == 0 {
		return nil, nil
	}
	rows, err := s.query(ctx, kindsSQL(s.sessions()), everything)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	kinds := map[string][]string{}
	for rows.Next() {
		var place uint64
		var kind string
		if err := rows.Scan(&place, &kind); err != nil {
			return nil, fmt.Errorf("read the attributes' kinds: %w", err)
		}
		name := s.attributes[place-1]
		kinds[name] = append(kinds[name], kind)
	}
	if err := rows.Err(); err != nil {
		return nil, failed("read the attributes' kinds", err)
	}
	return kinds, nil
}

// buckets lists the buckets in which the run has members.
func (s source) buckets(ctx context.Context) ([]uint16, error) {
	rows, err := s.query(ctx, bucketsSQL, everything)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var buckets []uint16
	for rows.Next() {
		var bucket uint16
		if err := rows.Scan(&bucket); err != nil {
			return nil, fmt.Errorf("read the members' buckets: %w", err)
		}
		buckets = append(buckets, bucket)
	}
	if err := rows.Err(); err != nil {
		return nil, failed("read the members' buckets", err)
	}
	return buckets, nil
}

// members calls add for each member in the order of uids. The values a member has are only valid during the call.
func (s source) members(ctx context.Context, add func(member) error) error {
	buckets, err := s.buckets(ctx)
	if err != nil {
		return err
	}
	for _, bucket := range buckets {
		if err := s.bucket(ctx, span{bucket, bucket}, add); err != nil {
			return err
		}
	}
	return nil
}

// bucket reads three results side by side, each in the order of uids, and joins them.
func (s source) bucket(ctx context.Context, over span, add func(member) error) error {
	ctx, cancel := context.WithCancel(ctx) // an error in one ends the others
	defer cancel()
	identities, err := openStream(ctx, s, identitiesSQL, over, scanPerson)
	if err != nil {
		return err
	}
	defer identities.close()
	sightings, err := openStream(ctx, s, sightingsSQL, over, scanSighting)
	if err != nil {
		return err
	}
	defer sightings.close()
	var values *stream[placedValue]
	if len(s.attributes) > 0 {
		if values, err = openStream(ctx, s, valuesSQL(s.sessions()), over, scanValue); err != nil {
			return err
		}
		defer values.close()
	}
	m := member{values: make([]value, len(s.attributes))}
	for !identities.done {
		m.uid, m.actor = identities.uid, identities.row.actor
		m.userID, m.anonymousID = identities.row.userID, identities.row.anonymousID
		m.firstSeen, m.lastSeen = nil, nil
		if found, err := sightings.seek(m.uid); err != nil {
			return err
		} else if found {
			seen := sightings.row
			m.firstSeen, m.lastSeen = &seen.first, &seen.last
		}
		clear(m.values)
		for values != nil {
			found, err := values.seek(m.uid)
			if err != nil {
				return err
			}
			if !found {
				break
			}
			m.values[values.row.place-1] = values.row.value
			if err := values.next(); err != nil {
				return err
			}
		}
		if err := add(m); err != nil {
			return err
		}
		if err := identities.next(); err != nil {
			return err
		}
	}
	return nil
}
