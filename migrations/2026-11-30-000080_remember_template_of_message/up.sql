-- Which version of its template a message was made from (none: the built-in one), and the texts that were
-- given for the template's variables, which are personal data.
ALTER TABLE message
    ADD COLUMN template_version INTEGER,
    ADD COLUMN variables JSONB;
