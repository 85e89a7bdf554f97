-- Whether a request `r` matches the filter. No index serves the search: it would cost every request more than
-- all the rest of storing it.

\ir of_statuses.sql
        AND (
            :name::text IS NULL
            OR r.nama_pembawa ~ :name
            OR strpos(lower(translate(r.no_pol, ' -.', '') COLLATE "C"),
                lower(:plate::text COLLATE "C")) > 0
            OR strpos(translate(r.no_telp, ' -.()+', ''), :phone::text) > 0
            OR strpos(translate(r.no_telp, ' -.()+', ''), :other_phone::text) > 0)
