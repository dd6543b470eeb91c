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
leaves AS (
  SELECT leaf, bitmap
  FROM (
    WITH (
      SELECT (dictGet('actor_uids', 'uid', toUInt64({project:UInt32})), groupBitmapState(dictGet('actor_uids', 'uid', actor))) FROM activity
      WHERE project = {project:UInt32} AND first_seen > fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    ) AS late
    SELECT
      toUInt16(0) AS leaf,
      groupBitmapMergeStateIf(users, indexed) AS known,
      bitmapBuild(range(toUInt32(late.1 + 1), toUInt32(greatest(late.1, bitmapMax(known)) + 1))) AS unknown,
      bitmapAndnot(known, bitmapOr(unknown, bitmapAndnot(late.2, groupBitmapMergeStateIf(users, NOT indexed)))) AS bitmap
    FROM (
      SELECT true AS indexed, bitmapAndnot(groupBitmapStateIf(uid, rank = 0), bitmapBuild(groupUniqArrayArray(vacated))) AS users
      FROM actors
      WHERE project = {project:UInt32}
      UNION ALL
      SELECT false AS indexed, groupBitmapState(uid) AS users
      FROM (
        SELECT dictGet('actor_uids', 'uid', actor) AS uid FROM activity
        WHERE bitmapCardinality(late.2) > 0 AND project = {project:UInt32} AND first_seen <= fromUnixTimestamp64Milli({now:Int64}, 'UTC') AND bitmapContains(late.2, uid)
      )
    )
  )
  UNION ALL
  SELECT leaf, bitmap
  FROM (
    SELECT
      groupBitmapStateIf(uid, m0) AS b1
    FROM (
      SELECT
        dictGet('actor_uids', 'uid', actor) AS uid,
        true AS m0
      FROM events FINAL
      WHERE project = {project:UInt32} AND event = {p5:String} AND time >= fromUnixTimestamp64Milli({p6:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({p7:Int64}, 'UTC')
        AND (ifNull(coalesce(toFloat64(properties.{p1:Identifier}.:Int64), properties.{p1:Identifier}.:Float64, if(isNull(properties.{p1:Identifier}.:String), NULL, read_number(assumeNotNull(properties.{p1:Identifier}.:String)))) > {p2:Float64}, false) AND NOT ifNull(has({p4:Array(String)}, properties.{p3:Identifier}.:String), false))
    )
  )
  ARRAY JOIN [toUInt16(1)] AS leaf, [b1] AS bitmap
),
wide AS (
  SELECT
    groupBitmapMergeStateIf(bitmap, leaf = 0) AS l0,
    groupBitmapMergeStateIf(bitmap, leaf = 1) AS l1
  FROM leaves
),
sets AS (
  SELECT *
  FROM wide
),
results AS (
  SELECT target, members, everyone
  FROM (SELECT *, l0 AS everyone FROM sets)
  ARRAY JOIN
    [toUInt16(0)] AS target,
    [bitmapAnd(everyone, l1)] AS members
)
SELECT
  target,
  bitmapCardinality(members) AS size,
  bitmapCardinality(everyone) AS of,
  bitmapToArray(bitmapSubsetLimit(members, 0, {p8:UInt64})) AS sample
FROM results
ORDER BY target
