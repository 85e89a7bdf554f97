-- Releases an endpoint whose call was not begun.
--
-- Locks: the endpoint. Plan: by its id.

UPDATE endpoint e SET lease_until = NULL
WHERE e.id = :endpoint_id AND e.epoch = :epoch AND e.lease_until > now()
