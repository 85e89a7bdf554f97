-- Owned by another service, which has made it already in an existing installation; a stand-alone
-- one gets it here. Asked first, because CREATE … IF NOT EXISTS needs rights even when it has
-- nothing to do.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'dealer_integration') THEN
        CREATE SCHEMA dealer_integration;
    END IF;
    -- It may be a view or a foreign table, too.
    IF to_regclass('dealer_integration.dealers') IS NULL THEN
        CREATE TABLE dealer_integration.dealers (
            id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
            dealer_id VARCHAR(10) UNIQUE NOT NULL,
            dealer_name VARCHAR(255) NOT NULL,
            fonnte_api_key VARCHAR(255),
            fonnte_api_url VARCHAR(255) DEFAULT 'https://api.fonnte.com/send',
            is_active BOOLEAN DEFAULT TRUE,
            created_at TIMESTAMP DEFAULT NOW(),
            updated_at TIMESTAMP DEFAULT NOW()
        );
    END IF;
END
$$;
