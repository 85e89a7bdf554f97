-- Calls of a lane, since the latest one whose id is known, that the provider may have taken under ids that
-- nobody knows: tests that were not settled, outcomes that stayed unknown, acceptances without an id.
-- While there is one, an event with an unknown id is no evidence for a message.
ALTER TABLE lane ADD COLUMN unaccounted INTEGER NOT NULL DEFAULT 0;
