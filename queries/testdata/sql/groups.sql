-- at least 2 of (is identified; is tagged vip; (did login or plan is known); not (did login))
-- now = 1772366400000
-- p1 = plan
-- p2 = tags
-- p3 = ['vip']
-- p4 = login
-- p5 = 1772366400001
-- p6 = 10
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
  UNION ALL
  SELECT leaf, users AS bitmap
  FROM (
    SELECT toUInt16(3) AS leaf, bitmapAndnot(groupBitmapStateIf(uid, kind = 'user'), bitmapBuild(groupUniqArrayArray(vacated))) AS users
    FROM actors
    WHERE project = {project:UInt32}
  )
  UNION ALL
  SELECT leaf, bitmap
  FROM (
    SELECT
      groupBitmapStateIf(uid, true) AS b4
    FROM (
      WITH (
        SELECT groupBitmapState(uid)
        FROM (
          SELECT dictGet('actor_uids', 'uid', actor) AS uid FROM latest_attributes
          WHERE project = {project:UInt32} AND attribute = {p1:String} AND bitTest(actor, 0) = 1 AND toBool(dictGet('actor_uids', 'rank', actor))
          UNION ALL
          SELECT dictGet('actor_uids', 'uid', actor) AS uid FROM latest_attributes
          WHERE project = {project:UInt32} AND attribute = {p1:String} AND (SELECT count() > 0 FROM actors WHERE project = {project:UInt32} AND if(kind = 'user', rank, 0) > 0) AND actor IN (SELECT actor FROM actors WHERE project = {project:UInt32} AND if(kind = 'user', rank, 0) > 0)
          UNION ALL
          SELECT dictGet('actor_uids', 'uid', actor) AS uid FROM latest_attributes
          WHERE project = {project:UInt32} AND attribute = {p1:String} AND time > fromUnixTimestamp64Milli({now:Int64}, 'UTC')
          UNION ALL
          SELECT dictGet('actor_uids', 'uid', actor) AS uid FROM latest_attributes
          WHERE project = {project:UInt32} AND attribute = ''
        )
      ) AS mixed
      SELECT dictGet('actor_uids', 'uid', actor) AS uid, kind, text, number, instant, list
      FROM latest_attributes FINAL
      WHERE project = {project:UInt32} AND attribute = {p1:String}
        AND kind != 'null'
        AND (bitmapCardinality(mixed) = 0 OR NOT bitmapContains(mixed, uid))
      UNION ALL
      SELECT uid, value.1 AS kind, value.2 AS text, value.3 AS number, value.4 AS instant, value.5 AS list
      FROM (
        SELECT dictGet('actor_uids', 'uid', actor) AS uid, argMaxIf((kind, text, number, instant, list, source), (time, received), attribute = {p1:String}) AS value,
          maxIf((time, received), attribute = {p1:String}) AS said, maxIf((time, received), NOT attribute = {p1:String}) AS removed
        FROM attribute_snapshots FINAL
        WHERE bitmapCardinality(mixed) > 0 AND project = {project:UInt32} AND attribute IN ({p1:String}, '') AND bitmapContains(mixed, uid)
          AND time <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
        GROUP BY uid
      )
      WHERE (value.6 != 'custom' OR said >= removed)
        AND kind != 'null'
    )
  )
  ARRAY JOIN [toUInt16(4)] AS leaf, [b4] AS bitmap
  UNION ALL
  SELECT leaf, bitmap
  FROM (
    SELECT
      groupBitmapStateIf(uid, true) AS b2
    FROM (
      WITH (
        SELECT groupBitmapState(uid)
        FROM (
          SELECT dictGet('actor_uids', 'uid', actor) AS uid FROM latest_attributes
          WHERE project = {project:UInt32} AND attribute = {p2:String} AND bitTest(actor, 0) = 1 AND toBool(dictGet('actor_uids', 'rank', actor))
          UNION ALL
          SELECT dictGet('actor_uids', 'uid', actor) AS uid FROM latest_attributes
          WHERE project = {project:UInt32} AND attribute = {p2:String} AND (SELECT count() > 0 FROM actors WHERE project = {project:UInt32} AND if(kind = 'user', rank, 0) > 0) AND actor IN (SELECT actor FROM actors WHERE project = {project:UInt32} AND if(kind = 'user', rank, 0) > 0)
          UNION ALL
          SELECT dictGet('actor_uids', 'uid', actor) AS uid FROM latest_attributes
          WHERE project = {project:UInt32} AND attribute = {p2:String} AND time > fromUnixTimestamp64Milli({now:Int64}, 'UTC')
        )
      ) AS mixed
      SELECT dictGet('actor_uids', 'uid', actor) AS uid, kind, text, number, instant, list
      FROM latest_attributes FINAL
      WHERE project = {project:UInt32} AND attribute = {p2:String}
        AND hasAny(list, {p3:Array(String)})
        AND (bitmapCardinality(mixed) = 0 OR NOT bitmapContains(mixed, uid))
      UNION ALL
      SELECT uid, value.1 AS kind, value.2 AS text, value.3 AS number, value.4 AS instant, value.5 AS list
      FROM (
        SELECT dictGet('actor_uids', 'uid', actor) AS uid, argMax((kind, text, number, instant, list), (time, received)) AS value
        FROM attribute_snapshots FINAL
        WHERE bitmapCardinality(mixed) > 0 AND project = {project:UInt32} AND attribute = {p2:String} AND bitmapContains(mixed, uid)
          AND time <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
        GROUP BY uid
      )
      WHERE true
        AND hasAny(list, {p3:Array(String)})
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
  SELECT target, members, everyone
  FROM (SELECT *, l0 AS everyone FROM sets)
  ARRAY JOIN
    [toUInt16(0)] AS target,
    [bitmapAnd(everyone, s6)] AS members
)
SELECT
  target,
  bitmapCardinality(members) AS size,
  bitmapCardinality(everyone) AS of,
  bitmapToArray(bitmapSubsetLimit(members, 0, {p6:UInt64})) AS sample
FROM results
ORDER BY target
