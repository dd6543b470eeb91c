-- completed tour-x or the latest answer to q1 of survey-y is Yes
-- now = 1772366400000
-- p1 = experience
-- p10 = 1772366400001
-- p11 = Yes
-- p12 = 10
-- p2 = survey-y
-- p3 = question
-- p4 = q1
-- p5 = answer
-- p6 = tour-x
-- p7 = interaction
-- p8 = completed
-- p9 = $experience
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
        argMaxIf(ifNull(properties.{p5:Identifier}.:String = {p11:String}, false), (time, received), (ifNull(properties.{p1:Identifier}.:String = {p2:String}, false) AND ifNull(properties.{p3:Identifier}.:String = {p4:String}, false) AND isNotNull(properties.{p5:Identifier}))) AS m0,
        max((ifNull(properties.{p1:Identifier}.:String = {p6:String}, false) AND ifNull(properties.{p7:Identifier}.:String = {p8:String}, false))) AS m1
      FROM events FINAL
      WHERE project = {project:UInt32} AND event = {p9:String} AND time < fromUnixTimestamp64Milli({p10:Int64}, 'UTC')
        AND ((ifNull(properties.{p1:Identifier}.:String = {p2:String}, false) AND ifNull(properties.{p3:Identifier}.:String = {p4:String}, false) AND isNotNull(properties.{p5:Identifier})) OR (ifNull(properties.{p1:Identifier}.:String = {p6:String}, false) AND ifNull(properties.{p7:Identifier}.:String = {p8:String}, false)))
      GROUP BY uid
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
    bitmapOr(l1, l2) AS s0
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
  bitmapToArray(bitmapSubsetLimit(members, 0, {p12:UInt64})) AS sample
FROM results
ORDER BY target
