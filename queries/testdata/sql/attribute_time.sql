-- renewal is in the next 1 month
-- now = 1772366400000
-- p1 = renewal
-- p2 = 1772366400001
-- p3 = 1775041200001
-- p4 = 10
-- project = 1
-- zone = Europe/Paris
WITH
text -> toInt32OrZero(substring(text, 1, 4)) AS civil_year,
text -> makeDate32(1900 + positiveModulo(civil_year(text) - 1900, 400), toInt32OrZero(substring(text, 6, 2)), toInt32OrZero(substring(text, 9, 2))) AS civil,
text -> substring(toString(civil(text)), 6, 5) = substring(text, 6, 5) AS is_civil,
text -> 86400000 * (toInt64(toInt32(civil(text))) + intDiv(civil_year(text) - toYear(civil(text)), 400) * 146097) AS civil_start,
text -> if(match(text, '^[0-9]{4}-[0-9]{2}-[0-9]{2}$') AND is_civil(text), if(civil_year(text) BETWEEN 1900 AND 2299, toUnixTimestamp64Milli(toDateTime64(civil(text), 3, {zone:String})), civil_start(text)), NULL) AS read_day,
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
      groupBitmapStateIf(uid, true) AS b1
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
        AND ifNull(coalesce(instant, if(assumeNotNull((SELECT count() > 0 FROM (SELECT 1 FROM attribute_snapshots WHERE project = {project:UInt32} AND attribute = {p1:String} AND if(kind = 'text' AND length(text) = 10, 1, 0) = 1 LIMIT 1))), if(kind = 'text' AND length(text) = 10, read_day(text), NULL), NULL)) >= {p2:Int64} AND coalesce(instant, if(assumeNotNull((SELECT count() > 0 FROM (SELECT 1 FROM attribute_snapshots WHERE project = {project:UInt32} AND attribute = {p1:String} AND if(kind = 'text' AND length(text) = 10, 1, 0) = 1 LIMIT 1))), if(kind = 'text' AND length(text) = 10, read_day(text), NULL), NULL)) < {p3:Int64}, false)
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
        AND ifNull(coalesce(instant, if(assumeNotNull((SELECT count() > 0 FROM (SELECT 1 FROM attribute_snapshots WHERE project = {project:UInt32} AND attribute = {p1:String} AND if(kind = 'text' AND length(text) = 10, 1, 0) = 1 LIMIT 1))), if(kind = 'text' AND length(text) = 10, read_day(text), NULL), NULL)) >= {p2:Int64} AND coalesce(instant, if(assumeNotNull((SELECT count() > 0 FROM (SELECT 1 FROM attribute_snapshots WHERE project = {project:UInt32} AND attribute = {p1:String} AND if(kind = 'text' AND length(text) = 10, 1, 0) = 1 LIMIT 1))), if(kind = 'text' AND length(text) = 10, read_day(text), NULL), NULL)) < {p3:Int64}, false)
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
  bitmapToArray(bitmapSubsetLimit(members, 0, {p4:UInt64})) AS sample
FROM results
ORDER BY target
