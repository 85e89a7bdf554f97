DROP TRIGGER tell_accounts ON lane;
DROP TRIGGER tell_added_account ON lane;
DROP FUNCTION tell_accounts(), tell_added_account(), has_account;
