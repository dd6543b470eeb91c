package identity

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"muster"
	"muster/clickhouse"
)

// candidate is an actor the dictionary does not place where it was said to belong.
type candidate struct {
	project muster.ProjectID
	actor   muster.Actor
	fresh   bool // it has no uid at all
}

// newestArrival is when the newest identities row was inserted, on the server's clock.
func (x *Index) newestArrival(ctx context.Context) (time.Time, error) {
	var t time.Time
	if err := x.db.QueryRow(ctx, `SELECT max(inserted) FROM identities`).Scan(&t); err != nil {
		return t, fmt.Errorf("find the newest identity: %w", err)
	}
	return t, nil
}

// unindexed lists the actors of rows inserted since a time that have no uid, or another one than the actor they are
// linked to. The second sort includes a few for which nothing is to be done, such as a shared browser's later users.
func (x *Index) unindexed(ctx context.Context, since time.Time) ([]candidate, error) {
	rows, err := x.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"since": num(max(since.UnixMilli(), 0)), "limit": num(passSize),
	}), `
		SELECT DISTINCT project, actor, true AS fresh
		FROM identities
		WHERE inserted >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND NOT dictHas('actor_uids', actor)
		LIMIT {limit:UInt32}
		UNION ALL
		SELECT DISTINCT project, actor, false AS fresh
		FROM identities
		WHERE inserted >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND link != 'none'
			AND dictGet('actor_uids', 'uid', actor) != dictGet('actor_uids', 'uid', linked)
			AND dictHas('actor_uids', actor)`)
	if err != nil {
		return nil, fmt.Errorf("find actors that are not indexed: %w", err)
	}
	return collect(rows, func(scan func(...any) error) (candidate, error) {
		var project uint32
		var actor uint64
		var fresh bool
		err := scan(&project, &actor, &fresh)
		return candidate{muster.ProjectID(project), muster.Actor(actor), fresh}, err
	})
}

// sayings reads all that was said of the given actors, of those they are linked to and of those linked to them.
func (x *Index) sayings(ctx context.Context, project muster.ProjectID, actors []muster.Actor) ([]saying, error) {
	var all []saying
	known := map[muster.Actor]bool{}
	for next := sortedActors(actors); len(next) > 0; {
		for _, a := range next {
			known[a] = true
		}
		rows, err := x.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{
			"project": num(project), "actors": actorArray(next),
		}), `
			SELECT actor, toUInt8(kind), toUInt8(link), linked, any(id), min(time)
			FROM identities
			WHERE project = {project:UInt32} AND (actor IN {actors:Array(UInt64)} OR linked IN {actors:Array(UInt64)})
			GROUP BY actor, kind, link, linked`)
		if err != nil {
			return nil, fmt.Errorf("read identities: %w", err)
		}
		found, err := collect(rows, scanSaying)
		if err != nil {
			return nil, fmt.Errorf("read identities: %w", err)
		}
		next = nil
		for _, say := range found {
			all = append(all, say)
			for _, a := range []muster.Actor{say.actor, say.linked} {
				if a != 0 && !known[a] {
					next = append(next, a)
				}
			}
		}
		next = sortedActors(next)
	}
	return all, nil
}

func scanSaying(scan func(...any) error) (saying, error) {
	var s saying
	var actor, linked uint64
	var kind, how uint8
	err := scan(&actor, &kind, &how, &linked, &s.id, &s.time)
	s.actor, s.linked, s.kind, s.link = muster.Actor(actor), muster.Actor(linked), muster.ActorKind(kind), link(how)
	return s, err
}

// state reads where the actors stand, which ranks their users have given out, and the index's newest version.
func (x *Index) state(ctx context.Context, project muster.ProjectID, sayings []saying) (state, uint64, error) {
	s := state{places: map[muster.Actor]place{}, vacated: map[muster.Actor][]uint32{}, ranks: map[uint32]uint16{}}
	var actors []muster.Actor
	for _, say := range sayings {
		actors = append(actors, say.actor)
	}
	ctx = clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": num(project), "actors": actorArray(sortedActors(actors)),
	})
	var version uint64
	var highest uint32
	// actor_heights knows what was ever written, also of rows that are gone; what was written a moment ago, actors knows.
	err := x.db.QueryRow(ctx, `
		SELECT max(version), max(uid)
		FROM (
			SELECT version, uid FROM actors WHERE project = {project:UInt32}
			UNION ALL
			SELECT version, uid FROM actor_heights WHERE project = {project:UInt32}
		)`).Scan(&version, &highest)
	if err != nil {
		return s, 0, fmt.Errorf("read the index's version: %w", err)
	}
	s.nextUID = highest + 1
	rows, err := x.db.Query(ctx, `
		SELECT actor, uid, rank, vacated
		FROM actors FINAL
		WHERE project = {project:UInt32} AND uid IN (
			SELECT uid FROM actors FINAL WHERE project = {project:UInt32} AND actor IN {actors:Array(UInt64)})`)
	if err != nil {
		return s, 0, fmt.Errorf("read the index: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var actor uint64
		var p place
		var vacated []uint32
		if err := rows.Scan(&actor, &p.uid, &p.rank, &vacated); err != nil {
			return s, 0, fmt.Errorf("read the index: %w", err)
		}
		s.places[muster.Actor(actor)] = p
		if len(vacated) > 0 {
			s.vacated[muster.Actor(actor)] = vacated
		}
		s.ranks[p.uid] = max(s.ranks[p.uid], p.rank)
	}
	return s, version, rows.Err()
}

// collect reads all rows of a result and closes it.
func collect[T any](rows driver.Rows, scan func(func(...any) error) (T, error)) ([]T, error) {
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// num prints a number as a query parameter.
func num[T ~uint32 | ~uint64 | ~int64 | ~int](n T) string {
	return strconv.FormatInt(int64(n), 10)
}

// actorArray prints actors as a query parameter of type Array(UInt64).
func actorArray(actors []muster.Actor) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, a := range actors {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(uint64(a), 10))
	}
	b.WriteByte(']')
	return b.String()
}
