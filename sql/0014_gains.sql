-- What an arrival of an event tells of the event besides: the month it is kept in, by the client's clock, and when it was
-- received. A live segment reads the months of what came in, and not all that ever happened. Where the month is zero, which it
-- is for what came before this migration, it is not known.
ALTER TABLE arrivals ADD COLUMN IF NOT EXISTS month UInt32 DEFAULT 0;

ALTER TABLE arrivals ADD COLUMN IF NOT EXISTS received DateTime64(6, 'UTC') DEFAULT toDateTime64(0, 6, 'UTC') CODEC(Delta, ZSTD(1));

ALTER TABLE arrivals_of_events MODIFY QUERY
SELECT project, 'event' AS kind, event AS name, time, actor, now64(3, 'UTC') AS inserted, toYYYYMM(ts) AS month, received
FROM events;
