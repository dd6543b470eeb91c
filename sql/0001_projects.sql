-- A project is a tenant. Its number is part of every key and every actor's hash.
CREATE TABLE IF NOT EXISTS projects
(
    project    UInt32,
    name       String,
    time_zone  String,
    created_at DateTime64(3, 'UTC'),
    version    UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY project;

-- Keys are kept as SHA-256 digests: reading the database gives nobody a key.
CREATE TABLE IF NOT EXISTS project_keys
(
    digest     FixedString(32),
    project    UInt32,
    kind       Enum8('write' = 1, 'secret' = 2),
    revoked    Bool DEFAULT false,
    created_at DateTime64(3, 'UTC'),
    version    UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY digest;
