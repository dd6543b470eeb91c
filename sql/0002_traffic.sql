-- What users did. One row per message; a message sent again collapses with its first copy.
--
-- ts is the client's own timestamp (the epoch when it sent none) because it is the same on every retry; time is
-- the one to read: ts corrected for the client's clock, or the time of receipt. The version keeps the first copy
-- received, so a retry never changes what was already seen.
CREATE TABLE IF NOT EXISTS events
(
    project    UInt32,
    event      LowCardinality(String),
    actor      UInt64,
    ts         DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    message    UInt64 CODEC(NONE),
    time       DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    received   DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    message_id String CODEC(ZSTD(1)),
    properties JSON CODEC(ZSTD(1)),
    context    String CODEC(ZSTD(1)),
    first      UInt64 MATERIALIZED 18446744073709551615 - toUnixTimestamp64Micro(received),
    INDEX times time TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(first)
PARTITION BY toYYYYMM(ts)
ORDER BY (project, event, actor, ts, message)
SETTINGS non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 120,
    min_age_to_force_merge_on_partition_only = 1;

-- Facts about users, as they were said. A null unsets: it is a snapshot of kind 'null'.
--
-- A value is kept in the one reading of its kind, and in those its text also has: number for a text that is wholly
-- a decimal number, instant (milliseconds since the epoch) for an RFC 3339 date-time. A date alone depends on the
-- project's zone and is read when asked. A boolean keeps 'true' or 'false' in text.
CREATE TABLE IF NOT EXISTS attribute_snapshots
(
    project    UInt32,
    attribute  LowCardinality(String),
    actor      UInt64,
    ts         DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    message    UInt64 CODEC(NONE),
    time       DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    received   DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    source     Enum8('native' = 1, 'custom' = 2, 'import' = 3, 'integration' = 4),
    kind       Enum8('null' = 0, 'text' = 1, 'number' = 2, 'boolean' = 3, 'list' = 4),
    text       String CODEC(ZSTD(1)),
    number     Nullable(Float64) CODEC(ZSTD(1)),
    instant    Nullable(Int64) CODEC(ZSTD(1)),
    list       Array(String) CODEC(ZSTD(1)),
    first      UInt64 MATERIALIZED 18446744073709551615 - toUnixTimestamp64Micro(received)
)
ENGINE = ReplacingMergeTree(first)
ORDER BY (project, attribute, actor, ts, message)
SETTINGS non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1;

-- The newest snapshot of each attribute of each actor. The version is (time, received): a late snapshot never
-- overwrites a newer one.
CREATE TABLE IF NOT EXISTS latest_attributes
(
    project   UInt32,
    attribute LowCardinality(String),
    actor     UInt64,
    time      DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    received  DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    source    Enum8('native' = 1, 'custom' = 2, 'import' = 3, 'integration' = 4),
    kind      Enum8('null' = 0, 'text' = 1, 'number' = 2, 'boolean' = 3, 'list' = 4),
    text      String CODEC(ZSTD(1)),
    number    Nullable(Float64) CODEC(ZSTD(1)),
    instant   Nullable(Int64) CODEC(ZSTD(1)),
    list      Array(String) CODEC(ZSTD(1)),
    version   UInt128 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (project, attribute, actor)
SETTINGS non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_age_to_force_merge_seconds = 60,
    min_age_to_force_merge_on_partition_only = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS latest_attributes_feed TO latest_attributes AS
SELECT
    project,
    attribute,
    actor,
    time,
    received,
    source,
    kind,
    text,
    number,
    instant,
    list,
    bitShiftLeft(toUInt128(toUInt64(toUnixTimestamp64Milli(time) + 2208988800000)), 64)
        + toUInt64(toUnixTimestamp64Micro(received)) AS version
FROM attribute_snapshots;

-- When each actor was first and last seen. A sighting is never later than its receipt, whatever the client's clock
-- said. Only min and max are kept: they stay true when a message is sent again.
CREATE TABLE IF NOT EXISTS activity
(
    project    UInt32,
    actor      UInt64,
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen  SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (project, actor)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS activity_feed TO activity AS
SELECT
    project,
    actor,
    min(least(time, toDateTime64(received, 3, 'UTC'))) AS first_seen,
    max(least(time, toDateTime64(received, 3, 'UTC'))) AS last_seen
FROM events
GROUP BY project, actor;

-- The names in use, for the builder and for warnings about names never seen.
CREATE TABLE IF NOT EXISTS event_names
(
    project    UInt32,
    event      LowCardinality(String),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen  SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (project, event);

CREATE MATERIALIZED VIEW IF NOT EXISTS event_names_feed TO event_names AS
SELECT project, event, min(time) AS first_seen, max(time) AS last_seen
FROM events
GROUP BY project, event;

CREATE TABLE IF NOT EXISTS attribute_names
(
    project    UInt32,
    attribute  LowCardinality(String),
    source     Enum8('native' = 1, 'custom' = 2, 'import' = 3, 'integration' = 4),
    kind       Enum8('null' = 0, 'text' = 1, 'number' = 2, 'boolean' = 3, 'list' = 4),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen  SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (project, attribute, source, kind);

CREATE MATERIALIZED VIEW IF NOT EXISTS attribute_names_feed TO attribute_names AS
SELECT project, attribute, source, kind, min(time) AS first_seen, max(time) AS last_seen
FROM attribute_snapshots
GROUP BY project, attribute, source, kind;
