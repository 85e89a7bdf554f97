-- Opts a phone in by hand, and notes it in the audit, where it was opted out.
--
-- Locks: as for `keep_reply.sql`. Plan: by dealer and phone.

WITH wanted AS (
    SELECT :dealer_id::varchar AS dealer_id, :phone::varchar AS phone, false AS opted_out,
        'manual' AS origin, NULL::text AS note, now() AS said_at
),
\ir change_standing.sql
, noted AS (
    INSERT INTO audit (actor, key_id, action, dealer_id, request_id, detail)
    SELECT :audit_actor, :audit_key, :audit_action, coalesce(:audit_dealer, t.dealer_id), :audit_call,
        :audit_detail
    FROM turned t
)
SELECT count(*) AS rows FROM turned
