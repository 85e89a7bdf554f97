-- The endpoints that a delivery waits for, found by jumping from one to the next in the index of what is due. To
-- stand within WITH RECURSIVE.

waiting AS (
    (SELECT d.endpoint_id FROM event_delivery d
    WHERE d.state = 'pending' ORDER BY d.endpoint_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT d.endpoint_id FROM event_delivery d
        WHERE d.state = 'pending' AND d.endpoint_id > w.endpoint_id ORDER BY d.endpoint_id LIMIT 1)
    FROM waiting w WHERE w.endpoint_id IS NOT NULL
)
