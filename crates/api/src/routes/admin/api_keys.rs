use actix_web::HttpResponse;
use actix_web::web::Data;
use api_types::{
    KeyItem, KeyReply, KeysReply, MadeKeyData, MadeKeyReply, NewKeyBody, ScopeName, rfc_3339,
};
use chrono::{DateTime, Utc};
use domain::access::{Access, AccessError, ApiKeyId, KeyName, Scope, Scopes};
use domain::ports::{ApiKeyRecord, StoreError, Validity};
use domain::requests::Fault;
use domain::usecases::{KeyError, KeyOrder};
use domain::values::DealerId;
use paperclip::actix::api_v2_operation;
use paperclip::actix::web::Path;
use serde_json::Value;

use crate::access::Caller;
use crate::http::{Answered, Fields, JsonBody, text};
use crate::problem::Problem;
use crate::state::Api;
use crate::validation::Rule;
use callers::in_time;

/// List the keys
///
/// Without their secrets, which are kept nowhere: those in force first, then the newest first.
#[api_v2_operation(operation_id = "list_api_keys", tags(admin))]
pub(crate) async fn list_api_keys(api: Data<Api>) -> Result<Answered<KeysReply>, Problem> {
    let listing = api.admission.keys.list();
    let keys = in_time(listing, std::convert::identity::<StoreError>).await?;
    Ok(Answered::ok(&KeysReply {
        success: true,
        message: match keys.len() {
            1 => "Found 1 key".into(),
            count => format!("Found {count} keys").into(),
        },
        data: keys
            .into_iter()
            .map(|(key, validity)| key_item(key, validity))
            .collect(),
    }))
}

/// Make a key
///
/// The answer holds the whole key, this once: only a hash of it is kept. It can be used at once.
#[api_v2_operation(operation_id = "create_api_key", tags(admin))]
pub(crate) async fn create_api_key(
    caller: Caller,
    api: Data<Api>,
    body: JsonBody<NewKeyBody>,
) -> Result<Answered<MadeKeyReply>, Problem> {
    use secrecy::ExposeSecret as _;

    let mut fields = body.fields()?;
    let Some(order) = order(&mut fields) else {
        return Err(fields.invalid());
    };
    let author = caller.author();
    let creating = api.admission.keys.create(order, &author);
    let made = in_time(creating, KeyError::Store)
        .await
        .map_err(|error| not_made(error, fields))?;
    let key = made.record;
    tracing::info!(made.key.id = %key.id, "key made");
    let data = MadeKeyData {
        key: made.secret.expose_secret().to_owned(),
        dealer_id: dealer_of(&key),
        scopes: scope_names(&key),
        created_at: rfc_3339(key.created_at),
        expires_at: key.expires_at.map(rfc_3339),
        id: key.id.to_string(),
        name: key.name.to_string(),
    };
    let reply = MadeKeyReply::new("Key created; it is shown this once", data);
    Ok(Answered::with(HttpResponse::Created().json(reply)))
}

/// Revoke a key
///
/// Every copy of the service refuses it within 5 seconds, this one at once. Revoking it once more
/// changes nothing.
#[api_v2_operation(operation_id = "revoke_api_key", tags(admin))]
pub(crate) async fn revoke_api_key(
    caller: Caller,
    api: Data<Api>,
    key_id: Path<String>,
) -> Result<Answered<KeyReply>, Problem> {
    let id = ApiKeyId::parse(&key_id).map_err(|_| Problem::UnknownKey)?;
    let author = caller.author();
    let revoking = api.admission.keys.revoke(id, &author);
    let key = match in_time(revoking, KeyError::Store).await {
        Ok(key) => key,
        Err(KeyError::Store(error)) => return Err(error.into()),
        Err(KeyError::UnknownKey | KeyError::UnknownDealer | KeyError::AlreadyExpired) => {
            return Err(Problem::UnknownKey);
        }
    };
    tracing::info!(revoked.key.id = %key.id, "key revoked");
    let reply = KeyReply::new("Key revoked", key_item(key, Validity::Revoked));
    Ok(Answered::ok(&reply))
}

/// Reads a body.
fn order(fields: &mut Fields) -> Option<KeyOrder> {
    let name = fields.required("name", text(KeyName::parse));
    let dealer = fields.optional("dealer_id", text(DealerId::parse));
    let scopes = fields.required("scopes", scopes);
    let expires_at = fields.optional("expires_at", text(instant));
    let (dealer, scopes) = (dealer?, scopes?);
    let access = Access::new(dealer, scopes).map_err(|error| {
        let rule = match error {
            AccessError::NoScope => "At least one scope is needed",
            AccessError::AdminOfOneDealer => "The scope admin is for head office only",
        };
        // This fault is only reported once all other fields are right.
        if name.is_some() && expires_at.is_some() {
            fields.refuse(&["scopes"], Rule::Own(rule));
        }
    });
    Some(KeyOrder {
        name: name?,
        access: access.ok()?,
        expires_at: expires_at?,
    })
}

/// The problem of a refused key.
fn not_made(error: KeyError, mut fields: Fields) -> Problem {
    let (name, rule) = match error {
        KeyError::UnknownDealer => ("dealer_id", Rule::NO_SUCH_DEALER),
        KeyError::AlreadyExpired => ("expires_at", Rule::Own("The time has passed already")),
        KeyError::UnknownKey => return Problem::Unforeseen,
        KeyError::Store(error) => return error.into(),
    };
    fields.refuse(&[name], rule);
    fields.invalid()
}

fn scopes(value: &Value) -> Result<Scopes, Rule> {
    let names = value.as_array().filter(|names| !names.is_empty());
    names
        .and_then(|names| {
            let scopes = names.iter().map(|name| Scope::parse(name.as_str()?));
            scopes.collect::<Option<Scopes>>()
        })
        .ok_or(Rule::Own(
            "Expected a list of one or more of read, write, admin",
        ))
}

fn instant(raw: &str) -> Result<DateTime<Utc>, Fault> {
    let at = DateTime::parse_from_rfc3339(raw).map_err(|_| Fault::Instant)?;
    Ok(at.to_utc())
}

fn dealer_of(key: &ApiKeyRecord) -> Option<String> {
    let dealer = key.access.visibility().dealer();
    dealer.map(ToString::to_string)
}

/// A key as it is shown.
fn key_item(key: ApiKeyRecord, validity: Validity) -> KeyItem {
    KeyItem {
        dealer_id: dealer_of(&key),
        scopes: scope_names(&key),
        status: validity.as_str().into(),
        created_at: rfc_3339(key.created_at),
        expires_at: key.expires_at.map(rfc_3339),
        revoked_at: key.revoked_at.map(rfc_3339),
        id: key.id.to_string(),
        name: key.name.to_string(),
    }
}

fn scope_names(key: &ApiKeyRecord) -> Vec<ScopeName> {
    key.access.scopes().iter().map(ScopeName::from).collect()
}
