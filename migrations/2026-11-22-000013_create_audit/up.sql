-- Who did what to which dealer. Written once, never changed; no secrets, no personal data.
CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- The name of the key, or what stands for it.
    actor TEXT NOT NULL,
    key_id TEXT,
    action TEXT NOT NULL,
    dealer_id VARCHAR(10),
    -- The id of the call, as the log has it; not that of a customer's request.
    request_id TEXT,
    detail TEXT NOT NULL
);
