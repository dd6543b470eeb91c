-- did signup, then invite where to is known, then purchase, all within 7 days in the last 90 days
-- now = 1772366400000
-- p1 = signup
-- p2 = invite
-- p3 = to
-- p4 = purchase
-- p5 = 1814399998
-- p6 = ['invite','purchase','signup']
-- p7 = 1764590400001
-- p8 = 1772366400001
-- p9 = 10
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
  SELECT toUInt16(2) AS leaf, groupBitmapState(dictGet('actor_uids', 'uid', actor)) AS bitmap
  FROM activity
  WHERE bitmapCardinality(apart.2) > 0 AND project = {project:UInt32} AND first_seen <= fromUnixTimestamp64Milli({now:Int64}, 'UTC') AND bitmapContains(apart.2, dictGet('actor_uids', 'uid', actor))
  UNION ALL
  SELECT toUInt16(1) AS leaf, groupBitmapStateIf(uid, m0) AS bitmap
  FROM (
    SELECT
      dictGet('actor_uids', 'uid', actor) AS uid,
      windowFunnel({p5:UInt64})(toUInt64(toUnixTimestamp64Milli(time)) * 3 + 2 * (event = {p1:String}) + 1 * (event = {p2:String}), event = {p1:String}, (event = {p2:String} AND isNotNull(properties.{p3:Identifier})), event = {p4:String}) = 3 AS m0
    FROM events FINAL
    WHERE project = {project:UInt32} AND event IN {p6:Array(String)} AND time >= fromUnixTimestamp64Milli({p7:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({p8:Int64}, 'UTC')
    GROUP BY uid
    HAVING m0
  )
),
wide AS (
  SELECT
    groupBitmapMergeStateIf(bitmap, leaf = 0) AS known,
    bitmapBuild(range(toUInt32(apart.1 + 1), toUInt32(greatest(apart.1, bitmapMax(known)) + 1))) AS unknown,
    bitmapAndnot(known, bitmapOr(unknown, bitmapAndnot(apart.2, groupBitmapMergeStateIf(bitmap, leaf = 2)))) AS l0,
    groupBitmapMergeStateIf(bitmap, leaf = 1) AS l1
  FROM leaves
),
results AS (
  SELECT target, members, l0 AS everyone
  FROM wide
  ARRAY JOIN
    [toUInt16(0)] AS target,
    [bitmapAnd(l0, l1)] AS members
)
SELECT
  target,
  bitmapCardinality(members) AS size,
  bitmapCardinality(everyone) AS of,
  bitmapToArray(bitmapSubsetLimit(members, 0, {p9:UInt64})) AS sample
FROM results
ORDER BY target
