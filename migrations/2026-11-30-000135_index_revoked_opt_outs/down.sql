DROP INDEX opt_out_revoked;
