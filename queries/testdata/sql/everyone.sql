-- everyone
-- now = 1772366400000
-- p1 = 10
-- project = 1
WITH
leaves AS (
  SELECT leaf, bitmap
  FROM (
    SELECT
      groupBitmapStateIf(uid, uid != 0) AS b0
    FROM (
      SELECT dictGet('actor_uids', 'uid', actor) AS uid
      FROM activity
      WHERE project = {project:UInt32} AND first_seen <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    )
  )
  ARRAY JOIN [toUInt16(0)] AS leaf, [b0] AS bitmap
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
