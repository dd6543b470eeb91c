package segments

import (
	"context"
	"slices"

	"muster"
	"muster/clickhouse"
	"muster/queries"
)

// Identifier is one actor of a user.
type Identifier struct {
	Actor muster.Actor
	Kind  string // "user" or "anonymous"
	ID    string // as it was sent, byte for byte
	Rank  uint16 // 0 is the one the user is known by; the others follow in the order they joined
}

// identity is a user with all of its actors, in the order of their ranks.
type identity struct {
	uid    uint32
	actors []Identifier
}

// identityOf finds the user an actor is of: by its address, or by that of any actor that joined it. What is read is added to
// the statistics.
func (e *Evaluator) identityOf(ctx context.Context, scope queries.Scope, actor muster.Actor, read *clickhouse.Statistics) (identity, error) {
	statement := queries.Identifiers(scope, actor)
	rows, err := e.db.Query(clickhouse.WithStatistics(ctx, statement.Parameters, read), statement.SQL)
	if err != nil {
		return identity{}, failed(ctx, "find the user", err)
	}
	defer rows.Close()
	var who identity
	for rows.Next() {
		var i Identifier
		var number uint64
		var uid uint32
		if err := rows.Scan(&number, &i.Kind, &i.ID, &uid, &i.Rank); err != nil {
			return identity{}, failed(ctx, "find the user", err)
		}
		i.Actor = muster.Actor(number)
		if i.Actor == actor {
			who.uid = uid
		}
		who.actors = append(who.actors, i)
	}
	if err := rows.Err(); err != nil {
		return identity{}, failed(ctx, "find the user", err)
	}
	if who.uid == 0 {
		return identity{}, &muster.Error{
			Code: muster.NotFound, Detail: "there is no user " + actor.String() + " in this project",
			Hint: "POST /api/v1/users/query lists users; their \"user\" is the address",
		}
	}
	return who, nil
}

// knownBy is the actor the user is known by.
func (i identity) knownBy() Identifier { return i.actors[0] }

// id returns the id the user is known by, of one kind of actor, or nil.
func (i identity) id(kind string) *string {
	at := slices.IndexFunc(i.actors, func(a Identifier) bool { return a.Kind == kind })
	if at < 0 {
		return nil
	}
	return &i.actors[at].ID
}

// among returns the scope of nobody but the user.
func (i identity) among(scope queries.Scope) queries.Scope {
	scope.Actors = make([]muster.Actor, len(i.actors))
	for at, a := range i.actors {
		scope.Actors[at] = a.Actor
	}
	return scope
}
