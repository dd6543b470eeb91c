-- did purchase where (amount is more than 100 and item.kind is none of pen, ink) in the last 30 days
-- now = 1772366400000
-- p1 = amount
-- p2 = 100
-- p3 = item.kind
-- p4 = ['pen','ink']
-- p5 = purchase
-- p6 = 1769774400001
-- p7 = 1772366400001
-- p8 = 10
-- project = 1
WITH
text -> if(match(text, '^[+-]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$') AND isFinite(toFloat64OrNull(text)), toFloat64OrNull(text), NULL) AS read_number,
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
      true AS m0
    FROM events FINAL
    WHERE project = {project:UInt32} AND event = {p5:String} AND time >= fromUnixTimestamp64Milli({p6:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({p7:Int64}, 'UTC')
      AND (ifNull(if(isNotNull(dynamicElement(properties.{p1:Identifier}, 'Int64')), toFloat64(dynamicElement(properties.{p1:Identifier}, 'Int64')), coalesce(dynamicElement(properties.{p1:Identifier}, 'Float64'), if(isNull(dynamicElement(properties.{p1:Identifier}, 'String')), NULL, read_number(assumeNotNull(dynamicElement(properties.{p1:Identifier}, 'String')))))) > {p2:Float64}, false) AND NOT ifNull(has({p4:Array(String)}, properties.{p3:Identifier}.:String), false))
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
