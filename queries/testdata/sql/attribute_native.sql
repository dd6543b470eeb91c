-- last_seen is in the last 7 days and sessions is at least 3 and email ends with @example.com
-- now = 1772366400000
-- p1 = @example.com
-- p2 = email
-- p3 = 1771761600001
-- p4 = 1772366400001
-- p5 = 20507
-- p6 = 20514
-- p7 = 3
-- p8 = ['email']
-- p9 = 10
-- project = 1
WITH
(
  SELECT tuple(
    dictGet('actor_uids', 'uid', toUInt64({project:UInt32})),
    groupBitmapStateIf(uid, about = 0),
    groupBitmapStateIf(uid, about = 1 OR about = 3)
  )
  FROM (
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, toUInt64(0) AS about FROM activity
    WHERE project = {project:UInt32} AND first_seen > fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    UNION ALL
    SELECT uid, toUInt64(1) AS about FROM actors
    WHERE project = {project:UInt32} AND if(kind = 'user', rank, 0) > 0
    UNION ALL
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, indexOf({p8:Array(String)}, attribute) + 2 AS about FROM latest_attributes
    WHERE project = {project:UInt32} AND attribute IN {p8:Array(String)}
      AND (if(attribute = '' OR bitTest(actor, 0) = 1, 1, 0) = 1 OR time > fromUnixTimestamp64Milli({now:Int64}, 'UTC')) AND (time > fromUnixTimestamp64Milli({now:Int64}, 'UTC') OR toBool(dictGet('actor_uids', 'rank', actor)))
  )
) AS apart,
leaves AS (
  SELECT toUInt16(0) AS leaf, bitmapAndnot(groupBitmapStateIf(uid, rank = 0), bitmapBuild(groupUniqArrayArray(vacated))) AS bitmap
  FROM actors
  WHERE project = {project:UInt32}
  UNION ALL
  SELECT toUInt16(4) AS leaf, groupBitmapState(dictGet('actor_uids', 'uid', actor)) AS bitmap
  FROM activity
  WHERE bitmapCardinality(apart.2) > 0 AND project = {project:UInt32} AND first_seen <= fromUnixTimestamp64Milli({now:Int64}, 'UTC') AND bitmapContains(apart.2, dictGet('actor_uids', 'uid', actor))
  UNION ALL
  SELECT toUInt16(1) AS leaf, groupBitmapState(uid) AS bitmap
  FROM (
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, kind, text, number, instant, day, list
    FROM latest_attributes FINAL
    WHERE project = {project:UInt32} AND attribute = {p2:String}
      AND (kind = 'text' AND endsWith(text, {p1:String}))
      AND (bitmapCardinality(apart.3) = 0 OR NOT bitmapContains(apart.3, uid))
    UNION ALL
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, (argMax((said.kind, said.text, said.number, said.instant, said.day, said.list, said.source), (time, received)) AS value).1 AS kind, value.2 AS text, value.3 AS number, value.4 AS instant, value.5 AS day, value.6 AS list
    FROM attribute_snapshots AS said FINAL
    WHERE bitmapCardinality(apart.3) > 0 AND project = {project:UInt32} AND attribute = {p2:String} AND bitmapContains(apart.3, uid)
      AND time <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    GROUP BY uid
    HAVING true
      AND (kind = 'text' AND endsWith(text, {p1:String}))
  )
  UNION ALL
  SELECT toUInt16(2) AS leaf, groupBitmapState(uid) AS bitmap
  FROM (
    SELECT * FROM (
      WITH (
        SELECT groupBitmapState(dictGet('actor_uids', 'uid', actor)) FROM activity WHERE project = {project:UInt32} AND last_seen > fromUnixTimestamp64Milli({now:Int64}, 'UTC')
      ) AS later
      SELECT uid, 'time' AS kind, '' AS text, CAST(NULL AS Nullable(Float64)) AS number, toNullable(toUnixTimestamp64Milli(max(last_seen))) AS instant, CAST(NULL AS Nullable(Int32)) AS day, emptyArrayString() AS list
      FROM (
        SELECT dictGet('actor_uids', 'uid', actor) AS uid, first_seen, last_seen FROM activity
        WHERE project = {project:UInt32} AND NOT bitmapContains(later, uid)
        UNION ALL
        SELECT dictGet('actor_uids', 'uid', actor) AS uid, least(time, toDateTime64(received, 3, 'UTC')) AS first_seen, least(time, toDateTime64(received, 3, 'UTC')) AS last_seen FROM events FINAL
        WHERE bitmapCardinality(later) > 0 AND project = {project:UInt32} AND least(time, toDateTime64(received, 3, 'UTC')) <= fromUnixTimestamp64Milli({now:Int64}, 'UTC') AND bitmapContains(later, uid)
      )
      GROUP BY uid
    )
    WHERE true
      AND (ifNull(instant >= {p3:Int64} AND instant < {p4:Int64}, false) OR ifNull(day >= {p5:Int64} AND day < {p6:Int64}, false))
  )
  UNION ALL
  SELECT toUInt16(3) AS leaf, groupBitmapState(uid) AS bitmap
  FROM (
    SELECT * FROM (
      SELECT uid, 'number' AS kind, '' AS text, toNullable(toFloat64(1 + arrayCount((a, b) -> b - a > 1800000, arrayPopBack(times), arrayPopFront(times)))) AS number, CAST(NULL AS Nullable(Int64)) AS instant, CAST(NULL AS Nullable(Int32)) AS day, emptyArrayString() AS list
      FROM (
        SELECT uid, arraySort(groupArray(seen)) AS times
        FROM (
          SELECT dictGet('actor_uids', 'uid', actor) AS uid, toUnixTimestamp64Milli(least(time, toDateTime64(received, 3, 'UTC'))) AS seen
          FROM events FINAL
          WHERE project = {project:UInt32} AND seen <= {now:Int64}
        )
        GROUP BY uid
      )
    )
    WHERE true
      AND ifNull(number >= {p7:Float64}, false)
  )
),
wide AS (
  SELECT
    groupBitmapMergeStateIf(bitmap, leaf = 0) AS known,
    bitmapBuild(range(toUInt32(apart.1 + 1), toUInt32(greatest(apart.1, bitmapMax(known)) + 1))) AS unknown,
    bitmapAndnot(known, bitmapOr(unknown, bitmapAndnot(apart.2, groupBitmapMergeStateIf(bitmap, leaf = 4)))) AS l0,
    groupBitmapMergeStateIf(bitmap, leaf = 1) AS l1,
    groupBitmapMergeStateIf(bitmap, leaf = 2) AS l2,
    groupBitmapMergeStateIf(bitmap, leaf = 3) AS l3
  FROM leaves
),
sets AS (
  SELECT
    *,
    bitmapAnd(l1, bitmapAnd(l2, l3)) AS s0
  FROM wide
),
results AS (
  SELECT target, members, l0 AS everyone
  FROM sets
  ARRAY JOIN
    [toUInt16(0)] AS target,
    [bitmapAnd(l0, s0)] AS members
)
SELECT
  target,
  bitmapCardinality(members) AS size,
  bitmapCardinality(everyone) AS of,
  bitmapToArray(bitmapSubsetLimit(members, 0, {p9:UInt64})) AS sample
FROM results
ORDER BY target
