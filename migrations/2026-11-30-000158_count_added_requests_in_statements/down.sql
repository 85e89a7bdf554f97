DROP TRIGGER count_added_requests ON customer_validation_request;
CREATE TRIGGER count_added_requests AFTER INSERT ON customer_validation_request
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_added_requests();
