-- plan is pro or not (seats is more than 5)
-- now = 1772366400000
-- p1 = pro
-- p2 = plan
-- p3 = 5
-- p4 = seats
-- p5 = ['plan','seats']
-- p6 = ['','plan','seats']
-- p7 = 10
-- project = 1
WITH
(
  SELECT tuple(
    dictGet('actor_uids', 'uid', toUInt64({project:UInt32}))
  )
) AS apart,
leaves AS (
  SELECT toUInt16(0) AS leaf, bitmapAndnot(groupBitmapStateIf(uid, rank = 0), bitmapBuild(groupUniqArrayArray(vacated))) AS bitmap
  FROM actors
  WHERE project = {project:UInt32}
  UNION ALL
  SELECT toUInt16(2) AS leaf, groupBitmapState(uid) AS bitmap
  FROM (
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, kind, text, number, instant, day, list
    FROM latest_attributes FINAL
    WHERE project = {project:UInt32} AND attribute = {p2:String}
      AND (kind = 'text' AND text = {p1:String})
  )
  UNION ALL
  SELECT toUInt16(1) AS leaf, groupBitmapState(uid) AS bitmap
  FROM (
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, kind, text, number, instant, day, list
    FROM latest_attributes FINAL
    WHERE project = {project:UInt32} AND attribute = {p4:String}
      AND ifNull(number > {p3:Float64}, false)
  )
  UNION ALL
  SELECT toUInt16(4) AS leaf, groupBitmapState(toUInt32(about)) AS bitmap
  FROM (
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, toUInt64(0) AS about FROM activity
    WHERE project = {project:UInt32} AND first_seen > fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    UNION ALL
    SELECT uid, toUInt64(1) AS about FROM actors
    WHERE project = {project:UInt32} AND if(kind = 'user', rank, 0) > 0
    UNION ALL
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, if(attribute = '', 2, indexOf({p5:Array(String)}, attribute) + 2) AS about FROM latest_attributes
    WHERE project = {project:UInt32} AND attribute IN {p6:Array(String)}
      AND (if(attribute = '' OR bitTest(actor, 0) = 1, 1, 0) = 1 OR time > fromUnixTimestamp64Milli({now:Int64}, 'UTC')) AND (attribute = '' OR time > fromUnixTimestamp64Milli({now:Int64}, 'UTC') OR toBool(dictGet('actor_uids', 'rank', actor)))
  )
),
wide AS (
  SELECT
    groupBitmapMergeStateIf(bitmap, leaf = 0) AS known,
    bitmapBuild(range(toUInt32(apart.1 + 1), toUInt32(greatest(apart.1, bitmapMax(known)) + 1))) AS unknown,
    bitmapAndnot(known, unknown) AS l0,
    groupBitmapMergeStateIf(bitmap, leaf = 1) AS l1,
    groupBitmapMergeStateIf(bitmap, leaf = 2) AS l2,
    bitmapToArray(groupBitmapMergeStateIf(bitmap, leaf = 4)) AS found
  FROM leaves
),
sets AS (
  SELECT
    *,
    bitmapOr(bitmapAndnot(l0, l1), l2) AS s0
  FROM wide
),
results AS (
  SELECT target, members, l0 AS everyone, found
  FROM sets
  ARRAY JOIN
    [toUInt16(0)] AS target,
    [bitmapAnd(l0, s0)] AS members
)
SELECT
  target,
  bitmapCardinality(members) AS size,
  bitmapCardinality(everyone) AS of,
  bitmapToArray(bitmapSubsetLimit(members, 0, {p7:UInt64})) AS sample,
  found
FROM results
ORDER BY target
