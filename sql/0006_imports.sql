-- Imports of users from files, one row per change of state; the newest version holds.
CREATE TABLE IF NOT EXISTS imports
(
    project    UInt32,
    import     String,
    version    UInt64,
    name       String,
    status     Enum8('draft' = 1, 'done' = 2),
    created_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (project, import)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Who was in an import. An actor that is imported again stays in it since the first time.
CREATE TABLE IF NOT EXISTS import_members
(
    project  UInt32,
    import   LowCardinality(String),
    actor    UInt64,
    time     SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    received SimpleAggregateFunction(min, DateTime64(6, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (project, import, actor)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
