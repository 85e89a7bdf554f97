-- The table may be older than this service, and its rows are the business: it stays.
SELECT 1;
