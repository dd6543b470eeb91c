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

// spanBuckets is how many buckets with members, of up to 2^20 each, are read at a time. A span costs a pass over the
// attributes of all users, and the server sorts its values.
const spanBuckets = 8

// sessions is the attribute that is counted from the events.
const sessions = "sessions"

// everything is the span of all buckets there can be.
var everything = span{0, 1<<16 - 1}

// query runs a statement over the members in a span.
func (s source) query(ctx context.Context, sql string, over span, attributes []string) (driver.Rows, error) {
	parameters := clickhouse.Parameters{
		"project": decimal(s.project), "segment": queries.Text(s.run.Segment), "run": s.run.ID.String(),
		"first": decimal(over.first), "last": decimal(over.last), "now": decimal(s.run.AsOf.UnixMilli()),
		"attributes": queries.Texts(attributes),
	}
	rows, err := s.db.Query(clickhouse.WithParameters(ctx, parameters), sql)
	if err != nil {
		return nil, failed("read the members", err)
	}
	return rows, nil
}

// kinds returns which kinds of values there are of each attribute, in alphabetic order. Where the project has more than
// one, only those that the members have count.
func (s source) kinds(ctx context.Context) (map[string][]string, error) {
	kinds := map[string][]string{}
	if len(s.attributes) == 0 {
		return kinds, nil
	}
	rows, err := s.query(ctx, catalogSQL, everything, s.attributes)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var several []string
	for rows.Next() {
		var name string
		var of []string
		if err := rows.Scan(&name, &of); err != nil {
			return nil, fmt.Errorf("read the attributes' kinds: %w", err)
		}
		if len(of) > 1 {
			several = append(several, name)
			continue
		}
		kinds[name] = of
	}
	if err := rows.Err(); err != nil {
		return nil, failed("read the attributes' kinds", err)
	}
	if slices.Contains(s.attributes, sessions) {
		kinds[sessions] = []string{"number"}
	}
	return kinds, s.memberKinds(ctx, several, kinds)
}

// memberKinds adds the kinds of values that the members have of some attributes.
func (s source) memberKinds(ctx context.Context, attributes []string, kinds map[string][]string) error {
	if len(attributes) == 0 {
		return nil
	}
	rows, err := s.query(ctx, kindsSQL, everything, attributes)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var place uint64
		var kind string
		if err := rows.Scan(&place, &kind); err != nil {
			return fmt.Errorf("read the members' kinds: %w", err)
		}
		name := attributes[place-1]
		kinds[name] = append(kinds[name], kind)
	}
	if err := rows.Err(); err != nil {
		return failed("read the members' kinds", err)
	}
	return nil
}

// buckets lists the buckets in which the run has members.
func (s source) buckets(ctx context.Context) ([]uint16, error) {
	rows, err := s.query(ctx, bucketsSQL, everything, nil)
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
	for len(buckets) > 0 {
		n := min(len(buckets), spanBuckets)
		if err := s.span(ctx, span{buckets[0], buckets[n-1]}, add); err != nil {
			return err
		}
		buckets = buckets[n:]
	}
	return nil
}

// span reads three results side by side, each in the order of uids, and joins them.
func (s source) span(ctx context.Context, over span, add func(member) error) error {
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
		sql := valuesSQL
		if slices.Contains(s.attributes, sessions) {
			sql = valuesAndSessionsSQL
		}
		if values, err = openStream(ctx, s, sql, over, scanValue); err != nil {
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
