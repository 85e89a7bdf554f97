-- Erases requests that this transaction has locked. No text grows, so that each still fits its column.
--
-- Locks: idempotency keys. Plan: by their ids; keys by dealer.

WITH theirs AS (
    SELECT * FROM unnest(:ids::uuid[],
\each mentioning :{column}::text[]
    ) AS u (id,
\each mentioning {column}
    )
), erased AS (
    UPDATE customer_validation_request r SET
        nama_pembawa = '[dihapus]', no_telp = '[dihapus]', no_pol = '[dihapus]',
        no_pol_normal = NULL, fonnte_response = NULL,
\each mentioning {column} = left(t.{column}, char_length(r.{column}))
    FROM theirs t WHERE r.id = t.id
    RETURNING r.id, r.dealer_id
), forgotten AS (
    DELETE FROM idempotency_key k USING erased e
    WHERE k.dealer_id = e.dealer_id AND k.request_id = e.id
)
SELECT count(*) AS requests FROM erased
