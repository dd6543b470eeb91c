-- Who there is, without going through all actors: every part of actors keeps the bitmap of the users that its actors were ever
-- known by, and of those with a user id. A user whose first actor moved to another is nobody any more: the actor's row says so in
-- vacated, for all its moves, since a row that a newer one replaced goes when parts merge.
ALTER TABLE actors ADD COLUMN IF NOT EXISTS vacated Array(UInt32);

ALTER TABLE actors MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild', lightweight_mutation_projection_mode = 'rebuild';

-- Rows from before say nothing of what they vacated, so those they replaced must go.
OPTIMIZE TABLE actors FINAL;

ALTER TABLE actors ADD PROJECTION IF NOT EXISTS everyone
(
    SELECT project, groupBitmapStateIf(uid, rank = 0), groupBitmapStateIf(uid, kind = 'user'), groupUniqArrayArray(vacated)
    GROUP BY project
);

ALTER TABLE actors MATERIALIZE PROJECTION everyone SETTINGS mutations_sync = 2;

-- User ids that were aliased to another are few.
ALTER TABLE actors ADD INDEX IF NOT EXISTS aliased if(kind = 'user', rank, 0) TYPE minmax GRANULARITY 1;

ALTER TABLE actors MATERIALIZE INDEX aliased SETTINGS mutations_sync = 2;

-- What is from after now is seldom there, and told apart without reading the rest.
ALTER TABLE activity ADD INDEX IF NOT EXISTS first_seen first_seen TYPE minmax GRANULARITY 1;

ALTER TABLE activity ADD INDEX IF NOT EXISTS last_seen last_seen TYPE minmax GRANULARITY 1;

ALTER TABLE activity MATERIALIZE INDEX first_seen SETTINGS mutations_sync = 2;

ALTER TABLE activity MATERIALIZE INDEX last_seen SETTINGS mutations_sync = 2;

ALTER TABLE latest_attributes ADD INDEX IF NOT EXISTS time time TYPE minmax GRANULARITY 1;

ALTER TABLE latest_attributes MATERIALIZE INDEX time SETTINGS mutations_sync = 2;

-- So are values of anonymous actors, whose lowest bit is set.
ALTER TABLE latest_attributes ADD INDEX IF NOT EXISTS anonymous bitTest(actor, 0) TYPE minmax GRANULARITY 1;

ALTER TABLE latest_attributes MATERIALIZE INDEX anonymous SETTINGS mutations_sync = 2;

-- And texts that may be dates, which have ten bytes.
ALTER TABLE attribute_snapshots ADD INDEX IF NOT EXISTS days if(kind = 'text' AND length(text) = 10, 1, 0) TYPE minmax GRANULARITY 1;

ALTER TABLE attribute_snapshots MATERIALIZE INDEX days SETTINGS mutations_sync = 2;
