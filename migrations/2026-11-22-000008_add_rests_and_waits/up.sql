-- Quiet hours or the day's limit: the lane rests until then, and messages age from then.
ALTER TABLE lane ADD COLUMN rest_until TIMESTAMPTZ;
-- Calls to send on a day of Asia/Jakarta.
ALTER TABLE lane ADD COLUMN calls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lane ADD COLUMN calls_on DATE;
-- Whether a status event that would tell the message's unknown outcome was waited for.
ALTER TABLE message ADD COLUMN awaited BOOLEAN NOT NULL DEFAULT false;
