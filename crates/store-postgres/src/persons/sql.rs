//! The statements about persons. Locks are taken in the order message, request; an event that is
//! being looked at is passed over, because nobody who holds one of those may wait for it: it is
//! erased at last, alone.
//!
//! Rows are locked and read by one statement and erased by the next one of the same transaction: what
//! is taken out of texts that others wrote is decided by [`Person`](domain::Person), between the two.
//!
//! What stands for erased data is written out where an index of `migrations/` names it, too.

use crate::requests::mirror::is_newest;

/// What [`ERASED`](domain::ERASED) is in SQL.
macro_rules! erased {
    () => {
        "'[dihapus]'"
    };
}

/// The phone of a request in the national form, however it is spelt: the expression of the index
/// `customer_validation_request_phone`, which must stay the same to the letter. It agrees with
/// `Phone::is_written_as`.
macro_rules! number {
    ($column:literal) => {
        concat!(
            "regexp_replace(regexp_replace(",
            $column,
            ", '[^0-9+]', '', 'g'), '^(([+]|00)?620*|0)?8', '08')"
        )
    };
}

/// Whether a text holds the phone, whatever stands between its digits. Not by regular expressions: they
/// took six times as long on lines of the audit.
macro_rules! quotes {
    ($text:literal) => {
        concat!(
            "coalesce(position(i.subscriber IN translate(",
            $text,
            ", ' -.()/_+,:;|#*~=@&' || chr(92) || chr(160), '')) > 0, false)"
        )
    };
}

/// What is read of a message `m` before it is erased, with the names of its request `r`.
macro_rules! message_read {
    () => {
        "m.id, m.state = 'QUEUED' AS queued, m.target::text, m.reason, m.http_request_id,
    m.provider_state_id, r.nama_pembawa::text AS name, r.no_pol::text AS plate"
    };
}

/// What is read of a request `r` before it is erased.
macro_rules! request_read {
    () => {
        "r.id, r.no_telp::text AS phone, r.nama_pembawa::text AS name, r.no_pol::text AS plate,
    r.tipe_unit::text AS unit_type, r.created_by::text, r.last_modified_by::text"
    };
}

/// Messages are found by their recipient and not by their request, which another program may have
/// deleted.
pub(crate) const LOCK_MESSAGES: &str = concat!(
    "SELECT m.id AS place, ",
    message_read!(),
    " FROM input i JOIN message m ON m.target = i.phone AND m.target <> ",
    erased!(),
    "
LEFT JOIN customer_validation_request r ON r.id = m.request_id
ORDER BY m.id LIMIT (SELECT most FROM input)
FOR UPDATE OF m"
);

/// The messages of a batch that are old, each with its place, and the places of the others. Old is what
/// the latest of what happened to it is.
pub(crate) const LOCK_OLD_MESSAGES: &str = concat!(
    ", batch AS (
    SELECT m.id FROM message m
    WHERE m.id > (SELECT after FROM input) ORDER BY m.id LIMIT (SELECT most FROM input)
), theirs AS (
    SELECT m.* FROM message m JOIN batch b ON b.id = m.id, input i
    WHERE m.target <> ",
    erased!(),
    " AND m.state NOT IN ('QUEUED', 'SENDING')
        AND greatest(m.created_at, m.sent_at, m.delivered_at, m.read_at, m.failed_at)
            < now() - make_interval(days => i.days)
    FOR UPDATE OF m SKIP LOCKED
)
SELECT b.id AS place, ",
    message_read!(),
    "
FROM batch b
LEFT JOIN theirs m ON m.id = b.id
LEFT JOIN customer_validation_request r ON r.id = m.request_id
ORDER BY b.id"
);

/// Erases messages that this transaction has locked. Its snapshot is younger than the locks: whoever
/// matches a report holds the message, so that every report that was matched is seen.
pub(crate) const ERASE_MESSAGES: &str = concat!(
    ", theirs AS (
    SELECT u.* FROM input i, unnest(i.ids, i.queued, i.reasons, i.calls, i.state_ids)
        AS u (id, queued, reason, call, state_id)
), fixed AS (
    SELECT reason, undecided_reason, request_status, whatsapp_status, author FROM input
), erased AS (
    UPDATE message m SET
        state = CASE WHEN t.queued THEN 'CANCELLED' ELSE m.state END,
        failed_at = CASE WHEN t.queued THEN now() ELSE m.failed_at END,
        reason = CASE WHEN NOT t.queued THEN t.reason
            WHEN m.unknowns = 0 THEN i.reason ELSE i.undecided_reason END,
        body = ",
    erased!(),
    ",
        target = ",
    erased!(),
    ",
        http_request_id = t.call,
        traceparent = NULL,
        provider_state_id = t.state_id,
        attempts = (
            SELECT coalesce(
                jsonb_agg(a || jsonb_build_object('detail', ",
    erased!(),
    "::text) ORDER BY n), '[]')
            FROM jsonb_array_elements(m.attempts) WITH ORDINALITY AS x (a, n))
    FROM theirs t, fixed i
    WHERE m.id = t.id
    RETURNING m.id, m.request_id, m.created_at, t.queued AS cancelled
), mirrored AS (
    UPDATE customer_validation_request r SET
        request_status = i.request_status,
        whatsapp_status = i.whatsapp_status,
        last_modified_by = i.author,
        last_modified_date = now() AT TIME ZONE INTERVAL '+07:00'
    FROM erased e, fixed i
    WHERE r.id = e.request_id AND e.cancelled AND ",
    is_newest!("e"),
    "
), reported AS (
    SELECT e.id FROM webhook_event e
    WHERE e.message_id IN (SELECT id FROM erased) AND e.body <> ",
    erased!(),
    "
    FOR UPDATE OF e SKIP LOCKED
), told AS (
    UPDATE webhook_event e SET body = ",
    erased!(),
    ", reason = NULL, state_id = NULL
    FROM reported p WHERE e.id = p.id
    RETURNING e.id
)
SELECT 0::bigint AS requests, (SELECT count(*) FROM erased) AS messages,
    (SELECT count(*) FROM erased WHERE cancelled) AS cancelled,
    (SELECT count(*) FROM told) AS events"
);

pub(crate) const LOCK_REQUESTS: &str = concat!(
    "SELECT r.id AS place, ",
    request_read!(),
    " FROM customer_validation_request r, input i
WHERE ",
    number!("r.no_telp"),
    " = i.phone AND r.no_telp <> ",
    erased!(),
    "
ORDER BY r.id LIMIT (SELECT most FROM input)
FOR NO KEY UPDATE OF r"
);

/// The requests of a batch that are old, each with its place, and the places of the others. Local times
/// are those of Jakarta.
pub(crate) const LOCK_OLD_REQUESTS: &str = concat!(
    ", batch AS (
    SELECT r.id FROM customer_validation_request r
    WHERE r.id > (SELECT after FROM input) ORDER BY r.id LIMIT (SELECT most FROM input)
), theirs AS (
    SELECT r.* FROM customer_validation_request r JOIN batch b ON b.id = r.id, input i
    WHERE r.no_telp <> ",
    erased!(),
    " AND coalesce(r.last_modified_date, r.created_date, r.request_date + r.request_time)
            < now() AT TIME ZONE INTERVAL '+07:00' - make_interval(days => i.days)
        AND NOT EXISTS (
            SELECT FROM message m WHERE m.request_id = r.id AND (
                m.target <> ",
    erased!(),
    " OR m.state IN ('QUEUED', 'SENDING')))
    FOR NO KEY UPDATE OF r SKIP LOCKED
)
SELECT b.id AS place, ",
    request_read!(),
    " FROM batch b LEFT JOIN theirs r ON r.id = b.id
ORDER BY b.id"
);

/// Erases requests that this transaction has locked. No text grows, so that it fits where it stood.
pub(crate) const ERASE_REQUESTS: &str = concat!(
    ", theirs AS (
    SELECT u.* FROM input i, unnest(i.ids, i.unit_types, i.creators, i.changers)
        AS u (id, unit_type, creator, changer)
), erased AS (
    UPDATE customer_validation_request r SET
        nama_pembawa = ",
    erased!(),
    ", no_telp = ",
    erased!(),
    ", no_pol = ",
    erased!(),
    ",
        no_pol_normal = NULL,
        tipe_unit = left(t.unit_type, char_length(r.tipe_unit)),
        created_by = left(t.creator, char_length(r.created_by)),
        last_modified_by = left(t.changer, char_length(r.last_modified_by)),
        fonnte_response = NULL
    FROM theirs t WHERE r.id = t.id
    RETURNING r.id, r.dealer_id
), forgotten AS (
    DELETE FROM idempotency_key k USING erased e
    WHERE k.dealer_id = e.dealer_id AND k.request_id = e.id
)
SELECT count(*) AS requests, 0::bigint AS messages, 0::bigint AS cancelled, 0::bigint AS events
FROM erased"
);

/// Reports that belong to no message but quote the phone, such as somebody's reply, among the next few.
/// All that are kept of those are read, which is 7 days. This waits for whoever looks at one of them:
/// it is alone in its transaction.
pub(crate) const ERASE_EVENTS: &str = concat!(
    ", batch AS MATERIALIZED (
    SELECT e.id, ",
    quotes!("e.body"),
    " AS in_body, ",
    quotes!("e.state_id"),
    " AS in_state_id
    FROM webhook_event e, input i
    WHERE e.message_id IS NULL AND e.body <> ",
    erased!(),
    " AND e.id > (SELECT after FROM input)
    ORDER BY e.id LIMIT (SELECT most FROM input)
), theirs AS (
    SELECT e.id, b.in_state_id FROM webhook_event e JOIN batch b ON b.id = e.id
    WHERE b.in_body OR b.in_state_id
    ORDER BY e.id
    FOR UPDATE OF e
), told AS (
    UPDATE webhook_event e SET
        body = ",
    erased!(),
    ",
        reason = NULL,
        state_id = CASE WHEN NOT t.in_state_id THEN e.state_id END
    FROM theirs t WHERE e.id = t.id
    RETURNING e.id
)
SELECT count(*) AS events, (SELECT max(id) FROM batch) AS last FROM told"
);

/// The old ones among the next few.
pub(crate) const ERASE_OLD_EVENTS: &str = concat!(
    ", batch AS MATERIALIZED (
    SELECT e.id FROM webhook_event e
    WHERE e.id > (SELECT place FROM input) ORDER BY e.id LIMIT (SELECT most FROM input)
), theirs AS (
    SELECT e.id FROM webhook_event e JOIN batch b ON b.id = e.id, input i
    WHERE e.received_at < now() - make_interval(days => i.days) AND e.body <> ",
    erased!(),
    "
    FOR UPDATE OF e SKIP LOCKED
), told AS (
    UPDATE webhook_event e SET body = ",
    erased!(),
    ", reason = NULL,
        -- By this it may still be matched, unless it holds an address of WhatsApp, which is a phone.
        state_id = CASE WHEN e.message_id IS NULL AND position('@' IN e.state_id) = 0
            THEN e.state_id END
    FROM theirs t WHERE e.id = t.id
    RETURNING e.id
)
SELECT count(*) AS events, (SELECT max(id) FROM batch) AS last FROM told"
);

/// Whose customer a person is, and under which names; for what stands elsewhere.
pub(crate) const KNOWN: &str = concat!(
    ", theirs AS (
    SELECT r.id, r.dealer_id, r.nama_pembawa, r.no_pol FROM customer_validation_request r, input i
    WHERE ",
    number!("r.no_telp"),
    " = i.phone AND r.no_telp <> ",
    erased!(),
    "
    UNION
    SELECT m.request_id, m.dealer_id, NULL, NULL FROM message m, input i
    WHERE m.target = i.phone AND m.target <> ",
    erased!(),
    "
)
SELECT id::text, dealer_id::text, nama_pembawa::text AS name, no_pol::text AS plate FROM theirs"
);

/// Why lanes of these dealers are blocked.
pub(crate) const BLOCK_REASONS: &str = "
SELECT l.dealer_id::text, l.block_reason AS reason FROM lane l, input i
WHERE l.dealer_id = ANY (i.dealers) AND l.block_reason IS NOT NULL";

/// Unless the lane is blocked for another reason by now.
pub(crate) const CHANGE_BLOCK_REASON: &str = "
UPDATE lane l SET block_reason = i.reason FROM input i
WHERE l.dealer_id = i.dealer_id AND l.block_reason = i.was";

/// The lines of these dealers, and of none, that hold the phone, or are about these requests and name
/// the call.
pub(crate) const AUDIT_LINES: &str = concat!(
    ", line AS (
    SELECT a.*, a.detail LIKE 'request %' AND substr(a.detail, 9, 36) = ANY (i.requests) AS theirs
    FROM audit a, input i
    WHERE a.dealer_id = ANY (i.dealers) OR a.dealer_id IS NULL
)
SELECT a.id, a.actor, a.request_id, a.detail, a.theirs FROM line a, input i
WHERE a.theirs AND a.request_id IS NOT NULL OR ",
    quotes!("a.actor"),
    " OR ",
    quotes!("a.request_id"),
    " OR ",
    quotes!("a.detail")
);

pub(crate) const CHANGE_AUDIT_LINE: &str = "
UPDATE audit a SET actor = i.actor, request_id = i.request_id, detail = i.detail FROM input i
WHERE a.id = i.id";

/// The keys of callers whose names hold the phone.
pub(crate) const KEY_NAMES: &str = concat!(
    "SELECT k.id, k.name FROM api_key k, input i WHERE ",
    quotes!("k.name")
);

pub(crate) const CHANGE_KEY_NAME: &str = "
UPDATE api_key k SET name = i.name FROM input i WHERE k.id = i.id";

/// What callers of these dealers called submissions by the phone.
pub(crate) const FORGET_KEYS: &str = concat!(
    "DELETE FROM idempotency_key k USING input i
WHERE k.dealer_id = ANY (i.dealers) AND ",
    quotes!("k.key")
);

/// Which requests are a person's.
pub(crate) const THEIRS: &str = concat!(number!("customer_validation_request.no_telp"), " = ");

/// So that the index of [`THEIRS`] is used.
pub(crate) const NOT_ERASED: &str = concat!("customer_validation_request.no_telp <> ", erased!());

pub(crate) const MESSAGES_OF: &str = concat!(
    "SELECT m.request_id, ",
    crate::requests::messages::shown!(),
    " FROM input i
JOIN message m ON m.request_id = ANY (i.requests)
",
    crate::requests::messages::with_lane!(),
    "
ORDER BY m.created_at, m.id"
);

#[cfg(test)]
mod tests {
    #[test]
    fn erased_data_is_called_the_same_everywhere() {
        assert_eq!(erased!(), format!("'{}'", domain::ERASED));
        for migration in [
            include_str!("../../../../migrations/2026-11-22-000020_index_phones/up.sql"),
            include_str!("../../../../migrations/2026-11-22-000021_index_recipients/up.sql"),
            include_str!("../../../../migrations/2026-11-30-000051_index_loose_events/up.sql"),
        ] {
            assert!(
                migration.contains(&format!("<> {};", erased!())),
                "{migration}"
            );
        }
        let phones = include_str!("../../../../migrations/2026-11-22-000020_index_phones/up.sql");
        assert!(phones.contains(number!("no_telp")), "{phones}");
    }
}
