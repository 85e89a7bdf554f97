-- The rows of a batch of submissions.

    SELECT * FROM unnest(
        :id::uuid[], :message_id::uuid[], :kind::text[], :priority::smallint[], :template::text[],
        :template_version::int[], :variables::text[], :body::text[], :not_before::timestamptz[],
        :http_request_id::text[], :traceparent::text[], :key::varchar[], :body_print::bytea[],
\each submitted :{column}::{type}[]
    ) AS u (
        id, message_id, kind, priority, template, template_version, variables, body, not_before,
        http_request_id, traceparent, key, body_print,
\each submitted {column}
    )
