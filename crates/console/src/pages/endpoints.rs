//! The endpoints of event webhooks, and what became of their deliveries.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use callers::in_time;
use domain::access::Scope;
use domain::endpoints::{DeliveryId, EndpointId, EndpointInput, EndpointRecord, RawEvents};
use domain::requests::Input;
use domain::usecases::{EndpointAdministration, EndpointError, LookupError};
use domain::values::Owner;

use super::replies::{ROWS, after, cut};
use super::{Answer, go_to, page, page_with};
use crate::form::{Fields, Form};
use crate::mistake::Mistake;
use crate::state::Console;
use crate::views::endpoint::{self, EndpointPage};
use crate::views::endpoints::{self, Done, EndpointForm, EndpointList, PATH, Refused};
use crate::views::replies::Of;
use crate::visit::Visit;

pub(crate) async fn list(visit: Visit, console: Data<Console>, request: HttpRequest) -> Answer {
    let fields = Fields::read(request.query_string());
    let of = Of::asked(&visit, &fields)?;
    let mut list = all(&visit, &console, of).await?;
    list.done = fields.get("done").and_then(Done::parse);
    let status = list.of.status();
    Ok(page_with(status, endpoints::page(&visit, &list)))
}

/// Makes an endpoint and shows its secret, this once.
pub(crate) async fn make(visit: Visit, console: Data<Console>, Form(fields): Form) -> Answer {
    let of = Of::asked(&visit, &fields)?;
    let owner = owner(&of)?;
    let author = visit.author()?;
    let making = &console.services.endpoints;
    let input = EndpointForm::typed(&fields).input();
    let making = making.create(&owner, &input, &author);
    let refused = match in_time(making, EndpointError::Store).await {
        Ok(made) => {
            tracing::info!(endpoint.id = %made.record.id, "endpoint made");
            return Ok(page(endpoints::made(&visit, &of, &made)));
        }
        Err(EndpointError::Invalid(faults)) => Refused::Faults(faults),
        Err(EndpointError::TooMany) => Refused::TooMany,
        Err(EndpointError::NoSecretsKey) => Refused::NoSecretsKey,
        Err(error) => return Err(error.into()),
    };
    let mut list = all(&visit, &console, of).await?;
    list.form = EndpointForm::typed(&fields);
    list.form.refused = Some(refused);
    let page = endpoints::page(&visit, &list);
    Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, page))
}

/// One endpoint with its deliveries.
pub(crate) async fn show(
    visit: Visit,
    console: Data<Console>,
    request: HttpRequest,
    endpoint_id: Path<String>,
) -> Answer {
    let fields = Fields::read(request.query_string());
    let of = Of::asked(&visit, &fields)?;
    let mut shown = known(&visit, &console, of, &endpoint_id, &fields).await?;
    shown.done = fields.get("done").and_then(Done::parse);
    Ok(page(endpoint::page(&visit, &shown)))
}

/// Changes what was typed differently, and nothing where others have changed the endpoint since the form was
/// shown; its address only where that was confirmed.
pub(crate) async fn change(
    visit: Visit,
    console: Data<Console>,
    endpoint_id: Path<String>,
    Form(fields): Form,
) -> Answer {
    let of = Of::asked(&visit, &fields)?;
    let (owner, id) = (owner(&of)?, id(&endpoint_id)?);
    let author = visit.author()?;
    // A form that is sent back shows the newest deliveries.
    let none = Fields::default();
    let mut shown = known(&visit, &console, of.clone(), &endpoint_id, &none).await?;
    let mut typed = EndpointForm::typed(&fields);
    let input = match fields.get("enable") {
        // The button beside the state alone.
        Some(enable) => EndpointInput {
            enabled: Input::Flag(enable == "yes"),
            ..EndpointInput::default()
        },
        None => typed.changes(&shown.form),
    };
    if input == EndpointInput::default() {
        return Ok(go_back(&of, Some(id), Done::Changed));
    }
    let made_of = fields.get("shown").map(Fields::read);
    let made_of = made_of.as_ref().map(EndpointForm::typed);
    let refused = match made_of {
        Some(made_of) if made_of != shown.form => Refused::Overtaken,
        _ if input.url != Input::Absent && fields.get("sure").is_none() => Refused::Unsure,
        _ => {
            let changing = &console.services.endpoints;
            let changing = changing.change(&owner, id, &input, &author);
            match in_time(changing, EndpointError::Store).await {
                Ok(_) => return Ok(go_back(&of, Some(id), Done::Changed)),
                Err(EndpointError::Invalid(faults)) => Refused::Faults(faults),
                Err(error) => return Err(error.into()),
            }
        }
    };
    let status = match refused {
        Refused::Overtaken => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    typed.refused = Some(refused);
    shown.form = typed;
    Ok(page_with(status, endpoint::page(&visit, &shown)))
}

/// Asks once; then removes it with its deliveries.
pub(crate) async fn remove(
    visit: Visit,
    console: Data<Console>,
    endpoint_id: Path<String>,
    Form(fields): Form,
) -> Answer {
    let of = Of::asked(&visit, &fields)?;
    let (owner, id) = (owner(&of)?, id(&endpoint_id)?);
    if fields.get("confirmed") != Some("yes") {
        let record = find(&console.services.endpoints, &owner, id).await?;
        return Ok(page(endpoint::confirm(&visit, &of, &record)));
    }
    let author = visit.author()?;
    let removing = console.services.endpoints.remove(&owner, id, &author);
    in_time(removing, EndpointError::Store).await?;
    Ok(go_back(&of, None, Done::Removed))
}

/// Sends a test event, as soon as it is its turn.
pub(crate) async fn test(
    visit: Visit,
    console: Data<Console>,
    endpoint_id: Path<String>,
    Form(fields): Form,
) -> Answer {
    let of = Of::asked(&visit, &fields)?;
    let (owner, id) = (owner(&of)?, id(&endpoint_id)?);
    let author = visit.author()?;
    let testing = console.services.endpoints.test(&owner, id, &author);
    in_time(testing, EndpointError::Store).await?;
    Ok(go_back(&of, Some(id), Done::Tested))
}

/// Makes a delivery once more.
pub(crate) async fn retry(
    visit: Visit,
    console: Data<Console>,
    endpoint_id: Path<String>,
    Form(fields): Form,
) -> Answer {
    let of = Of::asked(&visit, &fields)?;
    let (owner, id) = (owner(&of)?, id(&endpoint_id)?);
    let delivery = fields.get("delivery").and_then(DeliveryId::parse);
    let delivery = delivery.ok_or(Mistake::Unreadable)?;
    let author = visit.author()?;
    let endpoints = &console.services.endpoints;
    let retrying = endpoints.retry(&owner, id, delivery, &author);
    in_time(retrying, EndpointError::Store).await?;
    Ok(go_back(&of, Some(id), Done::Retried))
}

fn go_back(of: &Of, id: Option<EndpointId>, done: Done) -> HttpResponse {
    let path = id.map_or_else(|| PATH.to_owned(), |id| format!("{PATH}/{id}"));
    go_to(&of.address(&path, &[("done", done.as_str())]))
}

/// Whose endpoints are meant: those of the dealer, else head office's.
fn owner(of: &Of) -> Result<Owner, Mistake> {
    match &of.dealer {
        Some(dealer) => Ok(Owner::Dealer(dealer.clone())),
        None if of.is_chosen && !of.is_unknown => Ok(Owner::HeadOffice),
        None => Err(Mistake::NotFound),
    }
}

fn id(raw: &str) -> Result<EndpointId, Mistake> {
    EndpointId::parse(raw).ok_or(Mistake::NotFound)
}

async fn find(
    endpoints: &EndpointAdministration,
    owner: &Owner,
    id: EndpointId,
) -> Result<EndpointRecord, Mistake> {
    let all = in_time(endpoints.list(owner), EndpointError::Store).await?;
    let found = all.into_iter().find(|record| record.id == id);
    found.ok_or(Mistake::NotFound)
}

async fn all(visit: &Visit, console: &Console, mut of: Of) -> Result<EndpointList, Mistake> {
    let found = match owner(&of) {
        Err(_) => None,
        Ok(owner) => {
            let listing = console.services.endpoints.list(&owner);
            let found = in_time(listing, EndpointError::Store).await;
            Some(found.map_err(|error| match error {
                EndpointError::Store(error) => LookupError::Store(error),
                _ => LookupError::UnknownDealer,
            }))
        }
    };
    let endpoints = of.known(console, found).await?.unwrap_or_default();
    Ok(EndpointList {
        now: console.parts.clock.now(),
        of,
        may_write: visit.may(Scope::Write),
        endpoints,
        done: None,
        form: EndpointForm::default(),
    })
}

async fn known(
    visit: &Visit,
    console: &Console,
    of: Of,
    raw: &str,
    fields: &Fields,
) -> Result<EndpointPage, Mistake> {
    let (owner, id) = (owner(&of)?, id(raw)?);
    let endpoints = &console.services.endpoints;
    let record = find(endpoints, &owner, id).await?;
    let after = after(fields);
    // One more tells whether there is another page.
    let asking = endpoints.deliveries(&owner, id, after, ROWS + 1);
    let mut deliveries = in_time(asking, EndpointError::Store).await?;
    let next = cut(&mut deliveries, |it| it.cursor);
    Ok(EndpointPage {
        now: console.parts.clock.now(),
        of,
        may_write: visit.may(Scope::Write),
        form: EndpointForm::of(&record),
        record,
        deliveries,
        is_first: after.is_none(),
        next,
        done: None,
    })
}

impl EndpointForm {
    /// As a form posts it.
    fn typed(fields: &Fields) -> Self {
        let typed = |name| fields.get(name).unwrap_or_default().to_owned();
        Self {
            url: typed("url"),
            note: typed("note"),
            events: fields.all("event").map(str::to_owned).collect(),
            refused: None,
        }
    }

    /// A new endpoint of it.
    fn input(&self) -> EndpointInput {
        let events = self.events.iter().map(|name| name.as_str().into());
        EndpointInput {
            url: self.url.as_str().into(),
            events: RawEvents::List(events.collect()),
            note: match self.note.as_str() {
                "" => Input::Null,
                note => note.into(),
            },
            enabled: Input::Absent,
        }
    }

    /// What it says differently from what is in force.
    fn changes(&self, before: &Self) -> EndpointInput {
        let mut input = self.input();
        if self.url == before.url {
            input.url = Input::Absent;
        }
        if self.events == before.events {
            input.events = RawEvents::Absent;
        }
        if self.note == before.note {
            input.note = Input::Absent;
        }
        input
    }
}
