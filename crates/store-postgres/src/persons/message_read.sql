-- The columns of a message `m`, with the names of its request `r`, that its erasure needs.

    m.id, m.state = 'QUEUED' AS queued, m.target::text, m.reason, m.http_request_id,
    m.provider_state_id, r.nama_pembawa::text AS name, r.no_pol::text AS plate
