-- The columns of a request `r` that its erasure needs.

    r.id, r.no_telp::text AS phone, r.nama_pembawa::text AS name, r.no_pol::text AS plate, ARRAY[
\each mentioning r.{column}::text
    ] AS texts
