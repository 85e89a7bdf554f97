use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chrono::{DateTime, TimeDelta, Utc};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use domain::access::{Access, ApiKeyId, Author, KeyName, Principal, Scope};
use domain::ports::{Clock as _, Validity};
use domain::usecases::KeyOrder;
use domain::values::DealerId;
use secrecy::ExposeSecret as _;

use super::database::open;
use super::dealer::parse_id;
use crate::cli::{CreateKey, RevokeKey};
use crate::config::Config;
use crate::output::{say, tell, written};
use crate::surroundings::SystemClock;

/// Creates a key: standard output gets the key alone, so that it can be piped.
pub(super) async fn create(config: Config, options: CreateKey) -> anyhow::Result<ExitCode> {
    let order = order(&options)?;
    let (_database, parts) = open(&config).await?;
    let made = parts.services.keys.create(order, &author()).await?;
    let key = made.record;
    tell!(
        "Key {} \"{}\" made: {}, scopes {}, {}.\nThis is it. It is shown this once, and kept \
         nowhere:",
        key.id,
        key.name,
        whose(key.access.visibility().dealer()),
        key.access.scopes(),
        key.expires_at
            .map_or("never expires".to_owned(), |at| format!(
                "expires {}",
                shown(at)
            )),
    );
    say!("{}", made.secret.expose_secret());
    if let Err(error) = written() {
        parts.services.keys.revoke(key.id, &author()).await?;
        return Err(error.context("the key could not be shown, so it is revoked"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Lists the keys.
pub(super) async fn list(config: Config) -> anyhow::Result<ExitCode> {
    let (_database, parts) = open(&config).await?;
    let keys = parts.services.keys.list().await?;
    if keys.is_empty() {
        tell!("There are no keys; `api-key create` makes one.");
        return Ok(ExitCode::SUCCESS);
    }
    let rows = keys.iter().map(|(key, validity)| {
        let dealer = key.access.visibility().dealer();
        [
            key.id.to_string(),
            dealer.map_or("head office".to_owned(), ToString::to_string),
            key.access.scopes().to_string(),
            match validity {
                Validity::InForce => "in force".to_owned(),
                Validity::Expired => "expired".to_owned(),
                Validity::Revoked => "revoked".to_owned(),
            },
            shown(key.created_at),
            key.expires_at.map_or("never".to_owned(), shown),
            key.name.to_string(),
        ]
    });
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_header([
            "ID", "DEALER", "SCOPES", "STATUS", "CREATED", "EXPIRES", "NAME",
        ])
        .add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let text = table.trim_fmt();
    let (head, rows) = text.split_once('\n').unwrap_or((&text, ""));
    let bold = anstyle::Style::new().bold();
    say!("{bold}{head}{bold:#}\n{rows}");
    Ok(ExitCode::SUCCESS)
}

/// Revokes a key.
pub(super) async fn revoke(config: Config, options: RevokeKey) -> anyhow::Result<ExitCode> {
    let id = options.id.strip_prefix(domain::access::API_KEY_PREFIX);
    let id = ApiKeyId::parse(id.unwrap_or(&options.id)).map_err(|_| {
        anyhow::anyhow!("this is no key's id: 16 hexadecimal digits, as `api-key list` shows them")
    })?;
    let (_database, parts) = open(&config).await?;
    let key = parts.services.keys.revoke(id, &author()).await?;
    say!(
        "Key {id} \"{}\" is revoked; every copy of the service refuses it within 5 seconds.",
        key.name
    );
    Ok(ExitCode::SUCCESS)
}

fn author() -> Author {
    Principal::operator().author(None)
}

fn order(options: &CreateKey) -> anyhow::Result<KeyOrder> {
    let name = KeyName::parse(&options.name).map_err(|_| {
        anyhow::anyhow!(
            "a key's name has 1 to {} characters, in one line",
            KeyName::MAX
        )
    })?;
    let dealer = options.dealer.as_deref().map(parse_id).transpose()?;
    let scopes = options.scope.iter().map(|scope| Scope::from(*scope));
    let access = Access::new(dealer, scopes.collect())?;
    let now = SystemClock.now();
    let expires_at = match (&options.expires_at, &options.expires_in) {
        (Some(at), _) => Some(
            DateTime::parse_from_rfc3339(at)
                .context("--expires-at is a time such as 2027-01-31T00:00:00+07:00")?
                .to_utc(),
        ),
        (None, Some(after)) => {
            let after = duration(after).context(
                "--expires-in is a duration such as 12h, 90d or 2w, of at most 100 years",
            )?;
            Some(now + after)
        }
        (None, None) => None,
    };
    if expires_at.is_some_and(|at| at <= now) {
        bail!("the key would have expired already");
    }
    Ok(KeyOrder {
        name,
        access,
        expires_at,
    })
}

/// The longest validity of a key that is given as a duration: a century (chosen).
const LONGEST: TimeDelta = TimeDelta::days(36_525);

/// A validity such as `90d` or `2w`.
fn duration(raw: &str) -> Option<TimeDelta> {
    let duration = TimeDelta::from_std(humantime::parse_duration(raw).ok()?).ok()?;
    (TimeDelta::zero() < duration && duration <= LONGEST).then_some(duration)
}

fn whose(dealer: Option<&DealerId>) -> String {
    dealer.map_or("head office".to_owned(), |id| format!("dealer {id}"))
}

fn shown(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%MZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_of_keys_are_numbers_with_a_unit() {
        assert_eq!(duration("90d"), Some(TimeDelta::days(90)));
        assert_eq!(duration("12h"), Some(TimeDelta::hours(12)));
        assert_eq!(duration("1m"), Some(TimeDelta::minutes(1)));
        assert_eq!(duration("2w"), Some(TimeDelta::weeks(2)));
        for raw in ["", "d", "90", "0d", "-1d", "101y", "4294967295w", "9é"] {
            assert_eq!(duration(raw), None, "{raw}");
        }
    }
}
