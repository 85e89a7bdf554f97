-- Erases requests that this transaction has locked. No text grows, so that each still fits its column.
--
-- Locks: idempotency keys. Plan: by their ids; keys by dealer.

WITH theirs AS (
    SELECT * FROM unnest(:ids::uuid[], :unit_types::text[], :creators::text[], :changers::text[])
        AS u (id, unit_type, creator, changer)
), erased AS (
    UPDATE customer_validation_request r SET
        nama_pembawa = '[dihapus]', no_telp = '[dihapus]', no_pol = '[dihapus]',
        no_pol_normal = NULL,
        tipe_unit = left(t.unit_type, char_length(r.tipe_unit)),
        created_by = left(t.creator, char_length(r.created_by)),
        last_modified_by = left(t.changer, char_length(r.last_modified_by)),
        fonnte_response = NULL
    FROM theirs t WHERE r.id = t.id
    RETURNING r.id, r.dealer_id
), forgotten AS (
    DELETE FROM idempotency_key k USING erased e
    WHERE k.dealer_id = e.dealer_id AND k.request_id = e.id
)
SELECT count(*) AS requests FROM erased
