ALTER TABLE message
    DROP COLUMN template_version,
    DROP COLUMN variables;
