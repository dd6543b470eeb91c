package queries

import "strconv"

// People returns the statement for what a list shows of users: per uid the actor it is known by, its ids, when it was
// first and last seen. The rows come in the order of the uids.
func People(scope Scope, uids []uint32) Statement {
	b := newBuilder(scope)
	list := b.bind("Array(UInt32)", unsigned(uids))
	return Statement{SQL: `
SELECT uid, argMin(actor, rank) AS known_by, groupArray(actor) AS actors,
  argMinIf(id, rank, kind = 'user') AS user_id, countIf(kind = 'user') > 0 AS identified,
  argMinIf(id, rank, kind = 'anonymous') AS anonymous_id, countIf(kind = 'anonymous') > 0 AS has_anonymous
FROM actors FINAL
WHERE project = {project:UInt32} AND uid IN ` + list + `
GROUP BY uid
ORDER BY uid`, Parameters: b.parameters}
}

// Facts returns the statement for the attributes of users as of the scope's now, given all of their actors: one row per uid
// and attribute, with the latest value over the user's actors, unless that was unset. No names asks for all attributes.
func Facts(scope Scope, actors []uint64, names []string) Statement {
	b := newBuilder(scope)
	sql := `
SELECT uid, attribute, value.1 AS kind, value.2 AS text, value.3 AS number, value.4 AS list, value.5 AS source, value.6 AS time
FROM (
  SELECT *, maxIf(said, attribute = ` + removal + `) OVER (PARTITION BY uid) AS removed
  FROM (
    SELECT ` + uidOf + ` AS uid, attribute,
      argMax((toString(kind), text, number, list, toString(source), time, ` + removable + `), (time, received)) AS value,
      max((time, received)) AS said
    FROM attribute_snapshots FINAL
    WHERE project = {project:UInt32} AND actor IN ` + b.bind("Array(UInt64)", unsigned(actors))
	if len(names) > 0 {
		sql += ` AND (attribute IN ` + b.texts(names) + ` OR attribute = ` + removal + `)`
	}
	return Statement{SQL: sql + ` AND time <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')` + knownBy(&b, scope) + `
    GROUP BY uid, attribute
  )
)
WHERE kind != 'null' AND NOT (value.7 AND said < removed)
ORDER BY uid, attribute`, Parameters: b.parameters}
}

// Sightings returns the statement for when users were first and last seen as of the scope's now, given all of their actors. Only
// for those who were seen since are the events read.
func Sightings(scope Scope, actors []uint64) Statement {
	b := newBuilder(scope)
	list := b.bind("Array(UInt64)", unsigned(actors))
	later := "last_seen > fromUnixTimestamp64Milli({now:Int64}, 'UTC')"
	if !scope.KnownAt.IsZero() {
		later = "true" // activity does not tell when what it knows was received
	}
	return Statement{SQL: `
WITH (
  SELECT groupBitmapState(` + uidOf + `) FROM activity
  WHERE project = {project:UInt32} AND actor IN ` + list + ` AND ` + later + `
) AS later
SELECT uid, min(first) AS first_seen, max(last) AS last_seen
FROM (
  SELECT ` + uidOf + ` AS uid, first_seen AS first, last_seen AS last
  FROM activity
  WHERE project = {project:UInt32} AND actor IN ` + list + ` AND NOT bitmapContains(later, uid)
  UNION ALL
  SELECT ` + uidOf + ` AS uid, least(time, toDateTime64(received, 3, 'UTC')) AS first, first AS last
  FROM events
  WHERE bitmapCardinality(later) > 0 AND project = {project:UInt32} AND actor IN ` + list + ` AND bitmapContains(later, uid)
    AND first <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')` + knownBy(&b, scope) + `
)
GROUP BY uid
ORDER BY uid`, Parameters: b.parameters}
}

// Sessions returns the statement for how many sessions users had as of the scope's now, given all of their actors. It reads
// their events.
func Sessions(scope Scope, actors []uint64) Statement {
	b := newBuilder(scope)
	return Statement{SQL: `
SELECT uid, toUInt64(1 + arrayCount((a, b) -> b - a > 1800000, arrayPopBack(times), arrayPopFront(times))) AS sessions
FROM (
  SELECT uid, arraySort(groupArray(seen)) AS times
  FROM (
    SELECT ` + uidOf + ` AS uid, toUnixTimestamp64Milli(` + sighting + `) AS seen
    FROM events FINAL
    WHERE project = {project:UInt32} AND actor IN ` + b.bind("Array(UInt64)", unsigned(actors)) + ` AND seen <= {now:Int64}` + knownBy(&b, scope) + `
  )
  GROUP BY uid
)
ORDER BY uid`, Parameters: b.parameters}
}

// knownBy prints the condition that a row was received by the time things are known at, where there is one.
func knownBy(b *builder, scope Scope) string {
	if scope.KnownAt.IsZero() {
		return ""
	}
	return " AND received <= fromUnixTimestamp64Micro(" + b.bind("Int64", strconv.FormatInt(scope.KnownAt.UnixMicro(), 10)) + ", 'UTC')"
}
