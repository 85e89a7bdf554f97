-- The requests `r` of messages that a statement has `changed` mirror the new statuses, where the message is
-- their newest one.
--
-- A statement that waited for a lock updates the newest version of the request, but sees messages of its
-- older snapshot. So the row itself names its newest message. Rows of older releases name none, and a release
-- that runs beside this one may have queued a newer message.

        request_status = c.request_status,
        whatsapp_status = c.whatsapp_status,
        last_modified_by = :author,
        last_modified_date = now() AT TIME ZONE INTERVAL '+07:00'
    FROM changed c
    WHERE r.id = c.request_id AND CASE
        WHEN r.newest_message_id = c.id THEN true
        WHEN r.newest_message_id IS NULL OR EXISTS (
            SELECT FROM message p
            WHERE p.id = r.newest_message_id AND (p.created_at, p.id) < (c.created_at, c.id))
        THEN NOT EXISTS (
            SELECT FROM message n
            WHERE n.request_id = c.request_id AND (n.created_at, n.id) > (c.created_at, c.id))
        ELSE false END
