-- Saved definitions, one row per revision; nothing is changed in place. The newest revision holds.
CREATE TABLE IF NOT EXISTS segments
(
    project         UInt32,
    segment         String,
    revision        UInt32,
    name            String,
    description     String,
    definition      String,
    definition_hash String,
    live            Bool,
    schedule        String,
    browser_visible Bool,
    deleted         Bool,
    author          String,
    created_at      DateTime64(3, 'UTC'),
    updated_at      DateTime64(3, 'UTC'),
    write           UUID
)
ENGINE = MergeTree
ORDER BY (project, segment, revision)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Membership of a segment at a run, as bitmaps of uid, one row per bucket of 2^20 uids.
-- Rows whose run is not in segment_runs belong to a run that never finished, and are not read.
CREATE TABLE IF NOT EXISTS segment_members
(
    project UInt32,
    segment String,
    run     UUID,
    bucket  UInt16,
    members AggregateFunction(groupBitmap, UInt32),
    entered AggregateFunction(groupBitmap, UInt32),
    exited  AggregateFunction(groupBitmap, UInt32)
)
ENGINE = MergeTree
ORDER BY (project, segment, run, bucket)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- One finished materialization of a segment. Its row is written last: it is what makes the membership visible.
CREATE TABLE IF NOT EXISTS segment_runs
(
    project         UInt32,
    segment         String,
    run             UUID,
    revision        UInt32,
    definition_hash String,
    as_of           DateTime64(3, 'UTC'),
    previous        UUID,
    size            UInt64,
    entered         UInt64,
    exited          UInt64,
    elapsed_ms      UInt64,
    finished_at     DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (project, segment, finished_at, run)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Bitmaps as rows, for people and BI tools with SQL: one row per membership of every finished run.
CREATE VIEW IF NOT EXISTS segment_member_rows AS
SELECT m.project AS project, m.segment AS segment, m.run AS run, r.as_of AS as_of, arrayJoin(bitmapToArray(m.members)) AS uid
FROM segment_members AS m
INNER JOIN segment_runs AS r ON r.project = m.project AND r.segment = m.segment AND r.run = m.run;

CREATE VIEW IF NOT EXISTS segment_change_rows AS
SELECT m.project AS project, m.segment AS segment, m.run AS run, r.as_of AS as_of, moved.1 AS change, moved.2 AS uid
FROM segment_members AS m
INNER JOIN segment_runs AS r ON r.project = m.project AND r.segment = m.segment AND r.run = m.run
ARRAY JOIN arrayConcat(
    arrayMap(u -> ('entered', u), bitmapToArray(m.entered)),
    arrayMap(u -> ('exited', u), bitmapToArray(m.exited))) AS moved;
