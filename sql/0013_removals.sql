-- A message can say that whatever else was said of its user is unset: it is a snapshot of the attribute without a name. That is the
-- name of none.
ALTER TABLE attribute_names_feed MODIFY QUERY
SELECT project, attribute, source, kind, min(time) AS first_seen, max(time) AS last_seen
FROM attribute_snapshots
WHERE attribute != ''
GROUP BY project, attribute, source, kind;
