-- The prints of the phone that is `wanted`, under every key: erased persons are known by them.

    SELECT w.phone, sha256(k.key || sha256(k.key || convert_to(w.phone, 'UTF8'))) AS print
    FROM wanted w
    CROSS JOIN (SELECT key FROM opt_out_key UNION ALL SELECT unnest(:print_keys::bytea[])) k
