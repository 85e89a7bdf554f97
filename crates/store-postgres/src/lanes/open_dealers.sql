-- The dealers with open messages, found by jumping through the index `message_open` from dealer to
-- dealer. Part of a recursive `dealer`.

    (SELECT m.dealer_id FROM message m
        WHERE m.sent_at IS NULL AND m.failed_at IS NULL
        ORDER BY m.dealer_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT m.dealer_id FROM message m
        WHERE m.sent_at IS NULL AND m.failed_at IS NULL AND m.dealer_id > d.dealer_id
        ORDER BY m.dealer_id LIMIT 1)
    FROM dealer d WHERE d.dealer_id IS NOT NULL
