use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use domain::{
    Access, AccessError, ApiKeyId, ApiKeyRecord, DealerId, Fault, KeyError, KeyName, KeyOrder,
    Scope, Scopes, StoreError, Validity,
};
use paperclip::actix::web::Path;
use paperclip::actix::{Apiv2Schema, api_v2_operation};
use serde::Serialize;
use serde_json::Value;

use crate::access::Caller;
use crate::deadline::in_time;
use crate::http::{Answered, Fields, JsonBody, text};
use crate::problem::Problem;
use crate::routes::rfc_3339;
use crate::state::Api;
use crate::validation::Rule;

/// A key that is wanted.
#[derive(Apiv2Schema)]
#[expect(dead_code, reason = "describes the body, which is read by hand")]
pub(crate) struct NewKeyBody {
    /// What people call it; the audit and the logs name it.
    name: String,
    /// The dealer whose data it opens, and no other's; absent or null: head office.
    dealer_id: Option<String>,
    /// What it may be used for: `read`, `write`; for head office `admin`, which includes both.
    scopes: Vec<String>,
    /// From when on it is none any more: RFC 3339 with an offset; absent or null: never.
    expires_at: Option<String>,
}

/// The keys.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct KeysReply {
    /// Always true.
    success: bool,
    /// A sentence for a person.
    message: String,
    /// Those in force first, then the newest first; at most 1,000.
    data: Vec<KeyItem>,
}

/// A key that was revoked.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct KeyReply {
    /// Always true.
    success: bool,
    /// A sentence for a person.
    message: &'static str,
    data: KeyItem,
}

/// A key that was made.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct MadeKeyReply {
    /// Always true.
    success: bool,
    /// A sentence for a person.
    message: &'static str,
    data: MadeKeyData,
}

/// A key, with its secret this once. Times are RFC 3339 in UTC.
#[derive(Serialize, Apiv2Schema)]
pub(crate) struct MadeKeyData {
    /// The public part, by which it is listed, logged and revoked.
    id: String,
    /// The whole key. It is kept nowhere and cannot be shown again.
    key: String,
    /// What people call it.
    name: String,
    /// The dealer whose data it opens; null: head office.
    dealer_id: Option<String>,
    /// What it may be used for.
    scopes: Vec<&'static str>,
    /// When it was made.
    created_at: String,
    /// From when on it is none any more; null: never.
    expires_at: Option<String>,
}

impl std::fmt::Debug for MadeKeyData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeKeyData")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A key without its secret. Times are RFC 3339 in UTC.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct KeyItem {
    /// The public part, by which it is listed, logged and revoked.
    id: String,
    /// What people call it.
    name: String,
    /// The dealer whose data it opens; null: head office.
    dealer_id: Option<String>,
    /// What it may be used for.
    scopes: Vec<&'static str>,
    /// `in_force`, `expired` or `revoked`.
    status: &'static str,
    /// When it was made.
    created_at: String,
    /// From when on it is none any more; null: never.
    expires_at: Option<String>,
    /// Since when it is revoked; null: it is not.
    revoked_at: Option<String>,
}

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
            1 => "Found 1 key".to_owned(),
            count => format!("Found {count} keys"),
        },
        data: keys
            .into_iter()
            .map(|(key, validity)| KeyItem::of(key, validity))
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
        scopes: key.access.scopes().iter().map(Scope::as_str).collect(),
        created_at: rfc_3339(key.created_at),
        expires_at: key.expires_at.map(rfc_3339),
        id: key.id.to_string(),
        name: key.name.to_string(),
    };
    Ok(Answered::with(HttpResponse::Created().json(MadeKeyReply {
        success: true,
        message: "Key created; it is shown this once",
        data,
    })))
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
    Ok(Answered::ok(&KeyReply {
        success: true,
        message: "Key revoked",
        data: KeyItem::of(key, Validity::Revoked),
    }))
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
        // Of a body that is faulty elsewhere too, this is told when the rest is right.
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

/// What the use case found wrong with a body.
fn not_made(error: KeyError, mut fields: Fields) -> Problem {
    let (name, rule) = match error {
        KeyError::UnknownDealer => ("dealer_id", "No dealer has this number"),
        KeyError::AlreadyExpired => ("expires_at", "The time has passed already"),
        KeyError::UnknownKey => return Problem::Unforeseen,
        KeyError::Store(error) => return error.into(),
    };
    fields.refuse(&[name], Rule::Own(rule));
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

impl KeyItem {
    fn of(key: ApiKeyRecord, validity: Validity) -> Self {
        Self {
            dealer_id: dealer_of(&key),
            scopes: key.access.scopes().iter().map(Scope::as_str).collect(),
            status: match validity {
                Validity::InForce => "in_force",
                Validity::Expired => "expired",
                Validity::Revoked => "revoked",
            },
            created_at: rfc_3339(key.created_at),
            expires_at: key.expires_at.map(rfc_3339),
            revoked_at: key.revoked_at.map(rfc_3339),
            id: key.id.to_string(),
            name: key.name.to_string(),
        }
    }
}
