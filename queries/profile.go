package queries

import (
	"strconv"

	"muster"
)

// Identifiers returns the statement for all actors of the user that one actor is of, in the order of their ranks: actor, kind,
// id, uid, rank. It has no rows for an actor that is nobody, and may have rows of another project's number for an actor that
// is of another project: the user is there only where the actor itself is among the rows.
//
// uid and rank are read from the dictionary, which is what every query goes by; the table may hold older versions.
func Identifiers(scope Scope, actor muster.Actor) Statement {
	b := newBuilder(scope)
	own := "dictGet('actor_uids', 'uid', " + b.bind("UInt64", strconv.FormatUint(uint64(actor), 10)) + ")"
	return Statement{SQL: `
SELECT DISTINCT actor, toString(kind) AS sort, id, ` + uidOf + ` AS user, dictGet('actor_uids', 'rank', actor) AS place
FROM actors
WHERE project = {project:UInt32} AND uid != 0 AND uid = ` + own + `
ORDER BY place, actor`, Parameters: b.parameters}
}
