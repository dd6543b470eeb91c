-- everyone
-- now = 1772366400000
-- p1 = 10
-- project = 1
WITH
leaves AS (
  SELECT leaf, bitmap FROM (
    WITH
      (SELECT groupBitmapState(dictGet('actor_uids', 'uid', actor)) FROM activity WHERE project = {project:UInt32} AND first_seen > fromUnixTimestamp64Milli({now:Int64}, 'UTC')) AS late,
      (SELECT groupBitmapState(dictGet('actor_uids', 'uid', actor)) FROM activity WHERE bitmapCardinality(late) > 0 AND project = {project:UInt32} AND first_seen <= fromUnixTimestamp64Milli({now:Int64}, 'UTC') AND bitmapContains(late, dictGet('actor_uids', 'uid', actor))) AS early
    SELECT toUInt16(0) AS leaf, bitmapAndnot(groupBitmapState(uid), bitmapAndnot(late, early)) AS bitmap
    FROM actors FINAL
    WHERE project = {project:UInt32} AND rank = 0
  )
),
wide AS (
  SELECT
    groupBitmapMergeStateIf(bitmap, leaf = 0) AS l0
  FROM leaves
),
sets AS (
  SELECT *
  FROM wide
),
results AS (
  SELECT target, members, l0 AS everyone
  FROM sets
  ARRAY JOIN
    [toUInt16(0)] AS target,
    [bitmapAnd(l0, l0)] AS members
)
SELECT
  target,
  bitmapCardinality(members) AS size,
  bitmapCardinality(everyone) AS of,
  bitmapToArray(bitmapSubsetLimit(members, 0, {p1:UInt64})) AS sample
FROM results
ORDER BY target
