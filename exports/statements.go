package exports

// The statements read the members of a run by their uid, a range of buckets at a time: no list of users travels, and the
// results come in the order of uids, so that they are joined while they are read. Sorting and grouping move to disk where
// they are large. All values are parameters.
//
// Identity is that of today: an actor counts for the user it belongs to now.

// uidOf resolves identity: the user an actor is, or zero while the actor is not indexed.
const uidOf = `dictGet('actor_uids', 'uid', actor)`

// now is the time the run was as of.
const now = `fromUnixTimestamp64Milli({now:Int64}, 'UTC')`

// memberSet is the bitmap of the run's members in the buckets.
const memberSet = `(
    SELECT groupBitmapMergeState(members)
    FROM segment_members
    WHERE project = {project:UInt32} AND segment = {segment:String} AND run = {run:UUID}
      AND bucket BETWEEN {first:UInt16} AND {last:UInt16}
  ) AS member_set`

// bounded keeps a statement's memory on the server within limits.
const bounded = `
SETTINGS max_bytes_before_external_sort = 268435456, max_bytes_before_external_group_by = 268435456`

// bucketsSQL lists the buckets in which the run has members.
const bucketsSQL = `
SELECT bucket
FROM segment_members
WHERE project = {project:UInt32} AND segment = {segment:String} AND run = {run:UUID} AND bitmapCardinality(members) > 0
ORDER BY bucket`

// identitiesSQL has one row per member: the actor the user is known by, and the first id of each kind.
const identitiesSQL = `
WITH ` + memberSet + `
SELECT
  uid,
  argMin(actor, rank) AS known_by,
  argMinIf(toNullable(id), rank, kind = 'user') AS user_id,
  argMinIf(toNullable(id), rank, kind = 'anonymous') AS anonymous_id
FROM actors FINAL
WHERE project = {project:UInt32} AND bitmapContains(member_set, uid)
GROUP BY uid
ORDER BY uid` + bounded

// sightingsSQL has one row per member: when the user was first and last seen as of the run, in milliseconds. activity
// knows it for everybody who was not seen since; the events know it for the others.
const sightingsSQL = `
WITH ` + memberSet + `,
  (SELECT groupBitmapState(` + uidOf + `) FROM activity WHERE project = {project:UInt32} AND last_seen > ` + now + `) AS later_set
SELECT uid, toUnixTimestamp64Milli(min(first)) AS first_seen, toUnixTimestamp64Milli(max(last)) AS last_seen
FROM (
  SELECT ` + uidOf + ` AS uid, first_seen AS first, last_seen AS last
  FROM activity
  WHERE project = {project:UInt32} AND bitmapContains(member_set, uid) AND NOT bitmapContains(later_set, uid)
  UNION ALL
  SELECT ` + uidOf + ` AS uid, least(time, toDateTime64(received, 3, 'UTC')) AS first, first AS last
  FROM events
  WHERE bitmapCardinality(later_set) > 0 AND project = {project:UInt32} AND first <= ` + now + `
    AND bitmapContains(member_set, uid) AND bitmapContains(later_set, uid)
)
GROUP BY uid
ORDER BY uid` + bounded

// valueRows has one row per member and attribute: the latest value over all of the user's actors as of the run.
//
// latest_attributes has the latest of each actor. It is the user's for everybody but the mixed: users of whom an actor
// other than the first has a value, or of whom an actor's latest is from after the run. Theirs is found in the snapshots.
// The mixed are few, and where there are none the snapshots are not read.
const valueRows = `
  SELECT ` + uidOf + ` AS uid, indexOf({attributes:Array(String)}, attribute) AS place, kind, text, number, list
  FROM latest_attributes FINAL
  WHERE project = {project:UInt32} AND attribute IN {attributes:Array(String)} AND bitmapContains(member_set, uid)
    AND NOT bitmapContains(mixed_set, uid)
  UNION ALL
  SELECT uid, indexOf({attributes:Array(String)}, attribute) AS place, value.1 AS kind, value.2 AS text, value.3 AS number,
    value.4 AS list
  FROM (
    SELECT ` + uidOf + ` AS uid, attribute, argMax((kind, text, number, list), (time, received)) AS value
    FROM attribute_snapshots FINAL
    WHERE bitmapCardinality(mixed_set) > 0 AND project = {project:UInt32} AND attribute IN {attributes:Array(String)}
      AND time <= ` + now + ` AND bitmapContains(member_set, uid) AND bitmapContains(mixed_set, uid)
    GROUP BY uid, attribute
  )`

// sessionRows adds how many sessions each member had as of the run, as an attribute. A session ends when nothing follows
// for 30 minutes.
const sessionRows = `
  UNION ALL
  SELECT uid, indexOf({attributes:Array(String)}, 'sessions') AS place, 'number' AS kind, '' AS text,
    toNullable(toFloat64(1 + arrayCount((a, b) -> b - a > 1800000, arrayPopBack(times), arrayPopFront(times)))) AS number,
    emptyArrayString() AS list
  FROM (
    SELECT uid, arraySort(groupArray(sighting)) AS times
    FROM (
      SELECT ` + uidOf + ` AS uid, toUnixTimestamp64Milli(least(time, toDateTime64(received, 3, 'UTC'))) AS sighting
      FROM events
      WHERE project = {project:UInt32} AND sighting <= {now:Int64} AND bitmapContains(member_set, uid)
    )
    GROUP BY uid
  )`

const valueSets = `
WITH ` + memberSet + `,
  (
    SELECT groupBitmapState(` + uidOf + `)
    FROM latest_attributes FINAL
    WHERE project = {project:UInt32} AND attribute IN {attributes:Array(String)}
      AND (dictGet('actor_uids', 'rank', actor) > 0 OR time > ` + now + `)
  ) AS mixed_set`

// kindsSQL returns the statement for which kinds of values the members have of each attribute.
func kindsSQL(sessions bool) string {
	return valueSets + `
SELECT place, toString(kind) AS kind_name
FROM (` + rows(sessions) + `
)
WHERE kind != 'null'
GROUP BY place, kind_name
ORDER BY place, kind_name` + bounded
}

// valuesSQL returns the statement for the values of the members, in the order of uids.
func valuesSQL(sessions bool) string {
	return valueSets + `
SELECT uid, place, toString(kind) AS kind_name, text, number, list
FROM (` + rows(sessions) + `
)
WHERE kind != 'null'
ORDER BY uid, place` + bounded
}

func rows(sessions bool) string {
	if sessions {
		return valueRows + sessionRows
	}
	return valueRows
}
