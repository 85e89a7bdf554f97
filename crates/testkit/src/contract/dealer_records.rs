//! Promises about dealers' records for operators.

use super::Stage;
use super::acts::HOUR;
use super::settings::{OWN_URL, change, everything, everything_set, known_dealer, record};
use crate::sample;
use domain::dealers::Dealer;
use domain::delivery::{LaneChange, MessageChange};
use domain::values::DealerId;

/// Our settings and the other table's values are distinguishable.
pub async fn a_record_shows_what_is_set_here(stage: &Stage) {
    let other = Dealer {
        api_key: None,
        api_url: Some("https://api.fonnte.com/send".to_owned()),
        ..sample::dealer()
    };
    stage.backstage.add_dealer(&other).await;
    let found = record(stage, &other.id).await;
    assert_eq!(found.dealer.name, other.name);
    assert_eq!(found.dealer.api_url, other.api_url);
    assert_eq!(found.own_api_url, None);
    assert_eq!(found.key_source, None);
    assert!(!found.webhook_secret_set);
    change(stage, &other.id, &everything()).await;
    let found = record(stage, &other.id).await;
    assert_eq!(found.own_api_url.as_deref(), Some(OWN_URL));
    assert!(found.webhook_secret_set);
    assert_eq!(found.dealer.settings, everything_set());
}

/// By number, inactive ones included, each with its own token.
pub async fn dealers_are_listed_in_pages(stage: &Stage) {
    for n in [3, 1, 5, 2, 4] {
        let dealer = Dealer {
            active: n != 2,
            ..sample::dealer_numbered(n)
        };
        stage.backstage.add_dealer(&dealer).await;
    }
    let mut seen = Vec::new();
    let mut tokens = Vec::new();
    for page in 1..=3 {
        let page = stage.admin.page(page, 2).await.expect("page");
        assert_eq!(page.total, 5);
        for record in page.items {
            tokens.push(record.webhook_token.expect("a token"));
            seen.push(record.dealer.id);
        }
    }
    let expected: Vec<DealerId> = (1..=5).map(sample::dealer_id_numbered).collect();
    assert_eq!(seen, expected);
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 5);
    let past = stage.admin.page(9, 2).await.expect("page");
    assert_eq!((past.items.len(), past.total), (0, 5));
    let far = stage.admin.page(i64::MAX as u64, 100).await.expect("page");
    assert_eq!((far.items.len(), far.total), (0, 5));
}

/// The provider has the address.
pub async fn a_webhook_token_stays_the_same(stage: &Stage) {
    let dealer = known_dealer(stage).await;
    let first = record(stage, &dealer.id).await.webhook_token;
    change(stage, &dealer.id, &everything()).await;
    let page = stage.admin.page(1, 10).await.expect("page");
    assert!(first.is_some());
    assert_eq!(page.items[0].webhook_token, first);
    assert_eq!(record(stage, &dealer.id).await.webhook_token, first);
}

/// Of concurrently made tokens, one is kept.
pub async fn askers_at_the_same_moment_get_the_same_token(stage: &Stage) {
    let dealer = known_dealer(stage).await;
    let (a, b, c, d) = tokio::join!(
        record(stage, &dealer.id),
        record(stage, &dealer.id),
        record(stage, &dealer.id),
        record(stage, &dealer.id),
    );
    let first = a.webhook_token.expect("a token");
    for other in [b, c, d] {
        assert_eq!(other.webhook_token.as_ref(), Some(&first));
    }
}

/// With the provider's text.
pub async fn a_record_says_why_a_lane_is_blocked(stage: &Stage) {
    let dealer = known_dealer(stage).await;
    stage.queue(&dealer.id, 1).await;
    let claim = stage.claim().await;
    let blocked = LaneChange::Blocked {
        cause: domain::delivery::BlockCause::Token,
        pause: HOUR,
        reason: "invalid token".to_owned(),
    };
    stage
        .settle_now(&claim, MessageChange::Requeued, blocked)
        .await;
    let lane = record(stage, &dealer.id).await.lane;
    assert_eq!(lane.block_reason.as_deref(), Some("invalid token"));
    let since = lane.blocked_since.expect("it is blocked");
    assert!((stage.backstage.now() - since).abs() < chrono::TimeDelta::minutes(1));
    assert_eq!(lane.resting_until, None);
    let seen = stage.outbox.blocked_lanes().await.expect("blocked_lanes");
    stage.outbox.unblock(&seen[0]).await.expect("unblock");
    let lane = record(stage, &dealer.id).await.lane;
    assert_eq!((lane.blocked_since, lane.block_reason), (None, None));
}

/// With the end of the rest.
pub async fn a_record_says_until_when_a_lane_rests(stage: &Stage) {
    let dealer = known_dealer(stage).await;
    stage.queue(&dealer.id, 1).await;
    let claim = stage.claim().await;
    let until = claim.now + HOUR;
    stage
        .settle_now(
            &claim,
            MessageChange::Requeued,
            LaneChange::Resting { until },
        )
        .await;
    let lane = record(stage, &dealer.id).await.lane;
    let shown = lane.resting_until.expect("it rests");
    assert!((shown - until).abs() < chrono::TimeDelta::seconds(1));
    stage.outbox.end_rest(&dealer.id).await.expect("end_rest");
    assert_eq!(record(stage, &dealer.id).await.lane.resting_until, None);
}
