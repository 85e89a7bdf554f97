-- The dealers and requests of a person, and the names in those requests.
--
-- Locks: none. Plan: requests and messages by their indexes of phones.

WITH theirs AS (
    SELECT r.id, r.dealer_id, r.nama_pembawa, r.no_pol FROM customer_validation_request r
    WHERE
\ir of_phone.sql
    UNION
    SELECT m.request_id, m.dealer_id, NULL, NULL FROM message m
    WHERE m.target = :phone AND m.target <> '[dihapus]'
)
SELECT id::text, dealer_id::text, nama_pembawa::text AS name, no_pol::text AS plate FROM theirs
