package exports

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"muster"
)

// stream reads a result whose rows come in the order of uids, and stands at one row of it.
type stream[T any] struct {
	rows driver.Rows
	scan func(driver.Rows) (uint32, T, error)
	uid  uint32 // of the row it stands at
	row  T
	done bool // there are no more rows
}

// openStream runs a statement and stands at its first row.
func openStream[T any](ctx context.Context, s source, sql string, over span, scan func(driver.Rows) (uint32, T, error)) (*stream[T], error) {
	rows, err := s.query(ctx, sql, over, s.attributes)
	if err != nil {
		return nil, err
	}
	st := &stream[T]{rows: rows, scan: scan}
	if err := st.next(); err != nil {
		st.close()
		return nil, err
	}
	return st, nil
}

func (s *stream[T]) close() { _ = s.rows.Close() } // what it could say was said by next

// next goes to the next row.
func (s *stream[T]) next() error {
	if !s.rows.Next() {
		s.done = true
		if err := s.rows.Err(); err != nil {
			return failed("read the members", err)
		}
		return nil
	}
	var err error
	if s.uid, s.row, err = s.scan(s.rows); err != nil {
		return fmt.Errorf("read the members: %w", err)
	}
	return nil
}

// seek goes on to the first row of a uid, or of one after it, and tells whether it is of the uid.
func (s *stream[T]) seek(uid uint32) (bool, error) {
	for !s.done && s.uid < uid {
		if err := s.next(); err != nil {
			return false, err
		}
	}
	return !s.done && s.uid == uid, nil
}

// person is who a member is.
type person struct {
	actor               muster.Actor
	userID, anonymousID *string
}

func scanPerson(rows driver.Rows) (uid uint32, who person, err error) {
	var actor uint64
	err = rows.Scan(&uid, &actor, &who.userID, &who.anonymousID)
	who.actor = muster.Actor(actor)
	return uid, who, err
}

// sighting is when a member was seen, in milliseconds since the epoch.
type sighting struct{ first, last int64 }

func scanSighting(rows driver.Rows) (uid uint32, seen sighting, err error) {
	err = rows.Scan(&uid, &seen.first, &seen.last)
	return uid, seen, err
}

// placedValue is a value and the place of its attribute in the request, from 1.
type placedValue struct {
	place uint64
	value
}

func scanValue(rows driver.Rows) (uid uint32, v placedValue, err error) {
	var number *float64
	err = rows.Scan(&uid, &v.place, &v.kind, &v.text, &number, &v.list)
	if number != nil {
		v.number = *number
	}
	if v.kind == "null" {
		v.value = value{}
	}
	return uid, v, err
}
