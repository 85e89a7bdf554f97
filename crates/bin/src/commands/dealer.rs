use std::process::ExitCode;

use anyhow::{Context as _, bail};
use domain::access::{Action, AuditEntry, Principal};
use domain::dealers::Dealer;
use domain::ports::{
    DealerAdmin as _, DealerDirectory as _, KeySource, SecretPurpose, SettingsChanged,
    TestLine as _, Vault as _,
};
use domain::settings::{Change, SettingsChange};
use domain::usecases::CheckError;
use domain::values::{Account, AccountPolicy, DealerId, Phone};
use secrecy::{ExposeSecret as _, SecretString};
use store_postgres::{DealerAdminError, NewDealer, PgDealers};

use super::accounts::{remedy, told};
use super::database::open;
use crate::cli::{AddDealer, SetKey, TestDealer};
use crate::config::Config;
use crate::output::{Verdict, say, say_finding};

/// Adds a dealer.
pub(super) async fn add(config: Config, options: AddDealer) -> anyhow::Result<ExitCode> {
    let mut dealer = NewDealer {
        id: parse_id(&options.id)?,
        name: options.name,
        api_key: options.key.read()?,
        api_url: options.url,
    };
    if domain::values::is_blank(&dealer.name) || dealer.name.chars().count() > 255 {
        bail!("a dealer's name has 1 to 255 characters");
    }
    if let Some(key) = &dealer.api_key {
        config
            .accounts
            .account(Some(key), dealer.api_url.as_deref())?;
    }
    let (_database, parts) = open(&config).await?;
    // Where keys are sealed, none is stored in plain text.
    let sealed = dealer.api_key.take_if(|_| config.secrets.can_seal());
    let entry = entry(
        Action::AddDealer,
        &dealer.id,
        &[
            ("dealer_name", true),
            ("fonnte_api_key", dealer.api_key.is_some()),
            ("fonnte_api_url", dealer.api_url.is_some()),
        ],
    );
    match parts.dealers.add(&dealer, &entry).await {
        Ok(()) => {
            if let Some(key) = sealed {
                keep_sealed(&parts.dealers, &dealer.id, &key, None)
                    .await
                    .context(
                        "the dealer is added, but without its key; `dealer set-key` sets it",
                    )?;
            }
            say!("Dealer {} added.", dealer.id);
        }
        Err(DealerAdminError::Exists) if options.if_missing => {
            say!("Dealer {} exists already.", dealer.id);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Sets a dealer's key.
pub(super) async fn set_key(config: Config, options: SetKey) -> anyhow::Result<ExitCode> {
    let id = parse_id(&options.id)?;
    let key = options
        .key
        .read()?
        .context("no key is given; use --key-stdin, or --key")?;
    match options.url.as_deref() {
        Some(url) => drop(config.accounts.account(Some(&key), Some(url))?),
        // Without an address the old one stays.
        None => drop(Account::checked_key(Some(&key))?),
    }
    let (_database, parts) = open(&config).await?;
    let seals = config.secrets.can_seal();
    let wins = parts
        .dealers
        .record(&id)
        .await?
        .is_some_and(|record| record.key_source == Some(KeySource::Settings));
    if seals {
        keep_sealed(&parts.dealers, &id, &key, options.url).await?;
        say!("The key of dealer {id} is sealed; the service uses it within 5 seconds.");
        return Ok(ExitCode::SUCCESS);
    }
    if wins {
        bail!(
            "dealer {id} has a sealed key in its settings, which wins over the one in \
             dealer_integration.dealers; set SECRETS_KEY to replace it"
        );
    }
    let fields = [
        ("fonnte_api_key", true),
        ("fonnte_api_url", options.url.is_some()),
    ];
    let entry = entry(Action::SetDealerKey, &id, &fields);
    parts
        .dealers
        .set_key(&id, &key, options.url.as_deref(), &entry)
        .await?;
    say!("The key of dealer {id} is set; the service uses it within 30 seconds.");
    Ok(ExitCode::SUCCESS)
}

/// Stores a key, and the address when one is given, sealed in our settings.
async fn keep_sealed(
    dealers: &PgDealers,
    id: &DealerId,
    key: &SecretString,
    url: Option<String>,
) -> anyhow::Result<()> {
    let change = SettingsChange {
        api_key: Change::Set(key.expose_secret().trim().into()),
        api_url: url.map_or(Change::Keep, Change::Set),
        ..SettingsChange::default()
    };
    let entry = AuditEntry {
        action: Action::SetDealerKey,
        ..AuditEntry::settings_changed(&Principal::operator().author(None), id, &change)
    };
    match dealers.change(id, &change, &entry).await? {
        SettingsChanged::Made => Ok(()),
        SettingsChanged::UnknownDealer => Err(DealerAdminError::Unknown.into()),
        // Only secrets and addresses change, whose rules need no stored settings.
        SettingsChanged::Invalid(_) => bail!("the settings break rules"),
    }
}

/// The audit entry of a change of `dealer_integration.dealers`, with the changed fields.
fn entry(action: Action, id: &DealerId, fields: &[(&str, bool)]) -> AuditEntry {
    let set = fields.iter().filter(|(_, is_set)| *is_set);
    let set: Vec<&str> = set.map(|(name, _)| *name).collect();
    AuditEntry {
        author: Principal::operator().author(None),
        action,
        dealer: Some(id.clone()),
        detail: set.join(", "),
    }
}

/// Lists the dealers.
pub(super) async fn list(config: Config) -> anyhow::Result<ExitCode> {
    let (_database, parts) = open(&config).await?;
    let dealers = parts.dealers.list().await?;
    if dealers.is_empty() {
        say!("There are no dealers; `dealer add` adds one.");
    }
    for dealer in &dealers {
        let (verdict, finding) = judge(dealer, &config.accounts);
        say_finding(
            verdict,
            dealer.id.as_str(),
            &format!("{} · {finding}", dealer.name),
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Tests a dealer's account.
pub(super) async fn test(config: Config, options: TestDealer) -> anyhow::Result<ExitCode> {
    let id = parse_id(&options.id)?;
    let target = options
        .target
        .map(|target| Phone::parse(&target))
        .transpose()
        .context("--target is not usable")?;
    let (_database, parts) = open(&config).await?;
    let Some(target) = target else {
        let dealer = parts.dealers.find(&id).await?;
        let dealer = dealer
            .filter(|dealer| dealer.active)
            .ok_or(CheckError::UnknownDealer)?;
        let standing = parts.services.checks.standing(&dealer).await;
        let (verdict, finding) = told(&id, &standing.map_err(CheckError::NoAccount)?);
        say_finding(verdict, id.as_str(), &finding);
        return Ok(match verdict {
            Verdict::Bad => ExitCode::FAILURE,
            Verdict::Good | Verdict::Odd => ExitCode::SUCCESS,
        });
    };
    match parts.tests.send_test(&id, target).await {
        Ok(passed) => {
            say_finding(Verdict::Good, id.as_str(), &passed.text);
            Ok(ExitCode::SUCCESS)
        }
        Err(CheckError::Failed { reason }) => {
            say_finding(Verdict::Bad, id.as_str(), &reason);
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

/// The verdict on a dealer's configuration, without a call.
pub(super) fn judge(dealer: &Dealer, accounts: &AccountPolicy) -> (Verdict, String) {
    let shut: Vec<&str> = dealer
        .sealed_shut
        .iter()
        .copied()
        .map(SecretPurpose::as_str)
        .collect();
    if !shut.is_empty() {
        let finding = format!(
            "sealed with a key that SECRETS_KEY does not have, or damaged: {}",
            shut.join(", ")
        );
        return (Verdict::Bad, finding);
    }
    match dealer.account(accounts) {
        _ if !dealer.active => (Verdict::Odd, "inactive".to_owned()),
        Ok(_) => (Verdict::Good, "active, account configured".to_owned()),
        Err(error) => {
            let remedy = remedy(&dealer.id, error);
            (Verdict::Bad, format!("active, but {error}; {remedy}"))
        }
    }
}

pub(super) fn parse_id(raw: &str) -> anyhow::Result<DealerId> {
    DealerId::parse(raw).with_context(|| {
        format!(
            "\"{}\" cannot be a dealer's number: 4 to 10 characters",
            raw.escape_debug()
        )
    })
}
