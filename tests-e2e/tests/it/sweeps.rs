//! What is too old goes, however much of it there is.

use tests_e2e::{DEALER, Story, eventually};

/// Old reports of every kind, and as many young ones.
const EVENTS: &str = "
INSERT INTO customer.webhook_event (
    dealer_id, received_at, body, about, connected, provider_id, state_id, seen, message_id,
    next_look_at)
SELECT '0009999', now() - age, '{}', CASE n % 4 WHEN 0 THEN 'nothing' WHEN 1 THEN 'device'
        ELSE 'message' END,
    CASE WHEN n % 4 = 1 THEN false END, CASE WHEN n % 4 > 1 THEN n::text END,
    CASE WHEN n % 4 = 2 THEN '3EB0' || n END, CASE WHEN n % 4 > 1 THEN 'SENT' END,
    CASE WHEN n % 4 = 3 THEN gen_random_uuid() END,
    CASE WHEN n % 4 = 2 THEN now() + INTERVAL '6 hours' END
FROM unnest(ARRAY[INTERVAL '7 days', INTERVAL '6 days 23 hours']) age,
    LATERAL (SELECT n FROM generate_series(1, CASE age WHEN '7 days' THEN 30000 ELSE 100 END) n) n";

const KEYS: &str = "
INSERT INTO customer.idempotency_key (dealer_id, key, body_print, request_id, created_at)
SELECT '0009999', 'key-' || n, '', gen_random_uuid(),
    now() - CASE WHEN n > 100 THEN INTERVAL '24 hours' ELSE INTERVAL '23 hours' END
FROM generate_series(1, 20000) n";

/// Messages that became too old in a lane in which nothing is sent, and young ones.
const MESSAGES: &str = "
INSERT INTO customer.message (
    id, request_id, dealer_id, kind, template, body, target, due_at, next_try_at)
SELECT gen_random_uuid(), gen_random_uuid(), '0009999', 'live', 'validation', 'Halo', '081200000001',
    now() - age, now() - age
FROM generate_series(1, 5050) n,
    LATERAL (SELECT CASE WHEN n > 50 THEN INTERVAL '25 hours' ELSE INTERVAL '1 hour' END AS age) a";

#[tokio::test(flavor = "multi_thread")]
async fn sweeps_go_on_until_nothing_is_left() {
    let story = Story::begin().await;
    let lane =
        "INSERT INTO customer.lane (dealer_id, ready_at) VALUES ($1, now() + INTERVAL '1 day')";
    story.execute(lane, &[&DEALER]).await;
    for rows in [EVENTS, KEYS, MESSAGES] {
        story.execute(rows, &[]).await;
    }
    let _service = story.serve();
    for (what, too_old, kept, young) in [
        (
            "too old reports are gone",
            "SELECT count(*) FROM customer.webhook_event WHERE received_at <= now() - INTERVAL '7 days'",
            "SELECT count(*) FROM customer.webhook_event",
            100,
        ),
        (
            "too old keys are gone",
            "SELECT count(*) FROM customer.idempotency_key WHERE created_at <= now() - INTERVAL '24 hours'",
            "SELECT count(*) FROM customer.idempotency_key",
            100,
        ),
        (
            "too old messages are ended",
            "SELECT count(*) FROM customer.message WHERE state = 'QUEUED' AND due_at < now() - INTERVAL '24 hours'",
            "SELECT count(*) FROM customer.message WHERE state = 'QUEUED'",
            50,
        ),
    ] {
        eventually(what, async || {
            (story.count(too_old).await == 0).then_some(())
        })
        .await;
        assert_eq!(story.count(kept).await, young, "{what}");
    }
    let expired = "SELECT count(*) FROM customer.message WHERE state = 'EXPIRED'";
    assert_eq!(story.count(expired).await, 5_000);

    // What somebody holds at the moment of a sweep goes with a later one.
    // A lock that lets them grow old and keeps them from being deleted.
    let holding = story.database.connect().await;
    holding.batch_execute("BEGIN").await.expect("it begins");
    let held = "SELECT FROM customer.webhook_event ORDER BY id LIMIT 10 FOR KEY SHARE";
    let held = holding.query(held, &[]).await.expect("rows are locked");
    let old = "UPDATE customer.webhook_event SET received_at = now() - INTERVAL '7 days'";
    story.execute(old, &[]).await;
    let held = i64::try_from(held.len()).expect("few");
    let left = "SELECT count(*) FROM customer.webhook_event";
    for (what, still) in [("all others are gone", held), ("those are gone", 0)] {
        eventually(what, async || {
            (story.count(left).await == still).then_some(())
        })
        .await;
        holding.batch_execute("ROLLBACK").await.expect("it ends");
    }
}
