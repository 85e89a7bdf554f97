use std::convert::identity;

use actix_web::web::Data;
use api_types::{Item, RequestReply};
use domain::requests::RequestId;
use paperclip::actix::api_v2_operation;
use paperclip::actix::web::Path;
use uuid::Uuid;

use crate::access::Caller;
use crate::http::Answered;
use crate::problem::Problem;
use crate::state::Api;
use callers::in_time;

/// Look a request up
///
/// Shows the request with the state of its newest message. Rows of an older service are shown as
/// they are stored; a status that they lack is that of a message that waits.
#[api_v2_operation(operation_id = "get_request", tags(customer))]
pub(crate) async fn get_request(
    caller: Caller,
    api: Data<Api>,
    request_id: Path<String>,
) -> Result<Answered<RequestReply>, Problem> {
    let id = Uuid::try_parse(&request_id).map_err(|_| Problem::UnknownRequest)?;
    let finding = api.lookups.request(RequestId(id), caller.visibility());
    let request = in_time(finding, identity)
        .await?
        .ok_or(Problem::UnknownRequest)?;
    let reply = RequestReply::new("Request found", Item::from(request));
    Ok(Answered::ok(&reply))
}
