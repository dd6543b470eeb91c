-- did purchase at least 2 times in the last 30 days and did purchase at most 9 times and not (did purchase in the last 1 day)
-- now = 1772366400000
-- p1 = 1772280000001
-- p2 = 1769774400001
-- p3 = purchase
-- p4 = 1772366400001
-- p5 = 10
-- p6 = 2
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
  SELECT toUInt16(4) AS leaf, groupBitmapState(dictGet('actor_uids', 'uid', actor)) AS bitmap
  FROM activity
  WHERE bitmapCardinality(apart.2) > 0 AND project = {project:UInt32} AND first_seen <= fromUnixTimestamp64Milli({now:Int64}, 'UTC') AND bitmapContains(apart.2, dictGet('actor_uids', 'uid', actor))
  UNION ALL
  SELECT leaf, bitmap
  FROM (
    SELECT
      groupBitmapStateIf(uid, m0 >= {p5:UInt64}) AS b1,
      groupBitmapStateIf(uid, m1) AS b2,
      groupBitmapStateIf(uid, m2 >= {p6:UInt64}) AS b3
    FROM (
      SELECT
        dictGet('actor_uids', 'uid', actor) AS uid,
        count() AS m0,
        max(time >= fromUnixTimestamp64Milli({p1:Int64}, 'UTC')) AS m1,
        countIf(time >= fromUnixTimestamp64Milli({p2:Int64}, 'UTC')) AS m2
      FROM events FINAL
      WHERE project = {project:UInt32} AND event = {p3:String} AND time < fromUnixTimestamp64Milli({p4:Int64}, 'UTC')
      GROUP BY uid
    )
  )
  ARRAY JOIN [toUInt16(1), toUInt16(2), toUInt16(3)] AS leaf, [b1, b2, b3] AS bitmap
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
    bitmapAnd(bitmapAndnot(l0, l1), bitmapAnd(bitmapAndnot(l0, l2), l3)) AS s0
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
  bitmapToArray(bitmapSubsetLimit(members, 0, {p5:UInt64})) AS sample
FROM results
ORDER BY target
