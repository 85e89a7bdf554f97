//! The keys of callers, for head office.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use callers::in_time;
use chrono::{DateTime, Utc};
use domain::access::{Access, AccessError, ApiKeyId, KeyName, Scope};
use domain::usecases::{KeyError, KeyOrder};
use domain::values::{DealerId, from_jakarta_time, parse_day};

use super::{Answer, go_to, page, page_with};
use crate::form::{Fields, Form};
use crate::mistake::Mistake;
use crate::state::Console;
use crate::views::keys::{self, KeyFault, KeyForm, KeyList};
use crate::visit::Visit;

pub(crate) async fn list(visit: Visit, console: Data<Console>, request: HttpRequest) -> Answer {
    let fields = Fields::read(request.query_string());
    let was_revoked = fields.get("done") == Some("revoke");
    let list = known(&console, KeyForm::default()).await?;
    Ok(page(keys::page(
        &visit,
        &KeyList {
            was_revoked,
            ..list
        },
    )))
}

/// Makes a key and shows it, this once.
pub(crate) async fn make(visit: Visit, console: Data<Console>, Form(fields): Form) -> Answer {
    let mut form = KeyForm::typed(&fields);
    let now = console.parts.clock.now();
    if let Some(order) = order(&mut form, now) {
        let author = visit.author()?;
        let making = console.services.keys.create(order, &author);
        match in_time(making, KeyError::Store).await {
            Ok(made) => {
                tracing::info!(made.key.id = %made.record.id, "API key made");
                return Ok(page(keys::made(&visit, &made)));
            }
            Err(KeyError::UnknownDealer) => form.faults.push(KeyFault::UnknownDealer),
            Err(KeyError::AlreadyExpired) => form.faults.push(KeyFault::Past),
            Err(error) => return Err(error.into()),
        }
    }
    let list = known(&console, form).await?;
    Ok(page_with(
        StatusCode::UNPROCESSABLE_ENTITY,
        keys::page(&visit, &list),
    ))
}

/// Asks once; then revokes it.
pub(crate) async fn revoke(
    visit: Visit,
    console: Data<Console>,
    key_id: Path<String>,
    Form(fields): Form,
) -> Answer {
    let id = ApiKeyId::parse(&key_id).map_err(|_| Mistake::NotFound)?;
    if fields.get("confirmed") != Some("yes") {
        let all = in_time(console.services.keys.list(), |error| error).await?;
        let found = all.into_iter().find(|(record, _)| record.id == id);
        let (record, _) = found.ok_or(Mistake::NotFound)?;
        return Ok(page(keys::confirm(&visit, &record)));
    }
    let author = visit.author()?;
    let revoking = console.services.keys.revoke(id, &author);
    in_time(revoking, KeyError::Store).await?;
    Ok(go_to("/console/keys?done=revoke"))
}

async fn known(console: &Console, form: KeyForm) -> Result<KeyList, Mistake> {
    Ok(KeyList {
        now: console.parts.clock.now(),
        keys: in_time(console.services.keys.list(), |error| error).await?,
        are_asked_for: console.parts.keys == callers::Keys::Required,
        was_revoked: false,
        form,
    })
}

/// The key that a form asks for; what is wrong is noted in the form.
fn order(form: &mut KeyForm, now: DateTime<Utc>) -> Option<KeyOrder> {
    let mut faults = Vec::new();
    let name = KeyName::parse(&form.name).map_err(|fault| faults.push(KeyFault::Name(fault)));
    let dealer = match form.dealer.as_str() {
        "" => Ok(None),
        raw => DealerId::parse(raw)
            .map(Some)
            .map_err(|_| faults.push(KeyFault::UnknownDealer)),
    };
    let scopes = form.scopes.iter().copied().collect();
    let access = dealer.and_then(|dealer| {
        Access::new(dealer, scopes).map_err(|error| {
            faults.push(match error {
                AccessError::NoScope => KeyFault::NoScope,
                AccessError::AdminOfOneDealer => KeyFault::AdminOfOneDealer,
            });
        })
    });
    let expires_at = match form.expires.as_str() {
        "" => Ok(None),
        raw => end_of(raw)
            .filter(|end| *end > now)
            .map(Some)
            .ok_or_else(|| faults.push(KeyFault::Past)),
    };
    let order = match (name, access, expires_at) {
        (Ok(name), Ok(access), Ok(expires_at)) => Some(KeyOrder {
            name,
            access,
            expires_at,
        }),
        _ => None,
    };
    form.faults = faults;
    order
}

/// The end of a local day.
fn end_of(raw: &str) -> Option<DateTime<Utc>> {
    let day = parse_day(raw)?;
    Some(from_jakarta_time(day.and_hms_opt(23, 59, 59)?))
}

impl KeyForm {
    fn typed(fields: &Fields) -> Self {
        let typed = |name| fields.get(name).unwrap_or_default().to_owned();
        Self {
            name: typed("name"),
            dealer: typed("dealer_id"),
            scopes: fields.all("scope").filter_map(Scope::parse).collect(),
            expires: typed("expires"),
            faults: Vec::new(),
        }
    }
}
