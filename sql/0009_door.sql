-- Messages the door did not accept, for the operator to read and to replay. They come through the spool like all others, so
-- that what was answered 200 is kept here whatever dies, and every node's are in one place. Rows end after 30 days; how
-- much of a project is kept in a day is bounded by the door. The newest version holds: a replayed one is no longer listed.
CREATE TABLE IF NOT EXISTS rejections
(
    project    UInt32,
    received   DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    rejection  UUID,
    path       UInt8,
    sent_at    Nullable(Int64),
    code       LowCardinality(String),
    detail     String CODEC(ZSTD(1)),
    pointer    String CODEC(ZSTD(1)),
    context    String CODEC(ZSTD(1)),
    message    String CODEC(ZSTD(1)),
    whole      Bool,
    replayed   Bool,
    version    UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toDate(received)
ORDER BY (project, received, rejection)
TTL toDateTime(received) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- The names traffic brought in, which the door counts against a project's caps. A property's name is counted once for all
-- events.
CREATE TABLE IF NOT EXISTS names
(
    project    UInt32,
    kind       Enum8('event' = 1, 'attribute' = 2, 'property' = 3),
    name       String,
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (project, kind, name)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- What people set of a project, one row per revision; nothing is changed in place. The newest revision holds, and before
-- the first one what table projects says.
CREATE TABLE IF NOT EXISTS project_settings
(
    project         UInt32,
    revision        UInt32,
    name            String,
    time_zone       String,
    signed_identify Bool,
    identify_secret String,
    author          String,
    updated_at      DateTime64(3, 'UTC'),
    write           UUID
)
ENGINE = MergeTree
ORDER BY (project, revision)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
