//! Fonnte's reports about dealers' accounts, as findings with a remedy.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use domain::dealers::{AccountStanding, AccountTrouble, Dealer};
use domain::delivery::BlockCause;
use domain::usecases::DealerCheck;
use domain::values::{AccountError, DealerId};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::output::{Verdict, show_progress};

/// Concurrent questions to Fonnte (chosen): a thousand dealers take less than half a minute at a third of a
/// second each, and no firewall takes it for an attack.
const AT_ONCE: usize = 16;

/// Asks about all these dealers; those without an answer in time are absent.
pub(super) async fn ask(
    check: &Arc<DealerCheck>,
    dealers: Vec<Dealer>,
    within: Duration,
) -> HashMap<DealerId, AccountStanding> {
    let deadline = Instant::now() + within;
    let all = dealers.len();
    let mut waiting = dealers.into_iter();
    let mut calls = JoinSet::new();
    let mut standings = HashMap::new();
    loop {
        while calls.len() < AT_ONCE
            && let Some(dealer) = waiting.next()
        {
            let check = check.clone();
            calls.spawn(async move { (dealer.id.clone(), check.standing(&dealer).await) });
        }
        progress(&format!("asking Fonnte: {} of {all} …", standings.len()));
        // Calls still under way at the end are aborted with `calls`.
        let Ok(Some(answer)) = timeout_at(deadline, calls.join_next()).await else {
            break;
        };
        if let Ok((id, Ok(standing))) = answer {
            standings.insert(id, standing);
        }
    }
    progress("");
    standings
}

/// Progress for a terminal; a pipe gets the table only.
fn progress(line: &str) {
    if std::io::stderr().is_terminal() {
        show_progress(format_args!("{line}"));
    }
}

/// The verdict on an account, and a sentence with the remedy.
pub(super) fn told(id: &DealerId, standing: &AccountStanding) -> (Verdict, String) {
    let Some(worst) = standing.troubles.first() else {
        return (Verdict::Good, profile(standing));
    };
    let verdict = if worst.is_fault() {
        Verdict::Bad
    } else {
        Verdict::Odd
    };
    let troubles: Vec<String> = standing
        .troubles
        .iter()
        .map(|trouble| sentence(id, standing, trouble))
        .collect();
    let troubles = troubles.join("; ");
    match worst {
        AccountTrouble::NotReady { .. } | AccountTrouble::Unreachable { .. } => (verdict, troubles),
        _ => (verdict, format!("{}; {troubles}", profile(standing))),
    }
}

/// The profile of a connected device, in words.
fn profile(standing: &AccountStanding) -> String {
    let mut words = "connected".to_owned();
    if let Some(left) = standing.profile.quota_left {
        words.push_str(&match left {
            1 => ", 1 message left".to_owned(),
            left => format!(", {left} messages left"),
        });
    }
    if let Some(end) = standing.profile.expires_on {
        words.push_str(&format!(", package until {end}"));
    }
    words
}

fn sentence(id: &DealerId, standing: &AccountStanding, trouble: &AccountTrouble) -> String {
    let end = standing
        .profile
        .expires_on
        .map_or_else(String::new, |end| format!(" on {end}"));
    match trouble {
        AccountTrouble::NotReady { cause, reason } => match cause {
            BlockCause::Token => format!(
                "{reason}; copy the token of the device at Fonnte and set it with \
                 `customer-service dealer set-key {id} --key-stdin`"
            ),
            BlockCause::Device => format!(
                "{reason}; connect it at Fonnte (Device, Connect): scan the code with the \
                 dealer's phone"
            ),
            BlockCause::Quota => format!("{reason}; add to the quota at Fonnte"),
            BlockCause::Other => reason.clone(),
        },
        AccountTrouble::Unreachable { reason } => format!(
            "{reason}, so that nobody knows; `customer-service dealer test {id}` asks again"
        ),
        AccountTrouble::NoQuota => {
            "no message is left in the quota: add to it at Fonnte".to_owned()
        }
        AccountTrouble::Expired => format!("the package expired{end}: renew it at Fonnte"),
        AccountTrouble::LowQuota => "the quota is low: add to it at Fonnte in time".to_owned(),
        AccountTrouble::ExpiresSoon => {
            format!("the package ends{end}: renew it at Fonnte in time")
        }
    }
}

/// The remedy for an account that cannot be used at all.
pub(super) fn remedy(id: &DealerId, error: AccountError) -> String {
    match error {
        AccountError::NoKey | AccountError::MalformedKey => {
            format!("set it with `customer-service dealer set-key {id} --key-stdin`")
        }
        AccountError::SealedShut => {
            "start with the SECRETS_KEY that sealed it, or set it anew".to_owned()
        }
        AccountError::AddressNotAllowed => {
            "correct the dealer's fonnte_api_url, or name its host in FONNTE_ALLOWED_HOSTS"
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::ports::AccountProfile;

    use super::*;

    fn words(quota: Option<u64>, troubles: Vec<AccountTrouble>) -> String {
        let id = DealerId::parse("0009999").unwrap();
        let standing = AccountStanding {
            profile: AccountProfile {
                quota_left: quota,
                expires_on: None,
            },
            troubles,
        };
        told(&id, &standing).1
    }

    #[test]
    fn every_trouble_says_what_to_do() {
        let not_ready = |cause, reason: &str| AccountTrouble::NotReady {
            cause,
            reason: reason.to_owned(),
        };
        for (trouble, action) in [
            (
                not_ready(BlockCause::Token, "Fonnte answered: unknown user"),
                "set-key 0009999",
            ),
            (
                not_ready(BlockCause::Device, "the WhatsApp device is disconnected"),
                "connect it",
            ),
            (
                not_ready(BlockCause::Quota, "insufficient quota"),
                "add to the quota",
            ),
            (
                AccountTrouble::Unreachable {
                    reason: "Fonnte did not answer in time".to_owned(),
                },
                "dealer test 0009999",
            ),
            (AccountTrouble::NoQuota, "add to it"),
            (AccountTrouble::Expired, "renew it"),
            (AccountTrouble::LowQuota, "add to it"),
            (AccountTrouble::ExpiresSoon, "renew it"),
        ] {
            let told = words(None, vec![trouble]);
            assert!(told.contains(action), "{told}");
        }
    }

    #[test]
    fn what_fonnte_does_not_say_is_left_out() {
        assert_eq!(words(None, vec![]), "connected");
        assert_eq!(words(Some(1), vec![]), "connected, 1 message left");
    }
}
