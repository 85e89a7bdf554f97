-- How many requests a dealer has on a day with each pair of statuses, but for the changes in
-- `request_count_change` that are not added up yet. Only the service's own adding up writes here.
CREATE TABLE request_count (
    dealer_id VARCHAR(10) NOT NULL,
    request_date DATE NOT NULL,
    request_status VARCHAR(20) NOT NULL,
    whatsapp_status VARCHAR(20) NOT NULL,
    rows BIGINT NOT NULL,
    PRIMARY KEY (dealer_id, request_date, request_status, whatsapp_status)
) WITH (fillfactor = 70);

-- What was there before changes were recorded. Others write meanwhile: one statement sees the rows
-- and the changes of the same moment, so that what it sees in both is not counted twice, and what
-- comes later is in the changes alone. Nothing is locked.
INSERT INTO request_count
SELECT dealer_id, request_date, request_status, whatsapp_status, sum(rows)
FROM (
    SELECT dealer_id, request_date, coalesce(request_status, 'PENDING') AS request_status,
        coalesce(whatsapp_status, 'NOT_SENT') AS whatsapp_status, count(*) AS rows
    FROM customer_validation_request GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT dealer_id, request_date, request_status, whatsapp_status, -rows
    FROM request_count_change
) counted
GROUP BY 1, 2, 3, 4 HAVING sum(rows) <> 0;

DO $migration$
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION count_no_requests() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp AS $$
BEGIN
    TRUNCATE request_count_change, request_count;
    RETURN NULL;
END
$$', current_schema());
END
$migration$;
