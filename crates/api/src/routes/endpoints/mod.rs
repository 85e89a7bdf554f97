//! Endpoints of event webhooks: a dealer's own, and head office's for all dealers.

mod shown;

use actix_web::HttpResponse;
use actix_web::web::Data;
use api_types::{
    DeliveriesReply, DeliveryReply, EndpointChangeBody, EndpointReply, EndpointsReply,
    MadeEndpointReply, NewEndpointBody, ReplyListQuery,
};
use domain::access::Author;
use domain::endpoints::{DeliveryId, EndpointId};
use domain::usecases::EndpointError;
use domain::values::Owner;
use paperclip::actix::api_v2_operation;
use paperclip::actix::web::Path;
use serde::Deserialize;

use self::shown::{
    delivery_item, endpoint_data, endpoint_item, input, refused, written_deliveries,
    written_endpoints,
};
use super::list_page::Page;
use crate::access::{Caller, DealerAt};
use crate::http::{Answered, JsonBody, QueryParameters};
use crate::problem::Problem;
use crate::state::Api;
use callers::in_time;

/// The part of a path that names an endpoint.
#[derive(Deserialize, paperclip::actix::Apiv2Schema)]
pub(crate) struct EndpointAt {
    endpoint_id: String,
}

impl EndpointAt {
    /// What cannot be an id is one that no endpoint has.
    fn id(&self) -> Result<EndpointId, Problem> {
        EndpointId::parse(&self.endpoint_id).ok_or(EndpointError::UnknownEndpoint.into())
    }
}

/// The part of a path that names a delivery.
#[derive(Deserialize, paperclip::actix::Apiv2Schema)]
pub(crate) struct DeliveryAt {
    endpoint_id: String,
    delivery_id: String,
}

impl DeliveryAt {
    fn ids(self) -> Result<(EndpointId, DeliveryId), Problem> {
        let at = EndpointAt {
            endpoint_id: self.endpoint_id,
        };
        let delivery = DeliveryId::parse(&self.delivery_id);
        let delivery = delivery.ok_or(Problem::from(EndpointError::UnknownDelivery));
        Ok((at.id()?, delivery?))
    }
}

/// List a dealer's endpoints
///
/// Newest first, at most 5: where the dealer's events are posted, without the secrets.
#[api_v2_operation(operation_id = "list_dealer_endpoints", tags(endpoint))]
pub(crate) async fn list_dealer_endpoints(
    dealer: DealerAt,
    api: Data<Api>,
    query: QueryParameters<ReplyListQuery>,
) -> Result<Answered<EndpointsReply>, Problem> {
    list(&api, of(&dealer), query).await
}

/// Make an endpoint of a dealer
///
/// From now on it is told what happens, in the form of the Standard Webhooks specification, signed with the
/// secret of the answer, which is shown this once.
#[api_v2_operation(operation_id = "create_dealer_endpoint", tags(endpoint))]
pub(crate) async fn create_dealer_endpoint(
    dealer: DealerAt,
    api: Data<Api>,
    body: JsonBody<NewEndpointBody>,
) -> Result<Answered<MadeEndpointReply>, Problem> {
    create(&api, of(&dealer), body, &dealer.author()).await
}

/// Change an endpoint of a dealer
///
/// What is absent stays. One that was disabled goes on with `{"enabled":true}`, and with what waits for it; it
/// is not told what happened meanwhile.
#[api_v2_operation(operation_id = "change_dealer_endpoint", tags(endpoint))]
pub(crate) async fn change_dealer_endpoint(
    dealer: DealerAt,
    api: Data<Api>,
    path: Path<EndpointAt>,
    body: JsonBody<EndpointChangeBody>,
) -> Result<Answered<EndpointReply>, Problem> {
    change(&api, of(&dealer), &path, body, &dealer.author()).await
}

/// Remove an endpoint of a dealer
///
/// With its deliveries: nothing more is posted to it.
#[api_v2_operation(operation_id = "remove_dealer_endpoint", tags(endpoint))]
pub(crate) async fn remove_dealer_endpoint(
    dealer: DealerAt,
    api: Data<Api>,
    path: Path<EndpointAt>,
) -> Result<HttpResponse, Problem> {
    remove(&api, of(&dealer), &path, &dealer.author()).await
}

/// Test an endpoint of a dealer
///
/// Posts an `endpoint.test` to it, whatever it subscribed to, also to a disabled one. What became of it is among
/// its deliveries.
#[api_v2_operation(operation_id = "test_dealer_endpoint", tags(endpoint))]
pub(crate) async fn test_dealer_endpoint(
    dealer: DealerAt,
    api: Data<Api>,
    path: Path<EndpointAt>,
) -> Result<Answered<DeliveryReply>, Problem> {
    test(&api, of(&dealer), &path, &dealer.author()).await
}

/// List the deliveries to an endpoint of a dealer
///
/// Newest first, each with its attempts; kept for 30 days.
#[api_v2_operation(operation_id = "list_dealer_deliveries", tags(endpoint))]
pub(crate) async fn list_dealer_deliveries(
    dealer: DealerAt,
    api: Data<Api>,
    path: Path<EndpointAt>,
    query: QueryParameters<ReplyListQuery>,
) -> Result<Answered<DeliveriesReply>, Problem> {
    deliveries(&api, of(&dealer), &path, query).await
}

/// Post an event to an endpoint of a dealer again
///
/// At once, under the same `webhook-id`, also where it was delivered or given up.
#[api_v2_operation(operation_id = "retry_dealer_delivery", tags(endpoint))]
pub(crate) async fn retry_dealer_delivery(
    dealer: DealerAt,
    api: Data<Api>,
    path: Path<DeliveryAt>,
) -> Result<Answered<DeliveryReply>, Problem> {
    retry(&api, of(&dealer), path.into_inner(), &dealer.author()).await
}

/// List head office's endpoints
///
/// Newest first, at most 20: they are told the events of all dealers.
#[api_v2_operation(operation_id = "list_endpoints", tags(admin))]
pub(crate) async fn list_endpoints(
    api: Data<Api>,
    query: QueryParameters<ReplyListQuery>,
) -> Result<Answered<EndpointsReply>, Problem> {
    list(&api, Ok(Owner::HeadOffice), query).await
}

/// Make an endpoint of head office
///
/// As a dealer's, for the events of all dealers.
#[api_v2_operation(operation_id = "create_endpoint", tags(admin))]
pub(crate) async fn create_endpoint(
    caller: Caller,
    api: Data<Api>,
    body: JsonBody<NewEndpointBody>,
) -> Result<Answered<MadeEndpointReply>, Problem> {
    create(&api, Ok(Owner::HeadOffice), body, &caller.author()).await
}

/// Change an endpoint of head office
///
/// As a dealer's.
#[api_v2_operation(operation_id = "change_endpoint", tags(admin))]
pub(crate) async fn change_endpoint(
    caller: Caller,
    api: Data<Api>,
    path: Path<EndpointAt>,
    body: JsonBody<EndpointChangeBody>,
) -> Result<Answered<EndpointReply>, Problem> {
    change(&api, Ok(Owner::HeadOffice), &path, body, &caller.author()).await
}

/// Remove an endpoint of head office
///
/// With its deliveries: nothing more is posted to it.
#[api_v2_operation(operation_id = "remove_endpoint", tags(admin))]
pub(crate) async fn remove_endpoint(
    caller: Caller,
    api: Data<Api>,
    path: Path<EndpointAt>,
) -> Result<HttpResponse, Problem> {
    remove(&api, Ok(Owner::HeadOffice), &path, &caller.author()).await
}

/// Test an endpoint of head office
///
/// As a dealer's.
#[api_v2_operation(operation_id = "test_endpoint", tags(admin))]
pub(crate) async fn test_endpoint(
    caller: Caller,
    api: Data<Api>,
    path: Path<EndpointAt>,
) -> Result<Answered<DeliveryReply>, Problem> {
    test(&api, Ok(Owner::HeadOffice), &path, &caller.author()).await
}

/// List the deliveries to an endpoint of head office
///
/// Newest first, each with its attempts; kept for 30 days.
#[api_v2_operation(operation_id = "list_deliveries", tags(admin))]
pub(crate) async fn list_deliveries(
    api: Data<Api>,
    path: Path<EndpointAt>,
    query: QueryParameters<ReplyListQuery>,
) -> Result<Answered<DeliveriesReply>, Problem> {
    deliveries(&api, Ok(Owner::HeadOffice), &path, query).await
}

/// Post an event to an endpoint of head office again
///
/// As a dealer's.
#[api_v2_operation(operation_id = "retry_delivery", tags(admin))]
pub(crate) async fn retry_delivery(
    caller: Caller,
    api: Data<Api>,
    path: Path<DeliveryAt>,
) -> Result<Answered<DeliveryReply>, Problem> {
    let owner = Ok(Owner::HeadOffice);
    retry(&api, owner, path.into_inner(), &caller.author()).await
}

fn of(dealer: &DealerAt) -> Result<Owner, Problem> {
    Ok(Owner::Dealer(dealer.id()?.clone()))
}

async fn list(
    api: &Api,
    owner: Result<Owner, Problem>,
    query: QueryParameters<ReplyListQuery>,
) -> Result<Answered<EndpointsReply>, Problem> {
    let (page, owner) = (Page::read(query)?, owner?);
    let listing = api.endpoints.list(&owner);
    let all = in_time(listing, EndpointError::Store).await?;
    Ok(Answered::ok(&written_endpoints(&page, all)))
}

async fn create(
    api: &Api,
    owner: Result<Owner, Problem>,
    body: JsonBody<NewEndpointBody>,
    author: &Author,
) -> Result<Answered<MadeEndpointReply>, Problem> {
    let fields = body.fields()?;
    let input = input(&fields);
    // Whether there is such a dealer is told when the body is right.
    if let Err(faults) = input.validate_new(api.endpoints.policy()) {
        return Err(refused(EndpointError::Invalid(faults), fields));
    }
    let owner = owner?;
    let creating = api.endpoints.create(&owner, &input, author);
    let made = in_time(creating, EndpointError::Store)
        .await
        .map_err(|error| refused(error, fields))?;
    tracing::info!(endpoint.id = %made.record.id, "endpoint made");
    let said = "Endpoint created; its secret is shown this once";
    let reply = MadeEndpointReply::new(said, endpoint_data(made));
    Ok(Answered::with(HttpResponse::Created().json(reply)))
}

async fn change(
    api: &Api,
    owner: Result<Owner, Problem>,
    path: &EndpointAt,
    body: JsonBody<EndpointChangeBody>,
    author: &Author,
) -> Result<Answered<EndpointReply>, Problem> {
    let fields = body.fields()?;
    let input = input(&fields);
    if let Err(faults) = input.validate_change(api.endpoints.policy()) {
        return Err(refused(EndpointError::Invalid(faults), fields));
    }
    let (owner, id) = (owner?, path.id()?);
    let changing = api.endpoints.change(&owner, id, &input, author);
    let changed = in_time(changing, EndpointError::Store)
        .await
        .map_err(|error| refused(error, fields))?;
    tracing::info!(endpoint.id = %id, "endpoint changed");
    let reply = EndpointReply::new("Endpoint changed", endpoint_item(changed));
    Ok(Answered::ok(&reply))
}

async fn remove(
    api: &Api,
    owner: Result<Owner, Problem>,
    path: &EndpointAt,
    author: &Author,
) -> Result<HttpResponse, Problem> {
    let (owner, id) = (owner?, path.id()?);
    let removing = api.endpoints.remove(&owner, id, author);
    in_time(removing, EndpointError::Store).await?;
    tracing::info!(endpoint.id = %id, "endpoint removed");
    Ok(HttpResponse::NoContent().finish())
}

async fn test(
    api: &Api,
    owner: Result<Owner, Problem>,
    path: &EndpointAt,
    author: &Author,
) -> Result<Answered<DeliveryReply>, Problem> {
    let (owner, id) = (owner?, path.id()?);
    let queueing = api.endpoints.test(&owner, id, author);
    let queued = in_time(queueing, EndpointError::Store).await?;
    let reply = DeliveryReply::new("Test queued", delivery_item(queued));
    Ok(Answered::with(HttpResponse::Accepted().json(reply)))
}

async fn deliveries(
    api: &Api,
    owner: Result<Owner, Problem>,
    path: &EndpointAt,
    query: QueryParameters<ReplyListQuery>,
) -> Result<Answered<DeliveriesReply>, Problem> {
    let page = Page::read(query)?;
    let (owner, id) = (owner?, path.id()?);
    let listing = api
        .endpoints
        .deliveries(&owner, id, page.after, page.limit());
    let found = in_time(listing, EndpointError::Store).await?;
    Ok(Answered::ok(&written_deliveries(&page, found)))
}

async fn retry(
    api: &Api,
    owner: Result<Owner, Problem>,
    at: DeliveryAt,
    author: &Author,
) -> Result<Answered<DeliveryReply>, Problem> {
    let owner = owner?;
    let (id, delivery) = at.ids()?;
    let queueing = api.endpoints.retry(&owner, id, delivery, author);
    let queued = in_time(queueing, EndpointError::Store).await?;
    let reply = DeliveryReply::new("Delivery queued", delivery_item(queued));
    Ok(Answered::with(HttpResponse::Accepted().json(reply)))
}
