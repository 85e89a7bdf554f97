-- Where a publication is for all tables, PostgreSQL refuses to delete from one without a key or
-- another replica identity: the changes could never be added up.
ALTER TABLE request_count_change REPLICA IDENTITY FULL;
