-- The dealer that is asked about, or all that may have requests on these days.

    SELECT :dealer_id::varchar AS dealer_id WHERE :dealer_id IS NOT NULL
    UNION
    SELECT n.dealer_id FROM request_count n
    WHERE :dealer_id IS NULL AND n.request_date BETWEEN :first_day AND :last_day
    UNION
    SELECT n.dealer_id FROM request_count_change n
    WHERE :dealer_id IS NULL AND n.request_date BETWEEN :first_day AND :last_day
