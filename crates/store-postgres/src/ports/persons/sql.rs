//! The statements about persons. Locks are taken in the order message, request; an event that is
//! being looked at is passed over, because nobody who holds one of those may wait for it: it is
//! erased at last, alone.
//!
//! What stands for erased data is written out where an index of `migrations/` names it, too.

use crate::ports::mirror::is_newest;

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

/// What becomes of the messages of a part before it, `theirs`: their ids and states.
macro_rules! messages_erased {
    () => {
        concat!(
            ", erased AS (
    UPDATE message m SET
        state = CASE WHEN t.state = 'QUEUED' THEN 'CANCELLED' ELSE m.state END,
        failed_at = CASE WHEN t.state = 'QUEUED' THEN now() ELSE m.failed_at END,
        reason = CASE WHEN t.state <> 'QUEUED'
                THEN regexp_replace(m.reason, '[0-9]([ ().-]{0,2}[0-9]){7,}', ",
            erased!(),
            ", 'g')
            WHEN m.unknowns = 0 THEN i.reason ELSE i.undecided_reason END,
        body = ",
            erased!(),
            ",
        target = ",
            erased!(),
            ",
        attempts = (
            SELECT coalesce(
                jsonb_agg(a || jsonb_build_object('detail', ",
            erased!(),
            "::text) ORDER BY n), '[]')
            FROM jsonb_array_elements(m.attempts) WITH ORDINALITY AS x (a, n))
    FROM theirs t, input i
    WHERE m.id = t.id
    RETURNING m.id, m.request_id, m.created_at, t.state = 'QUEUED' AS cancelled
), mirrored AS (
    UPDATE customer_validation_request r SET
        request_status = i.request_status,
        whatsapp_status = i.whatsapp_status,
        last_modified_by = i.author,
        last_modified_date = now() AT TIME ZONE INTERVAL '+07:00'
    FROM erased e, input i
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
            ", reason = NULL
    FROM reported p WHERE e.id = p.id
    RETURNING e.id
)"
        )
    };
}

/// What is counted of it.
macro_rules! counted {
    () => {
        "(SELECT count(*) FROM erased) AS messages,
    (SELECT count(*) FROM erased WHERE cancelled) AS cancelled,
    (SELECT count(*) FROM told) AS events"
    };
}

/// What becomes of the requests of a part before it, `theirs`.
macro_rules! requests_erased {
    () => {
        concat!(
            ", erased AS (
    UPDATE customer_validation_request r SET
        nama_pembawa = ",
            erased!(),
            ", no_telp = ",
            erased!(),
            ", no_pol = ",
            erased!(),
            ",
        no_pol_normal = NULL,
        fonnte_response = NULL
    FROM theirs t WHERE r.id = t.id
    RETURNING r.id
), forgotten AS (
    DELETE FROM idempotency_key k USING erased e WHERE k.request_id = e.id
)"
        )
    };
}

/// Messages are found by their recipient and not by their request, which another program may have
/// deleted.
pub(super) const ERASE_MESSAGES: &str = concat!(
    ", theirs AS (
    SELECT m.id, m.state FROM message m, input i
    WHERE m.target = i.phone AND m.target <> ",
    erased!(),
    "
    ORDER BY m.id LIMIT (SELECT most FROM input)
    FOR UPDATE OF m
)",
    messages_erased!(),
    " SELECT 0::bigint AS requests, ",
    counted!(),
    ", (SELECT coalesce(array_agg(id), '{}') FROM erased) AS ids"
);

/// The reports of messages that were erased just before in the same transaction. Whoever matches a
/// report holds the message: what was matched while the erasure waited for that is seen only now,
/// and nobody looks at it any more.
pub(super) const ERASE_REPORTS: &str = concat!(
    ", reported AS (
    SELECT e.id FROM webhook_event e, input i
    WHERE e.message_id = ANY (i.messages) AND e.body <> ",
    erased!(),
    "
    FOR UPDATE OF e SKIP LOCKED
), told AS (
    UPDATE webhook_event e SET body = ",
    erased!(),
    ", reason = NULL
    FROM reported p WHERE e.id = p.id
    RETURNING e.id
)
SELECT 0::bigint AS requests, 0::bigint AS messages, 0::bigint AS cancelled, count(*) AS events
FROM told"
);

pub(super) const ERASE_REQUESTS: &str = concat!(
    ", theirs AS (
    SELECT r.id FROM customer_validation_request r, input i
    WHERE ",
    number!("r.no_telp"),
    " = i.phone AND r.no_telp <> ",
    erased!(),
    "
    ORDER BY r.id LIMIT (SELECT most FROM input)
    FOR NO KEY UPDATE OF r
)",
    requests_erased!(),
    " SELECT count(*) AS requests, 0::bigint AS messages, 0::bigint AS cancelled,
    0::bigint AS events FROM erased"
);

/// Reports that belong to no message but quote the phone, such as somebody's reply. All that are
/// kept of those are read, which is 7 days. This waits for whoever looks at one of them: it is alone
/// in its transaction.
pub(super) const ERASE_EVENTS: &str = concat!(
    ", theirs AS (
    SELECT e.id FROM webhook_event e, input i
    WHERE e.message_id IS NULL AND e.body <> ",
    erased!(),
    " AND position(i.subscriber IN translate(e.body, ' -.()', '')) > 0
    ORDER BY e.id LIMIT (SELECT most FROM input)
    FOR UPDATE OF e
), told AS (
    UPDATE webhook_event e SET body = ",
    erased!(),
    ", reason = NULL
    FROM theirs t WHERE e.id = t.id
    RETURNING e.id
)
SELECT 0::bigint AS requests, 0::bigint AS messages, 0::bigint AS cancelled, count(*) AS events
FROM told"
);

/// The latest of what happened to a message.
pub(super) const SWEEP_MESSAGES: &str = concat!(
    ", batch AS (
    SELECT m.id FROM message m, input i
    WHERE m.id > i.after ORDER BY m.id LIMIT (SELECT most FROM input)
), theirs AS (
    SELECT m.id, m.state FROM message m JOIN batch b ON b.id = m.id, input i
    WHERE m.target <> ",
    erased!(),
    " AND m.state NOT IN ('QUEUED', 'SENDING')
        AND greatest(m.created_at, m.sent_at, m.delivered_at, m.read_at, m.failed_at)
            < now() - make_interval(days => i.days)
    FOR UPDATE OF m SKIP LOCKED
)",
    messages_erased!(),
    " SELECT 0::bigint AS requests, ",
    counted!(),
    ", (SELECT id FROM batch ORDER BY id DESC LIMIT 1) AS last"
);

/// Local times are those of Jakarta.
pub(super) const SWEEP_REQUESTS: &str = concat!(
    ", batch AS (
    SELECT r.id FROM customer_validation_request r, input i
    WHERE r.id > i.after ORDER BY r.id LIMIT (SELECT most FROM input)
), theirs AS (
    SELECT r.id FROM customer_validation_request r JOIN batch b ON b.id = r.id, input i
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
)",
    requests_erased!(),
    " SELECT (SELECT count(*) FROM erased) AS requests, 0::bigint AS messages,
    0::bigint AS cancelled, 0::bigint AS events,
    (SELECT id FROM batch ORDER BY id DESC LIMIT 1) AS last"
);

pub(super) const SWEEP_EVENTS: &str = concat!(
    ", theirs AS (
    SELECT e.id FROM webhook_event e, input i
    WHERE e.received_at < now() - make_interval(days => i.days) AND e.body <> ",
    erased!(),
    "
    LIMIT (SELECT most FROM input)
    FOR UPDATE OF e SKIP LOCKED
), told AS (
    UPDATE webhook_event e SET body = ",
    erased!(),
    ", reason = NULL
    FROM theirs t WHERE e.id = t.id
    RETURNING e.id
)
SELECT 0::bigint AS requests, 0::bigint AS messages, 0::bigint AS cancelled, count(*) AS events,
    NULL::uuid AS last
FROM told"
);

/// Which requests are a person's.
pub(super) const THEIRS: &str = concat!(number!("customer_validation_request.no_telp"), " = ");

/// So that the index of [`THEIRS`] is used.
pub(super) const NOT_ERASED: &str = concat!("customer_validation_request.no_telp <> ", erased!());

pub(super) const MESSAGES_OF: &str = concat!(
    "SELECT m.request_id, ",
    super::super::messages::shown!(),
    " FROM input i
JOIN message m ON m.request_id = ANY (i.requests)
",
    super::super::messages::with_lane!(),
    "
ORDER BY m.created_at, m.id"
);

#[cfg(test)]
mod tests {
    #[test]
    fn erased_data_is_called_the_same_everywhere() {
        assert_eq!(erased!(), format!("'{}'", domain::ERASED));
        for migration in [
            include_str!("../../../../../migrations/2026-11-22-000020_index_phones/up.sql"),
            include_str!("../../../../../migrations/2026-11-22-000021_index_recipients/up.sql"),
        ] {
            assert!(
                migration.contains(&format!("<> {};", erased!())),
                "{migration}"
            );
        }
        let phones =
            include_str!("../../../../../migrations/2026-11-22-000020_index_phones/up.sql");
        assert!(phones.contains(number!("no_telp")), "{phones}");
    }
}
