-- Exports asked for, one row per change of state; the newest version holds.
CREATE TABLE IF NOT EXISTS exports
(
    project    UInt32,
    export     UUID,
    version    UInt64,
    status     Enum8('queued' = 1, 'running' = 2, 'done' = 3, 'failed' = 4),
    request    String,
    manifest   String,
    rows       UInt64,
    error      String,
    created_at DateTime64(3, 'UTC'),
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (project, export)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Who may run a job in a slot of time. The first insert of a slot's deduplication token wins; later ones are dropped.
CREATE TABLE IF NOT EXISTS leases
(
    job    String,
    slot   UInt64,
    holder UUID,
    taken  DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (job, slot)
TTL toDateTime(taken) + INTERVAL 1 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
