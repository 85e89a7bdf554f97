-- The templates of messages as they are in force, with the newest version of each. A removed one keeps its
-- row, because it knows which numbers were given.
CREATE TABLE template (
    -- The dealer whose it is; empty for those of head office, for all dealers.
    dealer_id VARCHAR(10) NOT NULL,
    name VARCHAR(50) NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    removed BOOLEAN NOT NULL DEFAULT false,
    PRIMARY KEY (dealer_id, name)
);
