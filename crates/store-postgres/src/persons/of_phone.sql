-- The requests `r` of a phone in any notation: exactly the expression of the index
-- `customer_validation_request_phone`. It agrees with `Phone::is_written_as`.

    regexp_replace(regexp_replace(r.no_telp, '[^0-9+]', '', 'g'), '^(([+]|00)?620*|0)?8', '08')
        = :phone AND r.no_telp <> '[dihapus]'
