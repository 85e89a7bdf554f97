//! What the service is, and whether it works.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Text;

/// The name of the service at the wire.
pub const SERVICE: &str = "customer-service";

/// What this is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RootReply {
    /// Always `customer-service`.
    #[schemars(extend("enum" = [SERVICE]))]
    pub service: Text,
    /// The version of the program.
    #[schemars(example = &"0.1.0")]
    pub version: Text,
    /// Always `running`.
    #[schemars(extend("enum" = ["running"]))]
    pub status: Text,
    /// Where the documentation is.
    #[schemars(example = &"/docs")]
    pub docs: Text,
}

/// The health of the service.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct HealthReply {
    /// Always `healthy`.
    #[schemars(extend("enum" = ["healthy"]))]
    pub status: Text,
    /// Always `customer-service`.
    #[schemars(extend("enum" = [SERVICE]))]
    pub service: Text,
    /// The version of the program.
    #[schemars(example = &"0.1.0")]
    pub version: Text,
}

/// The health of the service and of what it stands on.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DetailedHealthReply {
    /// `healthy` or `unhealthy`.
    #[schemars(extend("enum" = ["healthy", "unhealthy"]))]
    pub status: Text,
    /// Always `customer-service`.
    #[schemars(extend("enum" = [SERVICE]))]
    pub service: Text,
    /// The version of the program.
    #[schemars(example = &"0.1.0")]
    pub version: Text,
    /// What was found for each part: `healthy`, `unhealthy`, or a plain word that says more.
    #[schemars(with = "std::collections::BTreeMap<String, String>", extend("example" = {
        "database": "healthy", "database_schema": "customer", "migrations": "healthy", "dispatcher": "healthy"
    }))]
    pub checks: Map<String, Value>,
    /// Only in the detailed health: the messages that are not finished, by state, as they were counted
    /// some seconds ago. Absent while the database does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "BacklogBody")]
    pub messages: Option<BacklogBody>,
}

/// The messages that are not finished.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub struct BacklogBody {
    /// Waiting for their turn, their time or their next try.
    pub queued: StateBody,
    /// A call is in flight, or its outcome is not decided yet.
    pub sending: StateBody,
    /// They may have been sent; a person must decide.
    pub unknown: StateBody,
}

/// The messages in one state.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct StateBody {
    /// How many.
    #[schemars(example = 3)]
    pub count: u64,
    /// For how many seconds the oldest of them has been due; null when none is.
    #[schemars(range(min = 0), example = 1.25)]
    pub oldest_past_due_seconds: Option<f64>,
}
