//! The loop that reads the profiles of accounts, each once a day.

use std::sync::Arc;
use std::time::Duration;

use domain::usecases::AccountWatch;
use domain::values::DealerId;
use tokio::task::JoinSet;

use super::failures::Failures;

/// The interval of the loop, and the most profiles of a round: enough for 60,000 dealers a day, without a
/// burst when all are new (chosen).
const LOOK: Duration = Duration::from_secs(10);
const AT_ONCE: usize = 8;

/// Runs for ever. A leased dealer that was not asked about, because the service stopped, is soon due again.
pub(crate) async fn watch(accounts: Arc<AccountWatch>) {
    let failures = Arc::new(Failures::of("cannot keep profiles of accounts"));
    loop {
        // Jitter, because copies may have started together.
        tokio::time::sleep(LOOK.mul_f64(rand::random_range(0.75..1.25))).await;
        match accounts.take_due(AT_ONCE).await {
            Ok(dealers) => {
                failures.over();
                let mut asking = JoinSet::new();
                for dealer in dealers {
                    asking.spawn(ask(accounts.clone(), dealer, failures.clone()));
                }
                asking.join_all().await;
            }
            Err(error) => failures.of_store(&error),
        }
    }
}

async fn ask(accounts: Arc<AccountWatch>, dealer: DealerId, failures: Arc<Failures>) {
    match accounts.ask(&dealer).await {
        Ok(profile) => tracing::info!(
            dealer.id = dealer.as_str(),
            account.quota_left = profile.and_then(|profile| profile.quota_left),
            account.expires_on = profile
                .and_then(|profile| profile.expires_on)
                .map(|day| day.to_string()),
            "asked for the profile of an account"
        ),
        Err(error) => failures.of_dealer(&dealer, &error),
    }
}
