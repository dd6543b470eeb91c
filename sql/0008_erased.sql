-- Users that were erased on demand. Their uids stay known so that nobody gets them again, and so that a materialization
-- that was under way takes them out; nothing else of them is kept.
CREATE TABLE IF NOT EXISTS erased_users
(
    project   UInt32,
    uid       UInt32,
    erased_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(erased_at)
ORDER BY (project, uid)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- How far the index of actors ever came. An actor's older rows go when the table merges, and all of them when its user is
-- erased; the highest uid and version that were ever written stay here.
CREATE TABLE IF NOT EXISTS actor_heights
(
    project UInt32,
    uid     SimpleAggregateFunction(max, UInt32),
    version SimpleAggregateFunction(max, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY project
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS actor_heights_feed TO actor_heights AS
SELECT a.project AS project, max(a.uid) AS uid, max(a.version) AS version
FROM actors AS a
GROUP BY a.project;

-- Every uid that each actor ever had: a visitor who turned out to be a known user had one of its own before, and old
-- memberships are kept under it.
CREATE TABLE IF NOT EXISTS actor_places
(
    project UInt32,
    actor   UInt64,
    uid     UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (project, actor, uid)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS actor_places_feed TO actor_places AS
SELECT project, actor, uid
FROM actors;

INSERT INTO actor_heights
SELECT a.project AS project, max(a.uid) AS uid, max(a.version) AS version
FROM actors AS a
GROUP BY a.project;

INSERT INTO actor_places
SELECT project, actor, uid
FROM actors;
