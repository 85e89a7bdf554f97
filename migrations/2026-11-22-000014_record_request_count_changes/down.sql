DROP TRIGGER count_added_requests ON customer_validation_request;
DROP TRIGGER count_removed_requests ON customer_validation_request;
DROP TRIGGER count_changed_requests ON customer_validation_request;
DROP TRIGGER count_no_requests ON customer_validation_request;
DROP FUNCTION count_added_requests();
DROP FUNCTION count_removed_requests();
DROP FUNCTION count_changed_requests();
DROP FUNCTION count_no_requests();
DROP TABLE request_count_change;
