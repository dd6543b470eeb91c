-- everyone
-- now = 1772366400000
-- p1 = 10
-- project = 1
WITH
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
  SELECT target, members, everyone
  FROM (SELECT *, l0 AS everyone FROM sets)
  ARRAY JOIN
    [toUInt16(0)] AS target,
    [bitmapAnd(everyone, l0)] AS members
)
SELECT
  target,
  bitmapCardinality(members) AS size,
  bitmapCardinality(everyone) AS of,
  bitmapToArray(bitmapSubsetLimit(members, 0, {p1:UInt64})) AS sample
FROM results
ORDER BY target
