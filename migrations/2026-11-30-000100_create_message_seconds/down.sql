DROP TABLE message_seconds, message_seconds_change;
DROP FUNCTION seconds_of_message(TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ);
DROP FUNCTION whole_seconds(INTERVAL);
