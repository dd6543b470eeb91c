-- at least 2 of (is identified; is tagged vip; (did login or plan is known); not (did login))
-- now = 1772366400000
-- p1 = plan
-- p2 = ['vip']
-- p3 = tags
-- p4 = login
-- p5 = 1772366400001
-- p6 = ['plan','tags']
-- p7 = ['','plan','tags']
-- p8 = 10
-- project = 1
WITH
(
  SELECT tuple(
    dictGet('actor_uids', 'uid', toUInt64({project:UInt32})),
    groupBitmapStateIf(uid, about = 0),
    groupBitmapStateIf(uid, about = 1 OR about = 3 OR about = 2),
    groupBitmapStateIf(uid, about = 1 OR about = 4)
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
  SELECT toUInt16(5) AS leaf, groupBitmapState(dictGet('actor_uids', 'uid', actor)) AS bitmap
  FROM activity
  WHERE bitmapCardinality(apart.2) > 0 AND project = {project:UInt32} AND first_seen <= fromUnixTimestamp64Milli({now:Int64}, 'UTC') AND bitmapContains(apart.2, dictGet('actor_uids', 'uid', actor))
  UNION ALL
  SELECT toUInt16(3) AS leaf, bitmapAndnot(groupBitmapStateIf(uid, kind = 'user'), bitmapBuild(groupUniqArrayArray(vacated))) AS bitmap
  FROM actors
  WHERE project = {project:UInt32}
  UNION ALL
  SELECT toUInt16(4) AS leaf, groupBitmapState(uid) AS bitmap
  FROM (
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, kind, text, number, instant, day, list
    FROM latest_attributes FINAL
    WHERE project = {project:UInt32} AND attribute = {p1:String}
      AND kind != 'null'
      AND (bitmapCardinality(apart.3) = 0 OR NOT bitmapContains(apart.3, uid))
    UNION ALL
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, (argMaxIf((said.kind, said.text, said.number, said.instant, said.day, said.list, said.source), (time, received), attribute = {p1:String}) AS value).1 AS kind, value.2 AS text, value.3 AS number, value.4 AS instant, value.5 AS day, value.6 AS list
    FROM attribute_snapshots AS said FINAL
    WHERE bitmapCardinality(apart.3) > 0 AND project = {project:UInt32} AND attribute IN ({p1:String}, '') AND bitmapContains(apart.3, uid)
      AND time <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    GROUP BY uid
    HAVING (value.7 != 'custom' OR maxIf((time, received), attribute = {p1:String}) >= maxIf((time, received), NOT attribute = {p1:String}))
      AND kind != 'null'
  )
  UNION ALL
  SELECT toUInt16(2) AS leaf, groupBitmapState(uid) AS bitmap
  FROM (
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, kind, text, number, instant, day, list
    FROM latest_attributes FINAL
    WHERE project = {project:UInt32} AND attribute = {p3:String}
      AND hasAny(list, {p2:Array(String)})
      AND (bitmapCardinality(apart.4) = 0 OR NOT bitmapContains(apart.4, uid))
    UNION ALL
    SELECT dictGet('actor_uids', 'uid', actor) AS uid, (argMax((said.kind, said.text, said.number, said.instant, said.day, said.list, said.source), (time, received)) AS value).1 AS kind, value.2 AS text, value.3 AS number, value.4 AS instant, value.5 AS day, value.6 AS list
    FROM attribute_snapshots AS said FINAL
    WHERE bitmapCardinality(apart.4) > 0 AND project = {project:UInt32} AND attribute = {p3:String} AND bitmapContains(apart.4, uid)
      AND time <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    GROUP BY uid
    HAVING true
      AND hasAny(list, {p2:Array(String)})
  )
  UNION ALL
  SELECT toUInt16(1) AS leaf, groupBitmapStateIf(uid, m0) AS bitmap
  FROM (
    SELECT
      dictGet('actor_uids', 'uid', actor) AS uid,
      true AS m0
    FROM events FINAL
    WHERE project = {project:UInt32} AND event = {p4:String} AND time < fromUnixTimestamp64Milli({p5:Int64}, 'UTC')
  )
),
wide AS (
  SELECT
    groupBitmapMergeStateIf(bitmap, leaf = 0) AS known,
    bitmapBuild(range(toUInt32(apart.1 + 1), toUInt32(greatest(apart.1, bitmapMax(known)) + 1))) AS unknown,
    bitmapAndnot(known, bitmapOr(unknown, bitmapAndnot(apart.2, groupBitmapMergeStateIf(bitmap, leaf = 5)))) AS l0,
    groupBitmapMergeStateIf(bitmap, leaf = 1) AS l1,
    groupBitmapMergeStateIf(bitmap, leaf = 2) AS l2,
    groupBitmapMergeStateIf(bitmap, leaf = 3) AS l3,
    groupBitmapMergeStateIf(bitmap, leaf = 4) AS l4
  FROM leaves
),
sets AS (
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
  bitmapToArray(bitmapSubsetLimit(members, 0, {p8:UInt64})) AS sample
FROM results
ORDER BY target
