-- Puts right what is wrong by one more change, as `correct_counts.sql` does.
--
-- Locks: none. Plan: all messages and requests.

WITH difference AS (
\ir seconds_differences.sql
), corrected AS (
    INSERT INTO message_seconds_change (dealer_id, request_date, measure, seconds, messages)
    SELECT * FROM difference RETURNING messages
)
SELECT count(*) AS wrong, coalesce(sum(abs(messages)), 0)::bigint AS requests FROM corrected
