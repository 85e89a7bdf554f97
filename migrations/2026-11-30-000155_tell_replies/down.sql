DROP TRIGGER tell_removed_opt_out ON opt_out;
DROP TRIGGER tell_changed_opt_out ON opt_out;
DROP TRIGGER tell_added_opt_out ON opt_out;
DROP TRIGGER tell_reply ON reply;
DROP FUNCTION tell_reply(), tell_opt_out(), is_opted_out, is_turned;
