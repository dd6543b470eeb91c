-- renewal is in the next 1 month
-- now = 1772366400000
-- p1 = 1772366400001
-- p2 = 1775041200001
-- p3 = 20514
-- p4 = 20545
-- p5 = renewal
-- p6 = ['renewal']
-- p7 = ['','renewal']
-- p8 = 10
-- project = 1
WITH
(
  SELECT tuple(
    dictGet('actor_uids', 'uid', toUInt64({project:UInt32})),
    groupBitmapStateIf(uid, about = 0),
    groupBitmapStateIf(uid, about = 1 OR about = 3 OR about = 2)
  )
  FROM (
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, toUInt64(0) AS about FROM activity
    WHERE project = {project:UInt32} AND first_seen > fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    UNION ALL
    SELECT uid, toUInt64(1) AS about FROM actors
    WHERE project = {project:UInt32} AND if(kind = 'user', rank, 0) > 0
    UNION ALL
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, if(attribute = '', 2, indexOf({p6:Array(String)}, attribute) + 2) AS about FROM latest_attributes
    WHERE project = {project:UInt32} AND attribute IN {p7:Array(String)}
      AND (if(attribute = '' OR bitTest(actor, 0) = 1, 1, 0) = 1 OR time > fromUnixTimestamp64Milli({now:Int64}, 'UTC')) AND (attribute = '' OR time > fromUnixTimestamp64Milli({now:Int64}, 'UTC') OR toBool(dictGet('actor_uids', 'rank', actor)))
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
  SELECT toUInt16(1) AS leaf, groupBitmapState(uid) AS bitmap
  FROM (
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, kind, text, number, instant, day, list
    FROM latest_attributes FINAL
    WHERE project = {project:UInt32} AND attribute = {p5:String}
      AND (ifNull(instant >= {p1:Int64} AND instant < {p2:Int64}, false) OR ifNull(day >= {p3:Int64} AND day < {p4:Int64}, false))
      AND (bitmapCardinality(apart.3) = 0 OR NOT bitmapContains(apart.3, uid))
    UNION ALL
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, (argMaxIf((said.kind, said.text, said.number, said.instant, said.day, said.list, said.source), (time, received), attribute = {p5:String}) AS value).1 AS kind, value.2 AS text, value.3 AS number, value.4 AS instant, value.5 AS day, value.6 AS list
    FROM attribute_snapshots AS said FINAL
    WHERE bitmapCardinality(apart.3) > 0 AND project = {project:UInt32} AND attribute IN ({p5:String}, '') AND bitmapContains(apart.3, uid)
      AND time <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    GROUP BY uid
    HAVING (value.7 != 'custom' OR maxIf((time, received), attribute = {p5:String}) >= maxIf((time, received), NOT attribute = {p5:String}))
      AND (ifNull(instant >= {p1:Int64} AND instant < {p2:Int64}, false) OR ifNull(day >= {p3:Int64} AND day < {p4:Int64}, false))
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
  bitmapToArray(bitmapSubsetLimit(members, 0, {p8:UInt64})) AS sample
FROM results
ORDER BY target
