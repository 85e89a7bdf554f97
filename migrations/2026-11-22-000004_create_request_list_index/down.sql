DROP INDEX CONCURRENTLY IF EXISTS customer_validation_request_list;
