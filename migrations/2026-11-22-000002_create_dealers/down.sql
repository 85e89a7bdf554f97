-- Another service may own the table by now: it stays.
SELECT 1;
