-- How long messages took, in the resolution in which it is told: for each dealer, day of the requests and
-- measure the seconds that occur, and how many messages took them. One row with two lists, because most days
-- of most dealers have nearly as many different times as messages.
CREATE TABLE message_seconds (
    dealer_id VARCHAR(10) NOT NULL,
    request_date DATE NOT NULL,
    -- `send`: from due to accepted; `delivery`: from there to the phone; `read`: from there until it was read.
    measure TEXT NOT NULL,
    seconds INTEGER[] NOT NULL,
    -- As many as there are seconds.
    messages INTEGER[] NOT NULL,
    PRIMARY KEY (dealer_id, request_date, measure)
) WITH (fillfactor = 70);

-- What is not added up yet, as `request_count_change` is for the counts. Without an index: a message is
-- appended up to three times, and what is here is read as a whole.
CREATE TABLE message_seconds_change (
    dealer_id VARCHAR(10) NOT NULL,
    request_date DATE NOT NULL,
    measure TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    -- Below zero: so many less.
    messages INTEGER NOT NULL
) WITH (
    -- A queue: what vacuum leaves is read again and again.
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000
);

-- As for `request_count_change`: a publication for all tables must know which row is meant.
ALTER TABLE message_seconds_change REPLICA IDENTITY FULL;

-- The least step that a time does not exceed. Steps are whole seconds to 120, then 2 % longer each, cut to
-- whole seconds; at most ten years. The same as `whole_seconds` of the crate `domain`. One expression,
-- which PostgreSQL puts in the place of the call: called as a function it takes 10 µs instead of 0.2.
CREATE FUNCTION whole_seconds(took INTERVAL) RETURNS INTEGER LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN date_part('epoch', took) <= 120
    THEN greatest(ceil(date_part('epoch', took)), 0)::integer
    ELSE floor(120 * power(1.02::float8, ceil(ln(
        least(ceil(date_part('epoch', took)), 315360000) / 120) / ln(1.02::float8))))::integer END
$$;

-- The times of a message, one row each. The steps of `whole_seconds` are written out: a function that calls
-- another one without its schema cannot be replaced by a session that has another `search_path`.
CREATE FUNCTION seconds_of_message(
    due_at TIMESTAMPTZ, sent_at TIMESTAMPTZ, delivered_at TIMESTAMPTZ, read_at TIMESTAMPTZ)
RETURNS TABLE (measure TEXT, seconds INTEGER) LANGUAGE sql IMMUTABLE AS $$
SELECT t.measure, CASE WHEN t.took <= 120 THEN greatest(ceil(t.took), 0)::integer
    ELSE floor(120 * power(1.02::float8, ceil(ln(
        least(ceil(t.took), 315360000) / 120) / ln(1.02::float8))))::integer END
FROM (VALUES ('send', date_part('epoch', sent_at - due_at)),
    ('delivery', date_part('epoch', delivered_at - sent_at)),
    ('read', date_part('epoch', read_at - delivered_at))) AS t (measure, took)
WHERE t.took IS NOT NULL
$$;

-- Statements of the service call them, as the role that serves.
GRANT EXECUTE ON FUNCTION whole_seconds, seconds_of_message TO PUBLIC;
