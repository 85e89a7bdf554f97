-- Writes an entry into the audit for each row that a statement has `changed`. The dealer of the row stands
-- in where the entry names none.

    INSERT INTO audit (actor, key_id, action, dealer_id, request_id, detail)
    SELECT :audit_actor, :audit_key, :audit_action, coalesce(:audit_dealer, c.dealer_id),
        :audit_call, :audit_detail
    FROM changed c
