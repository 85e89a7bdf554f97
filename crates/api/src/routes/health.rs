use actix_web::HttpResponse;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::Data;
use api_types::{BacklogBody, DetailedHealthReply, HealthReply, SERVICE, StateBody};
use domain::ports::{Backlog, Check};
use domain::requests::MessageState;
use futures_util::future::join;
use paperclip::actix::api_v2_operation;

use crate::http::Answered;
use crate::problem::{Problem, RETRY_SECONDS};
use crate::state::Api;

/// Tell that the process answers
///
/// Always fast; touches nothing else.
#[api_v2_operation(operation_id = "get_health", tags(health))]
pub(crate) async fn get_health(api: Data<Api>) -> Result<Answered<HealthReply>, Problem> {
    Ok(Answered::ok(&alive(&api)))
}

/// Tell that the process lives
///
/// For the supervisor that would restart it; touches nothing else.
#[api_v2_operation(operation_id = "get_liveness", tags(health))]
pub(crate) async fn get_liveness(api: Data<Api>) -> Result<Answered<HealthReply>, Problem> {
    Ok(Answered::ok(&alive(&api)))
}

/// Tell whether the service can do its work
///
/// For the balancer in front of it: 503 while the database is away, migrations are missing or the
/// dispatcher stands still.
#[api_v2_operation(operation_id = "get_readiness", tags(health))]
pub(crate) async fn get_readiness(
    api: Data<Api>,
) -> Result<Answered<DetailedHealthReply>, Problem> {
    detailed(&api, api.health.checks().await, None)
}

/// Tell the health of every part
///
/// For people. Names no hosts, secrets or texts of drivers. What was found is at most a second old. Also
/// tells how many messages are not finished, as they were counted some seconds ago.
#[api_v2_operation(operation_id = "get_detailed_health", tags(health))]
pub(crate) async fn get_detailed_health(
    api: Data<Api>,
) -> Result<Answered<DetailedHealthReply>, Problem> {
    let (checks, backlog) = join(api.health.checks(), api.health.backlog()).await;
    detailed(&api, checks, backlog.as_deref().map(unfinished))
}

fn alive(api: &Api) -> HealthReply {
    HealthReply {
        status: "healthy".into(),
        service: SERVICE.into(),
        version: api.version.into(),
    }
}

fn detailed(
    api: &Api,
    checks: Vec<Check>,
    messages: Option<BacklogBody>,
) -> Result<Answered<DetailedHealthReply>, Problem> {
    let healthy = checks.iter().all(|check| check.passed);
    let (mut response, status) = if healthy {
        (HttpResponse::Ok(), "healthy")
    } else {
        (HttpResponse::ServiceUnavailable(), "unhealthy")
    };
    if !healthy {
        response.insert_header((RETRY_AFTER, RETRY_SECONDS));
    }
    Ok(Answered::with(
        response.json(DetailedHealthReply {
            status: status.into(),
            service: SERVICE.into(),
            version: api.version.into(),
            checks: checks
                .into_iter()
                .map(|check| (check.name.to_owned(), check.finding.into()))
                .collect(),
            messages,
        }),
    ))
}

fn unfinished(backlog: &[Backlog]) -> BacklogBody {
    let state = |state| {
        let found = backlog.iter().find(|found| found.state == state);
        found.map_or_else(StateBody::default, |found| StateBody {
            count: found.messages,
            oldest_past_due_seconds: found
                .oldest_past_due
                .map(|age| (age.as_secs_f64() * 1_000.0).round() / 1_000.0),
        })
    };
    BacklogBody {
        queued: state(MessageState::Queued),
        sending: state(MessageState::Sending),
        unknown: state(MessageState::Unknown),
    }
}
