TRUNCATE message_seconds;
