-- Stores the provider's profile of an account; values that are absent stay as they were.
--
-- Locks: the lane. Plan: by its dealer.

INSERT INTO lane AS l (dealer_id, quota_left, quota_at, expires_on, profile_due_at)
VALUES (
    :dealer_id, :quota_left::bigint, CASE WHEN :quota_left IS NOT NULL THEN now() END, :expires_on,
    now() + make_interval(secs => :again_seconds))
ON CONFLICT (dealer_id) DO UPDATE SET
    quota_left = coalesce(excluded.quota_left, l.quota_left),
    quota_at = coalesce(excluded.quota_at, l.quota_at),
    expires_on = coalesce(excluded.expires_on, l.expires_on),
    profile_due_at = excluded.profile_due_at
