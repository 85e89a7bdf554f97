-- Stores a reply, once for each print, and does what it wants in the same transaction.
--
-- Locks: the opt-out and confirmations, then messages and requests, skipping locked rows. Plan: the phone's requests by the index of
-- phones, its messages by that of recipients.

WITH told AS (
    INSERT INTO reply (dealer_id, phone, name, text, print, request_id)
    SELECT :dealer_id::varchar, :phone::varchar, :name::text, :text::text, :print::bytea, (
        SELECT r.id FROM customer_validation_request r
        WHERE
\ir ../persons/of_phone.sql
            AND r.dealer_id = :dealer_id
        ORDER BY r.request_date DESC, r.request_time DESC, r.id DESC LIMIT 1)
    ON CONFLICT (dealer_id, print) DO NOTHING
    RETURNING place
), wanted AS (
    SELECT :dealer_id::varchar AS dealer_id, :phone::varchar AS phone, :opted_out::bool AS opted_out,
        'reply' AS origin, NULL::text AS note,
        least(coalesce(:said_at::timestamptz, now()), now()) AS said_at
    WHERE :opted_out::bool IS NOT NULL AND (:undated::bool OR EXISTS (SELECT FROM told))
),
\ir change_standing.sql
, confirmed AS (
    INSERT INTO opt_out_confirmation (dealer_id, phone, opted_out)
    SELECT w.dealer_id, w.phone, w.opted_out FROM wanted w
    WHERE EXISTS (SELECT FROM turned)
)
SELECT (SELECT count(*) FROM told) AS stored,
    (SELECT count(*) FROM turned) AS turned
