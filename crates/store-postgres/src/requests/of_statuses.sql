-- Whether a request `r` has the statuses of the filter.

            (:request_statuses::text[] IS NULL
                OR coalesce(r.request_status, 'PENDING') = ANY (:request_statuses))
            AND (:whatsapp_statuses::text[] IS NULL
                OR coalesce(r.whatsapp_status, 'NOT_SENT') = ANY (:whatsapp_statuses))
