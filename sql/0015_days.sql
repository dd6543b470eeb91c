-- A text that is a date is a time too, which begins when the project's zone says. The date is read once, when it comes in, as days
-- from 1970-01-01: so no text has to be read where times are compared, and nobody has to ask first whether there are dates. The years
-- of a calendar repeat after 400, and ClickHouse has days of those from 1900 on; a day that its month does not have comes out as
-- another one, and is none.
ALTER TABLE attribute_snapshots ADD COLUMN IF NOT EXISTS day Nullable(Int32) MATERIALIZED if(
    kind = 'text' AND match(text, '^[0-9]{4}-[0-9]{2}-[0-9]{2}$')
        AND substring(toString(makeDate32(1900 + positiveModulo(toInt32OrZero(substring(text, 1, 4)) - 1900, 400),
            toInt32OrZero(substring(text, 6, 2)), toInt32OrZero(substring(text, 9, 2)))), 6, 5) = substring(text, 6, 5),
    toInt32(makeDate32(1900 + positiveModulo(toInt32OrZero(substring(text, 1, 4)) - 1900, 400),
            toInt32OrZero(substring(text, 6, 2)), toInt32OrZero(substring(text, 9, 2))))
        + intDiv(toInt32OrZero(substring(text, 1, 4)) - 1900 - positiveModulo(toInt32OrZero(substring(text, 1, 4)) - 1900, 400), 400) * 146097,
    NULL) CODEC(ZSTD(1));

ALTER TABLE attribute_snapshots MATERIALIZE COLUMN day SETTINGS mutations_sync = 2;

ALTER TABLE latest_attributes ADD COLUMN IF NOT EXISTS day Nullable(Int32) MATERIALIZED if(
    kind = 'text' AND match(text, '^[0-9]{4}-[0-9]{2}-[0-9]{2}$')
        AND substring(toString(makeDate32(1900 + positiveModulo(toInt32OrZero(substring(text, 1, 4)) - 1900, 400),
            toInt32OrZero(substring(text, 6, 2)), toInt32OrZero(substring(text, 9, 2)))), 6, 5) = substring(text, 6, 5),
    toInt32(makeDate32(1900 + positiveModulo(toInt32OrZero(substring(text, 1, 4)) - 1900, 400),
            toInt32OrZero(substring(text, 6, 2)), toInt32OrZero(substring(text, 9, 2))))
        + intDiv(toInt32OrZero(substring(text, 1, 4)) - 1900 - positiveModulo(toInt32OrZero(substring(text, 1, 4)) - 1900, 400), 400) * 146097,
    NULL) CODEC(ZSTD(1));

ALTER TABLE latest_attributes MATERIALIZE COLUMN day SETTINGS mutations_sync = 2;

ALTER TABLE attribute_snapshots DROP INDEX IF EXISTS days;

-- Removals are told apart with the values of anonymous actors: all values that are not simply their user's.
ALTER TABLE latest_attributes ADD INDEX IF NOT EXISTS apart if(attribute = '' OR bitTest(actor, 0) = 1, 1, 0) TYPE minmax GRANULARITY 1;

ALTER TABLE latest_attributes MATERIALIZE INDEX apart SETTINGS mutations_sync = 2;

ALTER TABLE latest_attributes DROP INDEX IF EXISTS anonymous;
