//! Promises of [`DealerDirectory`](domain::ports::DealerDirectory).

use domain::dealers::Dealer;

use super::Stage;
use crate::sample;

/// With all its values, the account included.
pub async fn a_dealer_is_found_with_its_account(stage: &Stage) {
    let dealer = Dealer {
        api_url: Some("https://api.fonnte.com/send".to_owned()),
        ..sample::dealer()
    };
    stage.backstage.add_dealer(&dealer).await;
    let found = find(stage, &dealer).await.expect("the dealer is known");
    assert_eq!(found.id, dealer.id);
    assert_eq!(found.name, dealer.name);
    assert_eq!(found.active, dealer.active);
    assert_eq!(found.api_url, dealer.api_url);
    assert_eq!(found.created_at, dealer.created_at);
    assert_eq!(found.updated_at, dealer.updated_at);
    assert_eq!(
        found.account_fingerprint(&crate::sample::account_policy()),
        dealer.account_fingerprint(&crate::sample::account_policy())
    );
}

/// Absent is `Ok(None)`.
pub async fn an_unknown_dealer_is_absent(stage: &Stage) {
    stage
        .backstage
        .add_dealer(&sample::dealer_numbered(1))
        .await;
    assert!(find(stage, &sample::dealer()).await.is_none());
}

/// A missing dealer is not cached.
pub async fn a_new_dealer_is_seen_at_once(stage: &Stage) {
    let dealer = sample::dealer();
    assert!(find(stage, &dealer).await.is_none());
    stage.backstage.add_dealer(&dealer).await;
    assert!(find(stage, &dealer).await.is_some());
}

/// The use case decides whether that matters.
pub async fn an_inactive_dealer_is_found(stage: &Stage) {
    let dealer = Dealer {
        active: false,
        ..sample::dealer()
    };
    stage.backstage.add_dealer(&dealer).await;
    let found = find(stage, &dealer).await.expect("the dealer is known");
    assert!(!found.active);
}

/// A dealer may lack key, address and dates.
pub async fn a_dealer_without_an_account_is_found(stage: &Stage) {
    let dealer = Dealer {
        api_key: None,
        api_url: None,
        created_at: None,
        updated_at: None,
        ..sample::dealer()
    };
    stage.backstage.add_dealer(&dealer).await;
    let found = find(stage, &dealer).await.expect("the dealer is known");
    assert!(found.api_key.is_none());
    assert_eq!(found.api_url, None);
    assert_eq!(found.created_at, None);
    assert_eq!(found.updated_at, None);
}

/// Dealers are distinguished, however many there are.
pub async fn each_dealer_has_its_own_account(stage: &Stage) {
    let dealers: Vec<Dealer> = (1..=5).map(sample::dealer_numbered).collect();
    for dealer in &dealers {
        stage.backstage.add_dealer(dealer).await;
    }
    for dealer in &dealers {
        let found = find(stage, dealer).await.expect("the dealer is known");
        assert_eq!(
            found.account_fingerprint(&crate::sample::account_policy()),
            dealer.account_fingerprint(&crate::sample::account_policy())
        );
    }
}

async fn find(stage: &Stage, dealer: &Dealer) -> Option<Dealer> {
    stage.dealers.find(&dealer.id).await.expect("find")
}
