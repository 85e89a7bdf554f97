-- The rows of a batch of submissions.

    SELECT * FROM unnest(
        :id::uuid[], :dealer_id::varchar[], :request_date::date[], :request_time::time[],
        :nama_pembawa::varchar[], :no_telp::varchar[], :tipe_unit::varchar[], :no_pol::varchar[],
        :no_pol_normal::varchar[], :created_date::timestamp[], :modified_date::timestamp[],
        :message_id::uuid[], :kind::text[], :priority::smallint[], :template::text[],
        :template_version::int[], :variables::text[], :body::text[], :not_before::timestamptz[], :http_request_id::text[],
        :traceparent::text[], :key::varchar[], :body_print::bytea[]) AS u (
        id, dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol,
        no_pol_normal, created_date, modified_date, message_id, kind, priority, template,
        template_version, variables, body, not_before, http_request_id, traceparent, key, body_print)
