-- Confirmations of opting out or in that are to be sent. A row is removed before its call.
CREATE TABLE opt_out_confirmation (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dealer_id VARCHAR(10) NOT NULL,
    phone VARCHAR(20) NOT NULL,
    opted_out BOOLEAN NOT NULL,
    -- Since when it is due; its age counts from here.
    due_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- When it may be tried next.
    next_try_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX opt_out_confirmation_next ON opt_out_confirmation (next_try_at);
CREATE INDEX opt_out_confirmation_phone ON opt_out_confirmation (phone);
