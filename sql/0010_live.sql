-- What happened when, to whom, in the order of time: a row for each row of events, of attribute_snapshots and of
-- import_members. A live segment asks it for the users of rows that came in, and for those at the edges of a window that
-- has moved. It is a set, never counted: a message that is sent again is in it twice. inserted is on the server's clock.
CREATE TABLE IF NOT EXISTS arrivals
(
    project  UInt32,
    kind     Enum8('event' = 1, 'attribute' = 2, 'import' = 3),
    name     LowCardinality(String),
    time     DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    actor    UInt64,
    inserted DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    INDEX arrivals inserted TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (project, kind, name, time)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS arrivals_of_events TO arrivals AS
SELECT project, 'event' AS kind, event AS name, time, actor, now64(3, 'UTC') AS inserted
FROM events;

CREATE MATERIALIZED VIEW IF NOT EXISTS arrivals_of_attributes TO arrivals AS
SELECT project, 'attribute' AS kind, attribute AS name, time, actor, now64(3, 'UTC') AS inserted
FROM attribute_snapshots;

CREATE MATERIALIZED VIEW IF NOT EXISTS arrivals_of_imports TO arrivals AS
SELECT project, 'import' AS kind, import AS name, time, actor, now64(3, 'UTC') AS inserted
FROM import_members;

-- What was there before the views. When this is done twice, sets stay what they are.
INSERT INTO arrivals
SELECT project, 'event' AS kind, event AS name, time, actor, toDateTime64(0, 3, 'UTC') AS inserted
FROM events;

INSERT INTO arrivals
SELECT project, 'attribute' AS kind, attribute AS name, time, actor, toDateTime64(0, 3, 'UTC') AS inserted
FROM attribute_snapshots;

INSERT INTO arrivals
SELECT project, 'import' AS kind, import AS name, time, actor, toDateTime64(0, 3, 'UTC') AS inserted
FROM import_members;

-- A run either keeps all its members, and is its own base; or it keeps who entered and who exited, and its members are
-- those of its base with the changes of all runs over that base up to its own step. tick numbers the live runs of a
-- project: a number is given out once, so that there is one run at each step over a base. 0 is a run that is not live.
ALTER TABLE segment_runs ADD COLUMN IF NOT EXISTS base UUID DEFAULT run;

ALTER TABLE segment_runs ADD COLUMN IF NOT EXISTS step UInt32 DEFAULT 0;

ALTER TABLE segment_runs ADD COLUMN IF NOT EXISTS tick UInt64 DEFAULT 0;

ALTER TABLE segment_runs MODIFY SETTING non_replicated_deduplication_window = 10000;

-- The newest time as of which the live segments of a project are what their newest runs say: a run is only made where
-- somebody entered or exited.
CREATE TABLE IF NOT EXISTS live_ticks
(
    project UInt32,
    as_of   DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(as_of)
ORDER BY project
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- All members of every finished run, as bitmaps. It is for people: of all runs at once it adds up every run's changes since its base.
CREATE VIEW IF NOT EXISTS run_members AS
SELECT r.project AS project, r.segment AS segment, r.run AS run, r.as_of AS as_of, m.bucket AS bucket,
    groupBitmapXorState(if(m.run = r.base, m.members, bitmapOr(m.entered, m.exited))) AS members
FROM segment_members AS m
INNER JOIN segment_runs AS c ON c.project = m.project AND c.segment = m.segment AND c.run = m.run
INNER JOIN segment_runs AS r ON r.project = c.project AND r.segment = c.segment AND r.base = c.base
WHERE c.step <= r.step
GROUP BY r.project, r.segment, r.run, r.as_of, m.bucket;

DROP VIEW IF EXISTS segment_member_rows;

CREATE VIEW IF NOT EXISTS segment_member_rows AS
SELECT project, segment, run, as_of, arrayJoin(bitmapToArray(members)) AS uid
FROM run_members;
