-- The requests of a person: the phone in the national form, however an older service spelt it.
-- CONCURRENTLY, because the table may be large and the service that still runs must be able to
-- write to it meanwhile.
CREATE INDEX CONCURRENTLY IF NOT EXISTS customer_validation_request_phone
    ON customer_validation_request ((regexp_replace(regexp_replace(no_telp, '[^0-9+]', '', 'g'), '^(([+]|00)?620*|0)?8', '08')))
    WHERE no_telp <> '[dihapus]';
