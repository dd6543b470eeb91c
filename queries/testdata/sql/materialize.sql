-- is identified and did login in the last 30 days
-- now = 1772366400000
-- p1 = login
-- p2 = 1769774400001
-- p3 = 1772366400001
-- p4 = ['s1']
-- p5 = ['01000000-0000-0000-0000-000000000000']
-- p6 = ['02000000-0000-0000-0000-000000000000']
-- p7 = [0]
-- project = 1
INSERT INTO segment_members (project, segment, run, bucket, members, entered, exited)
WITH
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
  SELECT toUInt16(2) AS leaf, bitmapAndnot(groupBitmapStateIf(uid, kind = 'user'), bitmapBuild(groupUniqArrayArray(vacated))) AS bitmap
  FROM actors
  WHERE project = {project:UInt32}
  UNION ALL
  SELECT toUInt16(1) AS leaf, groupBitmapStateIf(uid, m0) AS bitmap
  FROM (
    SELECT
      dictGet('actor_uids', 'uid', actor) AS uid,
      true AS m0
    FROM events FINAL
    WHERE project = {project:UInt32} AND event = {p1:String} AND time >= fromUnixTimestamp64Milli({p2:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({p3:Int64}, 'UTC')
  )
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
    bitmapAnd(l1, l2) AS s0
  FROM wide
),
results AS (
  SELECT target, members, l0 AS everyone, buckets, within
  FROM (SELECT *, range(toUInt32(intDiv(bitmapMax(l0), 1048576) + 1)) AS buckets, arrayMap(b -> bitmapSubsetInRange(l0, toUInt32(b * 1048576), toUInt32((b + 1) * 1048576)), buckets) AS within FROM sets)
  ARRAY JOIN
    [toUInt16(0)] AS target,
    [bitmapAnd(l0, s0)] AS members
)
SELECT
  {project:UInt32},
  {p4:Array(String)}[target + 1],
  {p5:Array(UUID)}[target + 1],
  bucket,
  now_members,
  bitmapAndnot(now_members, then_members),
  bitmapAndnot(then_members, now_members)
FROM (
  SELECT target, bucket, groupBitmapMergeState(fresh) AS now_members, groupBitmapXorState(old) AS then_members
  FROM (
    SELECT target, toUInt16(number) AS bucket, bitmapAnd(members, part) AS fresh, bitmapBuild(emptyArrayUInt32()) AS old
    FROM results
    ARRAY JOIN buckets AS number, within AS part
    UNION ALL
    SELECT
      toUInt16(indexOf({p4:Array(String)}, segment) - 1) AS target,
      bucket,
      bitmapBuild(emptyArrayUInt32()) AS fresh,
      if(has({p6:Array(UUID)}, run), members, bitmapOr(entered, exited)) AS old
    FROM segment_members
    WHERE project = {project:UInt32} AND segment IN {p4:Array(String)} AND (has({p6:Array(UUID)}, run) OR run IN (
      SELECT run FROM segment_runs
      WHERE project = {project:UInt32} AND segment IN {p4:Array(String)} AND has({p6:Array(UUID)}, base) AND step <= {p7:Array(UInt32)}[indexOf({p6:Array(UUID)}, base)]))
  )
  GROUP BY target, bucket
)
WHERE bitmapCardinality(now_members) > 0 OR bitmapCardinality(then_members) > 0
