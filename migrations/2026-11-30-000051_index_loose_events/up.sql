-- Reports that belong to no message, in which the phone of a person is looked for when it is erased. The
-- text is named so that no other statement takes this index for one of its own. CONCURRENTLY, because the
-- table may be large and the service that still runs must be able to write to it meanwhile.
CREATE INDEX CONCURRENTLY IF NOT EXISTS webhook_event_loose ON webhook_event (id)
    WHERE message_id IS NULL AND body <> '[dihapus]';
