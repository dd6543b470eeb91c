-- at least 2 of (is identified; is tagged vip; (did login or plan is known); not (did login))
-- now = 1772366400000
-- p1 = plan
-- p2 = ['vip']
-- p3 = tags
-- p4 = login
-- p5 = 1772366400001
-- p6 = 10
-- project = 1
WITH
leaves AS (
  WITH
    (SELECT bitmapAndnot(groupBitmapStateIf(uid, rank = 0), bitmapBuild(groupUniqArrayArray(vacated))) FROM actors WHERE project = {project:UInt32}) AS indexed,
    (SELECT (dictGet('actor_uids', 'uid', toUInt64({project:UInt32})), groupBitmapState(dictGet('actor_uids', 'uid', actor))) FROM activity WHERE project = {project:UInt32} AND first_seen > fromUnixTimestamp64Milli({now:Int64}, 'UTC')) AS late
  SELECT toUInt16(0) AS leaf, bitmapAndnot(bitmapSubsetInRange(indexed, 0, toUInt32(late.1 + 1)), bitmapAndnot(late.2, groupBitmapState(uid))) AS bitmap
  FROM (
    SELECT dictGet('actor_uids', 'uid', actor) AS uid FROM activity
    WHERE bitmapCardinality(late.2) > 0 AND project = {project:UInt32} AND first_seen <= fromUnixTimestamp64Milli({now:Int64}, 'UTC') AND bitmapContains(late.2, uid)
  )
  UNION ALL
  SELECT leaf, bitmap
  FROM (
    SELECT
      groupBitmapMergeState(users) AS b3
    FROM (
      SELECT (SELECT bitmapAndnot(groupBitmapStateIf(uid, kind = 'user'), bitmapBuild(groupUniqArrayArray(vacated))) FROM actors WHERE project = {project:UInt32}) AS users
    )
  )
  ARRAY JOIN [toUInt16(3)] AS leaf, [b3] AS bitmap
  UNION ALL
  WITH
    (SELECT groupBitmapState(dictGet('actor_uids', 'uid', actor)) FROM latest_attributes WHERE project = {project:UInt32} AND attribute = {p1:String} AND time > fromUnixTimestamp64Milli({now:Int64}, 'UTC')) AS later,
    (
      SELECT (groupBitmapStateIf(uid, following), groupBitmapStateIf(uid, c1))
      FROM (
        SELECT
          dictGet('actor_uids', 'uid', actor) AS uid,
          (bitTest(actor, 0) OR actor IN (SELECT actor FROM actors WHERE project = {project:UInt32} AND if(kind = 'user', rank, 0) > 0)) AND toBool(dictGet('actor_uids', 'rank', actor)) AS following,
          kind != 'null' AS c1
        FROM latest_attributes FINAL
        WHERE project = {project:UInt32} AND attribute = {p1:String}
          AND (bitTest(actor, 0) OR actor IN (SELECT actor FROM actors WHERE project = {project:UInt32} AND if(kind = 'user', rank, 0) > 0)
            OR kind != 'null')
      )
    ) AS latest,
    bitmapOr(later, latest.1) AS mixed
  SELECT leaf, bitmap
  FROM (
    SELECT
      bitmapOr(bitmapAndnot(latest.2, mixed), groupBitmapStateIf(uid, kind != 'null')) AS b4
    FROM (
      SELECT uid, value.1 AS kind, value.2 AS text, value.3 AS number, value.4 AS instant, value.5 AS list
      FROM (
        SELECT dictGet('actor_uids', 'uid', actor) AS uid, argMax((kind, text, number, instant, list), (time, received)) AS value
        FROM attribute_snapshots FINAL
        WHERE bitmapCardinality(mixed) > 0 AND project = {project:UInt32} AND attribute = {p1:String} AND bitmapContains(mixed, uid)
          AND time <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
        GROUP BY uid
      )
    )
  )
  ARRAY JOIN [toUInt16(4)] AS leaf, [b4] AS bitmap
  UNION ALL
  WITH
    (SELECT groupBitmapState(dictGet('actor_uids', 'uid', actor)) FROM latest_attributes WHERE project = {project:UInt32} AND attribute = {p3:String} AND time > fromUnixTimestamp64Milli({now:Int64}, 'UTC')) AS later,
    (
      SELECT (groupBitmapStateIf(uid, following), groupBitmapStateIf(uid, c1))
      FROM (
        SELECT
          dictGet('actor_uids', 'uid', actor) AS uid,
          (bitTest(actor, 0) OR actor IN (SELECT actor FROM actors WHERE project = {project:UInt32} AND if(kind = 'user', rank, 0) > 0)) AND toBool(dictGet('actor_uids', 'rank', actor)) AS following,
          hasAny(list, {p2:Array(String)}) AS c1
        FROM latest_attributes FINAL
        WHERE project = {project:UInt32} AND attribute = {p3:String}
          AND (bitTest(actor, 0) OR actor IN (SELECT actor FROM actors WHERE project = {project:UInt32} AND if(kind = 'user', rank, 0) > 0)
            OR hasAny(list, {p2:Array(String)}))
      )
    ) AS latest,
    bitmapOr(later, latest.1) AS mixed
  SELECT leaf, bitmap
  FROM (
    SELECT
      bitmapOr(bitmapAndnot(latest.2, mixed), groupBitmapStateIf(uid, hasAny(list, {p2:Array(String)}))) AS b2
    FROM (
      SELECT uid, value.1 AS kind, value.2 AS text, value.3 AS number, value.4 AS instant, value.5 AS list
      FROM (
        SELECT dictGet('actor_uids', 'uid', actor) AS uid, argMax((kind, text, number, instant, list), (time, received)) AS value
        FROM attribute_snapshots FINAL
        WHERE bitmapCardinality(mixed) > 0 AND project = {project:UInt32} AND attribute = {p3:String} AND bitmapContains(mixed, uid)
          AND time <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
        GROUP BY uid
      )
    )
  )
  ARRAY JOIN [toUInt16(2)] AS leaf, [b2] AS bitmap
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
      WHERE project = {project:UInt32} AND event = {p4:String} AND time < fromUnixTimestamp64Milli({p5:Int64}, 'UTC')
    )
  )
  ARRAY JOIN [toUInt16(1)] AS leaf, [b1] AS bitmap
),
wide AS (
  SELECT
    groupBitmapMergeStateIf(bitmap, leaf = 0) AS l0,
    groupBitmapMergeStateIf(bitmap, leaf = 1) AS l1,
    groupBitmapMergeStateIf(bitmap, leaf = 2) AS l2,
    groupBitmapMergeStateIf(bitmap, leaf = 3) AS l3,
    groupBitmapMergeStateIf(bitmap, leaf = 4) AS l4
  FROM leaves
),
sets AS (
  SELECT *
  FROM (
    SELECT
      *,
      bitmapOr(s3, s1) AS s5,
      bitmapOr(s4, bitmapOr(bitmapAnd(s1, s3), s2)) AS s6
    FROM (
      SELECT
        *,
        bitmapOr(s0, l3) AS s3,
        bitmapAnd(l3, s0) AS s4
      FROM (
        SELECT
          *,
          bitmapOr(l4, l1) AS s0,
          bitmapOr(l2, bitmapAndnot(l0, l1)) AS s1,
          bitmapAnd(bitmapAndnot(l0, l1), l2) AS s2
        FROM wide
      )
    )
  )
),
results AS (
  SELECT target, members, l0 AS everyone
  FROM sets
  ARRAY JOIN
    [toUInt16(0)] AS target,
    [bitmapAnd(l0, s6)] AS members
)
SELECT
  target,
  bitmapCardinality(members) AS size,
  bitmapCardinality(everyone) AS of,
  bitmapToArray(bitmapSubsetLimit(members, 0, {p6:UInt64})) AS sample
FROM results
ORDER BY target
