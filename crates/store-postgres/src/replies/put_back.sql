-- Puts a confirmation back that was taken and not sent.
--
-- Locks: none. Plan: by its id.

INSERT INTO opt_out_confirmation (id, dealer_id, phone, opted_out, due_at, next_try_at)
OVERRIDING SYSTEM VALUE
VALUES (:id, :dealer_id, :phone, :opted_out, :due_at, now() + make_interval(secs => :wait_seconds))
ON CONFLICT (id) DO NOTHING
