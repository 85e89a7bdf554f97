-- Stores new webhook tokens. Where several copies make one at once, the first one wins.
--
-- Locks: none. Plan: by dealer.

INSERT INTO dealer_webhook (dealer_id, token, token_print)
SELECT * FROM unnest(:dealer_ids::varchar[], :tokens::text[], :prints::bytea[])
    AS t (dealer_id, token, token_print)
ORDER BY dealer_id
ON CONFLICT (dealer_id) DO NOTHING
