DROP TRIGGER tell_changed_messages ON message;
DROP FUNCTION tell_changed_messages();
