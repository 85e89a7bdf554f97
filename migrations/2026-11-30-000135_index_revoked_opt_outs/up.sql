-- Opt-outs that do not hold any more are removed when they are old.
CREATE INDEX opt_out_revoked ON opt_out (changed_at) WHERE NOT opted_out;
