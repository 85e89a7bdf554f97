-- Opts a phone in by hand, and notes it in the audit, where it was opted out.
--
-- Locks: the opt-out. Plan: by dealer and phone.

WITH wanted AS (
    SELECT :dealer_id::varchar AS dealer_id, :phone::varchar AS phone
), prints AS (
\ir opt_out_prints.sql
), shown_again AS (
    DELETE FROM opt_out o USING wanted w
    WHERE o.dealer_id = w.dealer_id AND o.phone_print IN (SELECT print FROM prints)
    RETURNING o.dealer_id
), opted_in AS (
    UPDATE opt_out o SET
        place = DEFAULT, opted_out = false, origin = 'manual', note = NULL, changed_at = now(),
        said_at = now()
    FROM wanted w
    WHERE o.dealer_id = w.dealer_id AND o.phone = w.phone AND o.opted_out
    RETURNING o.dealer_id
), turned AS (
    SELECT dealer_id FROM shown_again UNION SELECT dealer_id FROM opted_in
), noted AS (
    INSERT INTO audit (actor, key_id, action, dealer_id, request_id, detail)
    SELECT :audit_actor, :audit_key, :audit_action, coalesce(:audit_dealer, t.dealer_id), :audit_call,
        :audit_detail
    FROM turned t
)
SELECT count(*) AS rows FROM turned
