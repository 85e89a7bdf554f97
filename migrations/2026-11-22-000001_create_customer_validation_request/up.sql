-- Existing installations have this table, made by the Python service; it is taken over as it is.
CREATE TABLE IF NOT EXISTS customer_validation_request (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    dealer_id VARCHAR(10) NOT NULL,
    request_date DATE NOT NULL,
    request_time TIME NOT NULL,
    nama_pembawa VARCHAR(255) NOT NULL,
    no_telp VARCHAR(20) NOT NULL,
    tipe_unit VARCHAR(100) NOT NULL,
    no_pol VARCHAR(20) NOT NULL,
    request_status VARCHAR(20) DEFAULT 'PENDING',
    whatsapp_status VARCHAR(20) DEFAULT 'NOT_SENT',
    fonnte_response JSON,
    created_by VARCHAR(100),
    created_date TIMESTAMP DEFAULT NOW(),
    last_modified_by VARCHAR(100),
    last_modified_date TIMESTAMP DEFAULT NOW()
);
