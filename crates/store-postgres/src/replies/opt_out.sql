-- Opts a phone out by hand, and notes it in the audit, unless it is.
--
-- Locks: as for `keep_reply.sql`. Plan: by dealer and phone.

WITH wanted AS (
    SELECT :dealer_id::varchar AS dealer_id, :phone::varchar AS phone, true AS opted_out,
        'manual' AS origin, :note::text AS note, now() AS said_at
),
\ir change_standing.sql
, noted AS (
    INSERT INTO audit (actor, key_id, action, dealer_id, request_id, detail)
    SELECT :audit_actor, :audit_key, :audit_action, coalesce(:audit_dealer, o.dealer_id), :audit_call,
        :audit_detail
    FROM opted_out o
)
SELECT place, dealer_id::text, phone::text, origin, note, changed_at, true AS is_new FROM opted_out
UNION ALL
SELECT o.place, o.dealer_id::text, o.phone::text, o.origin, o.note, o.changed_at, false
FROM opt_out o
JOIN wanted w ON w.dealer_id = o.dealer_id
WHERE NOT EXISTS (SELECT FROM opted_out) AND o.opted_out
    AND (o.phone = w.phone OR o.phone_print IN (SELECT print FROM prints))
LIMIT 1
