-- What traffic said about identifiers: that an actor exists (link 'none'), and that it belongs to another ('identify':
-- an anonymous actor and its user; 'alias': two users). Ids are kept byte for byte. time is the earliest such saying.
CREATE TABLE IF NOT EXISTS identities
(
    project  UInt32,
    actor    UInt64,
    kind     Enum8('anonymous' = 1, 'user' = 2),
    link     Enum8('none' = 0, 'identify' = 1, 'alias' = 2),
    linked   UInt64,
    id       SimpleAggregateFunction(any, String),
    time     SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    inserted SimpleAggregateFunction(max, DateTime64(3, 'UTC')) DEFAULT now64(3, 'UTC'),
    INDEX arrivals inserted TYPE minmax GRANULARITY 1
)
ENGINE = AggregatingMergeTree
ORDER BY (project, actor, kind, link, linked)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Which user each actor is. uid is the dense number of the user in its project, from 1; it is never given out twice.
-- rank 0 is the actor a user is known by; its other actors follow in the order they joined. The newest version holds;
-- a version is written by one batch, whoever else tried.
CREATE TABLE IF NOT EXISTS actors
(
    project UInt32,
    actor   UInt64,
    uid     UInt32,
    rank    UInt16,
    kind    Enum8('anonymous' = 1, 'user' = 2),
    id      String,
    version UInt64,
    batch   UUID
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (project, actor)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
