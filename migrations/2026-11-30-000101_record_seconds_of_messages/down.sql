DROP TRIGGER count_seconds_of_added_message ON message;
DROP TRIGGER count_seconds_of_changed_message ON message;
DROP TRIGGER count_seconds_of_removed_message ON message;
DROP TRIGGER forget_seconds ON message;
DROP FUNCTION count_seconds_of_message();
DROP FUNCTION forget_seconds();
DROP FUNCTION has_seconds, has_other_seconds;
