-- A message changes twice soon after it was queued and its request once, and so do their neighbours on
-- the page, at the same moment. Where a page has no room for a row's new version, that one goes
-- elsewhere and every index of the table gets another entry: that was so for two thirds of the
-- changes that could have been made in place. The room is used: once they are sent, messages and
-- requests take less of the disk than with full pages.
ALTER TABLE message SET (fillfactor = 50);
ALTER TABLE customer_validation_request SET (fillfactor = 40);
