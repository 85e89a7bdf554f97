-- Stores the rows of `fresh`. Lanes are made in one order everywhere, so that two copies cannot deadlock.

request AS (
    INSERT INTO customer_validation_request (
        id, dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol,
        no_pol_normal, request_status, whatsapp_status, created_by, created_date,
        last_modified_by, last_modified_date, newest_message_id)
    SELECT id, dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol,
        no_pol_normal, 'PENDING', 'NOT_SENT', :author, created_date, :author, modified_date,
        message_id
    FROM fresh
), known_lane AS (
    INSERT INTO lane (dealer_id) SELECT DISTINCT dealer_id FROM fresh ORDER BY dealer_id
    ON CONFLICT DO NOTHING
)
INSERT INTO message (
    id, request_id, dealer_id, kind, priority, template, template_version, variables, body, target,
    due_at, next_try_at, http_request_id, traceparent)
SELECT message_id, id, dealer_id, kind, priority, template, template_version, variables::jsonb, body,
    no_telp, greatest(not_before, now()), greatest(not_before, now()), http_request_id, traceparent
FROM fresh
