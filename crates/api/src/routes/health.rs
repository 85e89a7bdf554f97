use actix_web::HttpResponse;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::Data;
use domain::{Backlog, Check, MessageState};
use futures_util::future::join;
use paperclip::actix::{Apiv2Schema, api_v2_operation};
use paperclip::v2::models::{DataType, DefaultSchemaRaw, Either};
use serde::{Serialize, Serializer};

use crate::http::Answered;
use crate::problem::{Problem, RETRY_SECONDS};
use crate::state::{Api, SERVICE};

/// The health of the service.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct HealthReply {
    /// `healthy` or `unhealthy`.
    status: &'static str,
    service: &'static str,
    version: &'static str,
}

/// The health of the service and of what it stands on.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct DetailedHealthReply {
    /// `healthy` or `unhealthy`.
    status: &'static str,
    service: &'static str,
    version: &'static str,
    /// What was found for each part: `healthy`, `unhealthy`, or a plain word that says more.
    checks: Findings,
    /// Only in the detailed health: the messages that are not finished, by state, as they were counted
    /// some seconds ago. Absent while the database does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<BacklogBody>,
}

/// The messages that are not finished.
#[derive(Debug, Serialize, Apiv2Schema)]
pub(crate) struct BacklogBody {
    /// Waiting for their turn, their time or their next try.
    #[serde(rename = "QUEUED")]
    queued: StateBody,
    /// A call is in flight, or its outcome is not decided yet.
    #[serde(rename = "SENDING")]
    sending: StateBody,
    /// They may have been sent; a person must decide.
    #[serde(rename = "UNKNOWN")]
    unknown: StateBody,
}

/// The messages in one state.
#[derive(Debug, Default, Serialize, Apiv2Schema)]
pub(crate) struct StateBody {
    /// How many.
    count: u64,
    /// For how many seconds the oldest of them has been due; null when none is.
    oldest_past_due_seconds: Option<f64>,
}

impl BacklogBody {
    fn of(backlog: &[Backlog]) -> Self {
        let state = |state| {
            let found = backlog.iter().find(|found| found.state == state);
            found.map_or_else(StateBody::default, |found| StateBody {
                count: found.messages,
                oldest_past_due_seconds: found
                    .oldest_past_due
                    .map(|age| (age.as_secs_f64() * 1_000.0).round() / 1_000.0),
            })
        };
        Self {
            queued: state(MessageState::Queued),
            sending: state(MessageState::Sending),
            unknown: state(MessageState::Unknown),
        }
    }
}

/// What was found, by name, in the order of the checks.
#[derive(Debug)]
pub(crate) struct Findings(Vec<Check>);

impl Serialize for Findings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|check| (check.name, &check.finding)))
    }
}

impl paperclip::v2::schema::Apiv2Schema for Findings {
    fn raw_schema() -> DefaultSchemaRaw {
        DefaultSchemaRaw {
            data_type: Some(DataType::Object),
            extra_props: Some(Either::Right(Box::new(String::raw_schema()))),
            ..Default::default()
        }
    }
}

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
    detailed(&api, checks, backlog.as_deref().map(BacklogBody::of))
}

fn alive(api: &Api) -> HealthReply {
    HealthReply {
        status: "healthy",
        service: SERVICE,
        version: api.version,
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
    Ok(Answered::with(response.json(DetailedHealthReply {
        status,
        service: SERVICE,
        version: api.version,
        checks: Findings(checks),
        messages,
    })))
}
