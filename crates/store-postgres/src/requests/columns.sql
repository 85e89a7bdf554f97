-- The columns of a request `r` that answers show.

    r.id, r.dealer_id, r.request_date, r.request_time, r.nama_pembawa, r.no_telp, r.tipe_unit,
    r.no_pol, r.request_status, r.whatsapp_status, r.fonnte_response, r.created_by,
    r.created_date, r.last_modified_by, r.last_modified_date
