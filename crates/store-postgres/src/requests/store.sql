-- Stores the rows of `fresh`, and counts them, as a trigger does for other programs. Lanes are made in one
-- order everywhere, so that two copies cannot deadlock.

request AS (
    INSERT INTO customer_validation_request (
        id, request_status, whatsapp_status, created_by, last_modified_by, newest_message_id,
\each submitted {column}
    )
    SELECT id, 'PENDING', 'NOT_SENT', :author, :author, message_id,
\each submitted {column}
    FROM fresh
    -- As they are stored, whatever triggers of other programs make of them.
    RETURNING dealer_id, request_date, request_status, whatsapp_status
), known_lane AS (
    INSERT INTO lane (dealer_id) SELECT DISTINCT dealer_id FROM fresh ORDER BY dealer_id
    ON CONFLICT DO NOTHING
), counted AS (
    INSERT INTO request_count_change (dealer_id, request_date, request_status, whatsapp_status, rows)
    SELECT dealer_id, request_date, coalesce(request_status, 'PENDING'),
        coalesce(whatsapp_status, 'NOT_SENT'), count(*)
    FROM request GROUP BY 1, 2, 3, 4
)
INSERT INTO message (
    id, request_id, dealer_id, kind, priority, template, template_version, variables, body, target,
    due_at, next_try_at, http_request_id, traceparent)
SELECT message_id, id, dealer_id, kind, priority, template, template_version, variables::jsonb, body,
    no_telp, greatest(not_before, now()), greatest(not_before, now()), http_request_id, traceparent
FROM fresh
