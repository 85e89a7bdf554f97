use std::io::IsTerminal as _;
use std::process::ExitCode;

use anyhow::bail;
use domain::access::Principal;
use domain::ports::Vault as _;
use store_postgres::{Resealed, SecretPlace};

use super::database::open;
use crate::config::Config;
use crate::output::{Verdict, say, say_finding, show_progress};

/// Seals all secrets with the first key. Exit status 1 when some could not be sealed.
pub(super) async fn reseal(config: Config) -> anyhow::Result<ExitCode> {
    if !config.secrets.can_seal() {
        bail!(
            "SECRETS_KEY is not set, so that there is no key to seal with; \
             `openssl rand -base64 32` makes one"
        );
    }
    let (_database, parts) = open(&config).await?;
    let mut well = true;
    for place in SecretPlace::ALL {
        let name = place.as_str();
        let progress = |seen: u64| {
            // Progress for a terminal; a script reads the summary.
            if std::io::stderr().is_terminal() {
                show_progress(format_args!("{name}: {seen} …"));
            }
        };
        let author = Principal::operator().author(None);
        let outcome = parts.dealers.reseal(place, &author, progress).await?;
        if std::io::stderr().is_terminal() {
            show_progress(format_args!(""));
        }
        well &= summary(place, &outcome);
    }
    Ok(if well {
        say!("Everything is sealed with the first key; the others can go.");
        ExitCode::SUCCESS
    } else {
        say!("Not everything is sealed with the first key: keep the others.");
        ExitCode::FAILURE
    })
}

/// Prints the result for a place; returns whether all of it is sealed.
fn summary(place: SecretPlace, outcome: &Resealed) -> bool {
    let well = outcome.shut.is_empty() && outcome.forbidden == 0;
    let verdict = if well { Verdict::Good } else { Verdict::Bad };
    let finding = format!(
        "{} sealed anew, {} already current, {} cannot be opened, {} may not be written",
        outcome.sealed,
        outcome.current,
        outcome.shut.len(),
        outcome.forbidden
    );
    say_finding(verdict, place.as_str(), &finding);
    for (holder, error) in &outcome.shut {
        say_finding(
            Verdict::Bad,
            &format!("{} {holder}", place.holder()),
            &format!("{error}"),
        );
    }
    well
}
