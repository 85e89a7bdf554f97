-- Writes an audit entry for each row that a statement has `changed`. Where the entry names no dealer, that of
-- the row is used.

    INSERT INTO audit (actor, key_id, action, dealer_id, request_id, detail)
    SELECT :audit_actor, :audit_key, :audit_action, coalesce(:audit_dealer, c.dealer_id),
        :audit_call, :audit_detail
    FROM changed c
