-- What customers write back. Removed when the person is erased, and when it is old.
CREATE TABLE reply (
    -- In the order of arrival.
    place BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id UUID NOT NULL DEFAULT gen_random_uuid(),
    dealer_id VARCHAR(10) NOT NULL,
    received_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- As in `message.target`: 08….
    phone VARCHAR(20) NOT NULL,
    name TEXT,
    -- NULL for media without a caption.
    text TEXT,
    -- The newest request of the phone at this dealer. No foreign key: other programs delete requests.
    request_id UUID,
    -- A SHA-256 by which a repeated report is known.
    print BYTEA NOT NULL CHECK (octet_length(print) = 32)
);

CREATE UNIQUE INDEX reply_once ON reply (dealer_id, print);
CREATE INDEX reply_list ON reply (dealer_id, place);
CREATE INDEX reply_request ON reply (request_id, place) WHERE request_id IS NOT NULL;
CREATE INDEX reply_phone ON reply (phone);
CREATE INDEX reply_age ON reply (received_at);
