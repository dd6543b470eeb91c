-- the sum of amount over purchase in the last 90 days is more than 100 or the number of days over purchase is at least 3
-- now = 1772366400000
-- p1 = 1764590400001
-- p2 = purchase
-- p3 = 1772366400001
-- p4 = 3
-- p5 = amount
-- p6 = 100
-- p7 = 10
-- project = 1
-- zone = Europe/Paris
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
  SELECT toUInt16(3) AS leaf, groupBitmapState(dictGet('actor_uids', 'uid', actor)) AS bitmap
  FROM activity
  WHERE bitmapCardinality(apart.2) > 0 AND project = {project:UInt32} AND first_seen <= fromUnixTimestamp64Milli({now:Int64}, 'UTC') AND bitmapContains(apart.2, dictGet('actor_uids', 'uid', actor))
  UNION ALL
  SELECT leaf, bitmap
  FROM (
    SELECT
      groupBitmapStateIf(uid, m0 >= {p4:UInt64}) AS b1,
      groupBitmapStateIf(uid, ifNull(m1 > {p6:Float64}, false)) AS b2
    FROM (
      SELECT
        dictGet('actor_uids', 'uid', actor) AS uid,
        uniqExact(toDate32(toTimeZone(time, {zone:String}))) AS m0,
        sumKahanIf(ifNull(if(isNotNull(dynamicElement(properties.{p5:Identifier}, 'Int64')), toFloat64(dynamicElement(properties.{p5:Identifier}, 'Int64')), coalesce(dynamicElement(properties.{p5:Identifier}, 'Float64'), if(isNull(dynamicElement(properties.{p5:Identifier}, 'String')), NULL, read_number(assumeNotNull(dynamicElement(properties.{p5:Identifier}, 'String')))))), 0), time >= fromUnixTimestamp64Milli({p1:Int64}, 'UTC')) AS m1
      FROM events FINAL
      WHERE project = {project:UInt32} AND event = {p2:String} AND time < fromUnixTimestamp64Milli({p3:Int64}, 'UTC')
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
  bitmapToArray(bitmapSubsetLimit(members, 0, {p7:UInt64})) AS sample
FROM results
ORDER BY target
