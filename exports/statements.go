package exports

// The statements read the members of a run by their uid, a span of buckets at a time: no list of users travels, and the
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

// bounded keeps a statement's memory within limits: on the server, and here, where the driver holds a few blocks of each
// result.
const bounded = `
SETTINGS max_block_size = 8192, max_bytes_before_external_sort = 268435456, max_bytes_before_external_group_by = 268435456`

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
SELECT uid, toUnixTimestamp64Milli(min(earliest)) AS first_seen, toUnixTimestamp64Milli(max(latest)) AS last_seen
FROM (
  SELECT ` + uidOf + ` AS uid, first_seen AS earliest, last_seen AS latest
  FROM activity
  WHERE project = {project:UInt32} AND bitmapContains(member_set, uid) AND NOT bitmapContains(later_set, uid)
  UNION ALL
  SELECT ` + uidOf + ` AS uid, least(time, toDateTime64(received, 3, 'UTC')) AS earliest, earliest AS latest
  FROM events
  WHERE bitmapCardinality(later_set) > 0 AND project = {project:UInt32} AND earliest <= ` + now + `
    AND bitmapContains(member_set, uid) AND bitmapContains(later_set, uid)
)
GROUP BY uid
ORDER BY uid` + bounded

// catalogSQL has one row per attribute: the kinds of its values, of whatever user and time.
const catalogSQL = `
SELECT toString(attribute) AS name, arraySort(groupUniqArray(toString(kind))) AS kinds
FROM attribute_names
WHERE project = {project:UInt32} AND attribute IN {attributes:Array(String)} AND kind != 'null'
GROUP BY name`

// valueSets has the members, those of whom some actor said something after the run, and when members were last removed from.
const valueSets = `
WITH ` + memberSet + `,
  (
    SELECT groupBitmapState(` + uidOf + `)
    FROM latest_attributes
    WHERE project = {project:UInt32} AND attribute IN {attributes:Array(String)} AND time > ` + now + `
  ) AS later_set,
  removals AS (
    SELECT ` + uidOf + ` AS uid, max((time, received)) AS removed
    FROM attribute_snapshots FINAL
    WHERE project = {project:UInt32} AND attribute = '' AND time <= ` + now + ` AND bitmapContains(member_set, uid)
    GROUP BY uid
  )`

// valueRows has what the actors of each member said last, as of the run; of an attribute the user's own value is the latest
// of them. latest_attributes knows it for everybody of whom nothing was said since. Theirs, who are few, is found in the
// snapshots, which are not read where there are none.
//
// A removal, which is a snapshot without a name, unsets what custom attributes were before; see package queries.
const valueRows = `
  SELECT uid, indexOf({attributes:Array(String)}, attribute) AS place,
    source = 'custom' AND NOT startsWith(attribute, 'group.') AND (time, received) < removed AS unset,
    if(unset, 'null', toString(kind)) AS kind_name, if(unset, '', said_text) AS text, if(unset, NULL, said_number) AS number,
    if(unset, emptyArrayString(), said_list) AS list, time, received
  FROM (
    SELECT ` + uidOf + ` AS uid, attribute, kind, text AS said_text, number AS said_number, list AS said_list, time, received, source
    FROM latest_attributes FINAL
    WHERE project = {project:UInt32} AND attribute IN {attributes:Array(String)} AND bitmapContains(member_set, uid)
      AND NOT bitmapContains(later_set, uid)
    UNION ALL
    SELECT uid, attribute, value.1 AS kind, value.2 AS said_text, value.3 AS said_number, value.4 AS said_list, value.5 AS time,
      value.6 AS received, value.7 AS source
    FROM (
      SELECT ` + uidOf + ` AS uid, attribute, argMax((kind, text, number, list, time, received, source), (time, received)) AS value
      FROM attribute_snapshots FINAL
      WHERE bitmapCardinality(later_set) > 0 AND project = {project:UInt32} AND attribute IN {attributes:Array(String)}
        AND time <= ` + now + ` AND bitmapContains(member_set, uid) AND bitmapContains(later_set, uid)
      GROUP BY uid, attribute
    )
  ) AS last
  LEFT JOIN removals USING uid`

// sessionRows adds how many sessions each member had as of the run, as an attribute. A session ends when nothing follows
// for 30 minutes.
const sessionRows = `
  UNION ALL
  SELECT uid, indexOf({attributes:Array(String)}, 'sessions') AS place, 'number' AS kind_name, '' AS text,
    toNullable(toFloat64(1 + arrayCount((a, b) -> b - a > 1800000, arrayPopBack(times), arrayPopFront(times)))) AS number,
    emptyArrayString() AS list, ` + now + ` AS time, toDateTime64(0, 6, 'UTC') AS received
  FROM (
    SELECT uid, arraySort(groupArray(sighting)) AS times
    FROM (
      SELECT ` + uidOf + ` AS uid, toUnixTimestamp64Milli(least(time, toDateTime64(received, 3, 'UTC'))) AS sighting
      FROM events
      WHERE project = {project:UInt32} AND sighting <= {now:Int64} AND bitmapContains(member_set, uid)
    )
    GROUP BY uid
  )`

// kindsSQL has one row for each kind of values the members have of an attribute.
const kindsSQL = valueSets + `
SELECT place, latest AS kind_name
FROM (
  SELECT uid, place, argMax(kind_name, (time, received)) AS latest
  FROM (` + valueRows + `
  )
  GROUP BY uid, place
)
WHERE latest != 'null'
GROUP BY place, latest
ORDER BY place, latest` + bounded

// valuesSQL has the rows of valueRows in the order of uids, attributes and times.
const valuesSQL = valueSets + `
SELECT uid, place, kind_name, text, number, list
FROM (` + valueRows + `
)
ORDER BY uid, place, time, received` + bounded

// valuesAndSessionsSQL is valuesSQL for a request that has the sessions among its attributes.
const valuesAndSessionsSQL = valueSets + `
SELECT uid, place, kind_name, text, number, list
FROM (
  SELECT uid, place, kind_name, text, number, list, time, received FROM (` + valueRows + `
  )` + sessionRows + `
)
ORDER BY uid, place, time, received` + bounded
