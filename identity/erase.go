package identity

import (
	"context"
	"fmt"

	"muster"
	"muster/clickhouse"
)

// Person is a user as the index has it.
type Person struct {
	UID    uint32
	Actors []muster.Actor // all that are this user, the one it is known by among them
	// Identifiers are the actors as they were sent, in the same order.
	Identifiers []muster.Identifier
	// Vacated are the uids that actors of the user had before they were this user, and that nobody has any more.
	Vacated []uint32
}

// Person finds the user that an actor is.
func (x *Index) Person(ctx context.Context, project muster.ProjectID, actor muster.Actor) (Person, error) {
	var p Person
	rows, err := x.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": num(project), "actor": actorArray([]muster.Actor{actor}),
	}), `
		SELECT actor, uid, toInt8(kind), id
		FROM actors FINAL
		WHERE project = {project:UInt32} AND uid IN (
			SELECT uid FROM actors FINAL WHERE project = {project:UInt32} AND actor IN {actor:Array(UInt64)})`)
	if err != nil {
		return p, fmt.Errorf("read a user's actors: %w", err)
	}
	p.Actors, err = collect(rows, func(scan func(...any) error) (muster.Actor, error) {
		var own uint64
		var kind int8
		var id string
		err := scan(&own, &p.UID, &kind, &id)
		p.Identifiers = append(p.Identifiers, muster.Identifier{Kind: muster.ActorKind(kind), ID: id})
		return muster.Actor(own), err
	})
	if err != nil {
		return p, fmt.Errorf("read a user's actors: %w", err)
	}
	if len(p.Actors) == 0 {
		return p, &muster.Error{
			Code: muster.NotFound, Detail: fmt.Sprintf("there is no user %s in this project", actor),
			Hint: "use the \"user\" field of a list",
		}
	}
	rows, err = x.db.Query(clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": num(project), "actors": actorArray(p.Actors),
	}), `
		WITH had AS (SELECT DISTINCT uid FROM actor_places WHERE project = {project:UInt32} AND actor IN {actors:Array(UInt64)})
		SELECT uid FROM had
		WHERE uid NOT IN (SELECT uid FROM actors FINAL WHERE project = {project:UInt32} AND uid IN (SELECT uid FROM had))`)
	if err != nil {
		return p, fmt.Errorf("read a user's former uids: %w", err)
	}
	p.Vacated, err = collect(rows, func(scan func(...any) error) (uint32, error) {
		var uid uint32
		err := scan(&uid)
		return uid, err
	})
	return p, err
}

// Unsay removes all that was said of the user's actors, so that the index cannot make the user again of it.
func (x *Index) Unsay(ctx context.Context, project muster.ProjectID, p Person) error {
	err := x.db.Exec(clickhouse.WithParameters(ctx, clickhouse.Parameters{"project": num(project), "actors": actorArray(p.Actors)}),
		`DELETE FROM identities
		WHERE project = {project:UInt32} AND (actor IN {actors:Array(UInt64)} OR linked IN {actors:Array(UInt64)})`)
	if err != nil {
		return fmt.Errorf("erase what was said of a user's identifiers: %w", err)
	}
	return nil
}

// Forget removes the user from the index. Its uid is not given out again; an actor of it that is heard of later is a new
// user.
func (x *Index) Forget(ctx context.Context, project muster.ProjectID, p Person) error {
	ctx = clickhouse.WithParameters(ctx, clickhouse.Parameters{
		"project": num(project), "uid": num(p.UID), "actors": actorArray(p.Actors),
	})
	for _, sql := range []string{
		// The view has done this already, unless a server died between an insert and what the view makes of it.
		`INSERT INTO actor_heights (project, uid, version)
			SELECT a.project, max(a.uid), max(a.version) FROM actors AS a WHERE a.project = {project:UInt32} GROUP BY a.project`,
		`DELETE FROM actor_places WHERE project = {project:UInt32} AND actor IN {actors:Array(UInt64)}`,
		`DELETE FROM actors WHERE project = {project:UInt32} AND (uid = {uid:UInt32} OR actor IN {actors:Array(UInt64)})`,
	} {
		if err := x.db.Exec(ctx, sql); err != nil {
			return fmt.Errorf("take a user out of the index: %w", err)
		}
	}
	return x.reload(ctx)
}
