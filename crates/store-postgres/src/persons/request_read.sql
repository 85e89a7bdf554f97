-- The columns of a request `r` that its erasure needs.

    r.id, r.no_telp::text AS phone, r.nama_pembawa::text AS name, r.no_pol::text AS plate,
    r.tipe_unit::text AS unit_type, r.created_by::text, r.last_modified_by::text
