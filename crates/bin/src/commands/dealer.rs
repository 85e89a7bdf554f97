use std::process::ExitCode;

use anyhow::{Context as _, bail};
use domain::{AccountPolicy, CheckError, Dealer, DealerId, Phone};
use store_postgres::{DealerAdminError, MigrationState, NewDealer};

use super::report::{News, line};
use crate::cli::{AddDealer, SetKey, TestDealer};
use crate::config::Config;
use crate::wiring::{Database, Parts};

/// Adds a dealer.
pub(crate) async fn add(config: Config, options: AddDealer) -> anyhow::Result<ExitCode> {
    let dealer = NewDealer {
        id: parse_id(&options.id)?,
        name: options.name,
        api_key: options.key.read()?,
        api_url: options.url,
    };
    if dealer.name.trim().is_empty() || dealer.name.chars().count() > 255 {
        bail!("a dealer's name has 1 to 255 characters");
    }
    if let Some(key) = &dealer.api_key {
        config
            .accounts
            .account(Some(key), dealer.api_url.as_deref())?;
    }
    let (_database, parts) = open(&config).await?;
    match parts.dealers.add(&dealer).await {
        Ok(()) => anstream::println!("Dealer {} added.", dealer.id),
        Err(DealerAdminError::Exists) if options.if_missing => {
            anstream::println!("Dealer {} exists already.", dealer.id);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Sets a dealer's key.
pub(crate) async fn set_key(config: Config, options: SetKey) -> anyhow::Result<ExitCode> {
    let id = parse_id(&options.id)?;
    let key = options
        .key
        .read()?
        .context("no key is given; use --key-stdin, or --key")?;
    config
        .accounts
        .account(Some(&key), options.url.as_deref())?;
    let (_database, parts) = open(&config).await?;
    parts
        .dealers
        .set_key(&id, &key, options.url.as_deref())
        .await?;
    anstream::println!("The key of dealer {id} is set; the service uses it within 30 seconds.");
    Ok(ExitCode::SUCCESS)
}

/// Lists the dealers.
pub(crate) async fn list(config: Config) -> anyhow::Result<ExitCode> {
    let (_database, parts) = open(&config).await?;
    let dealers = parts.dealers.list().await?;
    if dealers.is_empty() {
        anstream::println!("There are no dealers; `dealer add` adds one.");
    }
    for dealer in &dealers {
        let (news, finding) = judge(dealer, &config.accounts);
        line(
            news,
            dealer.id.as_str(),
            &format!("{} · {finding}", dealer.name),
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Tests a dealer's account.
pub(crate) async fn test(config: Config, options: TestDealer) -> anyhow::Result<ExitCode> {
    let id = parse_id(&options.id)?;
    let target = options
        .target
        .map(|target| Phone::parse(&target))
        .transpose()
        .context("--target is not usable")?;
    let (_database, parts) = open(&config).await?;
    let result = match target {
        None => parts.check.device(&id).await,
        Some(target) => parts.check.send_test(&id, target).await,
    };
    match result {
        Ok(passed) => {
            line(News::Good, id.as_str(), &passed.text);
            Ok(ExitCode::SUCCESS)
        }
        Err(CheckError::Failed { reason }) => {
            line(News::Bad, id.as_str(), &reason);
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

/// What can be said of a dealer's configuration without a call.
pub(super) fn judge(dealer: &Dealer, accounts: &AccountPolicy) -> (News, String) {
    match dealer.account(accounts) {
        _ if !dealer.active => (News::Odd, "inactive".to_owned()),
        Ok(_) => (News::Good, "active, account configured".to_owned()),
        Err(error) => (News::Bad, format!("active, but {error}")),
    }
}

pub(super) async fn open(config: &Config) -> anyhow::Result<(Database, Parts)> {
    let database = Database::open(config).await?;
    let parts = Parts::assemble(config, &database.url)?;
    if let MigrationState::Pending(_) = parts.store.migration_state().await? {
        bail!("the database is not up to date; run `customer-service migrate` first");
    }
    Ok((database, parts))
}

pub(super) fn parse_id(raw: &str) -> anyhow::Result<DealerId> {
    DealerId::parse(raw).with_context(|| {
        format!(
            "\"{}\" cannot be a dealer's number: 4 to 10 characters",
            raw.escape_debug()
        )
    })
}
