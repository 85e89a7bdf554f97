-- What the provider last said about the account of a lane: in every acceptance what is left of its quota,
-- in its profile the last day of its package, too. The profile is asked for once a day where something was
-- sent.
ALTER TABLE lane
    ADD COLUMN last_sent_at TIMESTAMPTZ,
    ADD COLUMN quota_left BIGINT,
    ADD COLUMN quota_at TIMESTAMPTZ,
    ADD COLUMN expires_on DATE,
    ADD COLUMN profile_due_at TIMESTAMPTZ;
