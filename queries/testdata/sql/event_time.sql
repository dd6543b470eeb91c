-- last did purchase longer ago than 7 days
-- now = 1772366400000
-- p1 = 1771761600001
-- p2 = purchase
-- p3 = 1772366400001
-- p4 = 10
-- project = 1
WITH
(
  SELECT tuple(
    dictGet('actor_uids', 'uid', toUInt64({project:UInt32})),
    groupBitmapStateIf(uid, about = 0)
  )
  FROM (
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, toUInt64(0) AS about FROM activity
    WHERE project = {project:UInt32} AND first_seen > fromUnixTimestamp64Milli({now:Int64}, 'UTC')
  )
) AS apart,
leaves AS (
  SELECT toUInt16(0) AS leaf, bitmapAndnot(groupBitmapStateIf(uid, rank = 0), bitmapBuild(groupUniqArrayArray(vacated))) AS bitmap
  FROM actors
  WHERE project = {project:UInt32}
  UNION ALL
  SELECT toUInt16(3) AS leaf, groupBitmapState(dictGet('actor_uids', 'uid', actor)) AS bitmap
  FROM activity
  WHERE bitmapCardinality(apart.2) > 0 AND project = {project:UInt32} AND first_seen <= fromUnixTimestamp64Milli({now:Int64}, 'UTC') AND bitmapContains(apart.2, dictGet('actor_uids', 'uid', actor))
  UNION ALL
  SELECT leaf, bitmap
  FROM (
    SELECT
      groupBitmapStateIf(uid, m0) AS b1,
      groupBitmapStateIf(uid, m1) AS b2
    FROM (
      SELECT
        dictGet('actor_uids', 'uid', actor) AS uid,
        time >= fromUnixTimestamp64Milli({p1:Int64}, 'UTC') AS m0,
        time < fromUnixTimestamp64Milli({p1:Int64}, 'UTC') AS m1
      FROM events FINAL
      WHERE project = {project:UInt32} AND event = {p2:String} AND time < fromUnixTimestamp64Milli({p3:Int64}, 'UTC')
        AND (time < fromUnixTimestamp64Milli({p1:Int64}, 'UTC') OR time >= fromUnixTimestamp64Milli({p1:Int64}, 'UTC'))
    )
  )
  ARRAY JOIN [toUInt16(1), toUInt16(2)] AS leaf, [b1, b2] AS bitmap
),
wide AS (
  SELECT
    groupBitmapMergeStateIf(bitmap, leaf = 0) AS known,
    bitmapBuild(range(toUInt32(apart.1 + 1), toUInt32(greatest(apart.1, bitmapMax(known)) + 1))) AS unknown,
    bitmapAndnot(known, bitmapOr(unknown, bitmapAndnot(apart.2, groupBitmapMergeStateIf(bitmap, leaf = 3)))) AS l0,
    groupBitmapMergeStateIf(bitmap, leaf = 1) AS l1,
    groupBitmapMergeStateIf(bitmap, leaf = 2) AS l2
  FROM leaves
),
sets AS (
  SELECT
    *,
    bitmapAnd(bitmapAndnot(l0, l1), l2) AS s0
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
  bitmapToArray(bitmapSubsetLimit(members, 0, {p4:UInt64})) AS sample
FROM results
ORDER BY target
