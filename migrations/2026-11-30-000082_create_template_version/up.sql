-- Every version of every template, as it was written. Never changed, except that an erasure takes a phone
-- out of an author.
CREATE TABLE template_version (
    dealer_id VARCHAR(10) NOT NULL,
    name VARCHAR(50) NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (dealer_id, name, version)
);
