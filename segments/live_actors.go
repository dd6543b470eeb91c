package segments

import (
	"context"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"muster"
	"muster/clickhouse"
)

// placedActor is an actor and the user it is.
type placedActor struct {
	actor muster.Actor
	uid   uint32
}

// followActors takes in what the index of actors gained. Users who won or lost an actor are noted: all that is known of them
// may have changed. A row counts as taken in when the dictionary, through which queries resolve identity, has it too.
func (e *Evaluator) followActors(ctx context.Context, project muster.ProjectID, p *liveProject) error {
	sql := `SELECT actor, uid, rank, version, dictGet('actor_uids', 'uid', actor), dictGet('actor_uids', 'rank', actor)
		FROM actors ` + map[bool]string{true: "FINAL"}[p.version == 0] + `
		WHERE project = {project:UInt32} AND version > {version:UInt64}`
	if p.version > 0 {
		sql += ` ORDER BY version`
	}
	rows, err := e.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": number(project), "version": fmt.Sprint(p.version),
	}), sql)
	if err != nil {
		return failed(ctx, "read the index of actors", err)
	}
	defer rows.Close()
	newest, waiting := p.version, map[uint64]uint64{} // by actor: the version of its newest row, where the dictionary has another
	for rows.Next() {
		var actor, version uint64
		var uid, placed uint32
		var rank, placedRank uint16
		if err := rows.Scan(&actor, &uid, &rank, &version, &placed, &placedRank); err != nil {
			return failed(ctx, "read the index of actors", err)
		}
		p.moved.Add(uid)
		p.moved.Add(placed)
		p.moved.Add(p.members.Place(muster.Actor(actor), uid, rank == 0))
		newest = max(newest, version)
		delete(waiting, actor)
		if placed != uid || placedRank != rank {
			waiting[actor] = version
		}
	}
	if err := rows.Err(); err != nil {
		return failed(ctx, "read the index of actors", err)
	}
	for _, version := range waiting {
		newest = min(newest, version-1)
	}
	p.moved.Remove(0)
	p.version = newest
	return nil
}

// followErased takes erased users out of everything that is remembered, as they were taken out of the runs: nobody exits by it.
// From then on they are left out of all that is read, which may be older.
func (e *Evaluator) followErased(ctx context.Context, project muster.ProjectID, p *liveProject) error {
	var uids []uint32
	var last time.Time
	err := e.db.QueryRow(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": number(project), "since": number(max(p.erasing.Add(-clockSkew).UnixMilli(), 0)),
	}), `
		SELECT groupUniqArray(uid), max(erased_at) FROM erased_users
		WHERE project = {project:UInt32} AND erased_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')`).Scan(&uids, &last)
	if err != nil {
		return failed(ctx, "look for erased users", err)
	}
	fresh := roaring.AndNot(roaring.BitmapOf(uids...), p.erased)
	if fresh.IsEmpty() {
		return nil
	}
	p.erased.Or(fresh)
	p.erasing = last
	p.members.Erase(fresh)
	p.unsaved.AndNot(fresh)
	if p.leaves != nil {
		p.leaves.erase(fresh)
	}
	return nil
}

// actorsOf returns the actors of users; also some that were theirs once.
func (e *Evaluator) actorsOf(ctx context.Context, project muster.ProjectID, users *roaring.Bitmap) ([]placedActor, error) {
	table, err := clickhouse.NewTable("wanted", clickhouse.Column{Name: "uid", Type: "UInt32"})
	if err != nil {
		return nil, fmt.Errorf("name users: %w", err)
	}
	for _, uid := range users.ToArray() {
		if err := table.Append(uid); err != nil {
			return nil, fmt.Errorf("name users: %w", err)
		}
	}
	rows, err := e.db.Query(clickhouse.WithTable(ctx, clickhouse.Parameters{"project": number(project)}, table), `
		SELECT actor, uid FROM actors WHERE project = {project:UInt32} AND uid IN (SELECT uid FROM wanted)`)
	if err != nil {
		return nil, failed(ctx, "read the actors of users", err)
	}
	defer rows.Close()
	all := make([]placedActor, 0, users.GetCardinality())
	for rows.Next() {
		var actor uint64
		var a placedActor
		if err := rows.Scan(&actor, &a.uid); err != nil {
			return nil, failed(ctx, "read the actors of users", err)
		}
		a.actor = muster.Actor(actor)
		all = append(all, a)
	}
	if err := rows.Err(); err != nil {
		return nil, failed(ctx, "read the actors of users", err)
	}
	return all, nil
}
