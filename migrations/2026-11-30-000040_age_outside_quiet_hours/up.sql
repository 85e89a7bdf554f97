-- Since when messages of a lane age at the earliest: until then the day's calls were used up, or
-- settings about rests were changed. Quiet hours are left out when ages are told, whatever holds up the
-- lane. NULL: as the release before had it, from the end of the latest rest.
ALTER TABLE lane ADD COLUMN aging_from TIMESTAMPTZ;
