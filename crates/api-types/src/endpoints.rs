//! Event webhooks: endpoints and what became of their deliveries.

use domain::endpoints::{EventType, LONGEST_URL, most_endpoints};
use domain::replies::LONGEST_NOTE;
use domain::values::Owner;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::accounts::given;
use crate::patterns::NO_CONTROL;
use crate::{MAX_PAGE_SIZE, Patch, Text, discreet, reply};

/// The most events that can be named.
pub const MOST_EVENTS: usize = EventType::ALL.len();

/// The most endpoints of a list.
pub const MOST_ENDPOINTS: usize = most_endpoints(&Owner::HeadOffice);

/// One of the events that an endpoint can subscribe to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventName(pub Text);

impl JsonSchema for EventName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Text {
        "EventName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<_> = EventType::subscribable().map(EventType::as_str).collect();
        schemars::json_schema!({ "type": "string", "enum": names })
    }
}

impl From<EventType> for EventName {
    fn from(event: EventType) -> Self {
        Self(event.as_str().into())
    }
}

/// An endpoint that is wanted.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct NewEndpointBody {
    /// Where events are posted: https, without user name and fragment; a literal address must be public. Http is
    /// for loopback alone, from a service that itself listens on loopback.
    #[schemars(length(min = 1, max = LONGEST_URL), extend("format" = "uri"), example = &"https://workshop.example/fonnte-events")]
    pub url: String,
    /// The events that it is told.
    #[schemars(length(min = 1, max = MOST_EVENTS), extend("example" = ["message.sent", "message.failed"]))]
    pub events: Vec<EventName>,
    /// What it is for, for those who read the list; absent, null or empty: nothing.
    #[schemars(length(max = LONGEST_NOTE), regex(pattern = NO_CONTROL), example = &"workshop system")]
    pub note: Option<String>,
}

discreet!(NewEndpointBody, events);

/// What is to be changed of an endpoint: what is absent stays.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EndpointChangeBody {
    /// Another address; the secret stays, and what waits goes there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = LONGEST_URL), extend("format" = "uri"), example = &"https://workshop.example/fonnte-events")]
    pub url: Option<String>,
    /// Other events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = MOST_EVENTS), extend("example" = ["message.sent", "message.failed"]))]
    pub events: Option<Vec<EventName>>,
    /// Another note; null removes it.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schemars(length(max = LONGEST_NOTE), regex(pattern = NO_CONTROL), example = &"workshop system")]
    pub note: Patch<String>,
    /// `true` goes on with an endpoint that was disabled, and with what waits for it; `false` disables it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = true)]
    pub enabled: Option<bool>,
}

discreet!(EndpointChangeBody, events, enabled);

reply! {
    /// A page of endpoints.
    EndpointsReply(EndpointsData, "The page."), example = &"Found 1 endpoint"
}

/// A page of endpoints, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EndpointsData {
    /// The endpoints of this page.
    #[schemars(length(max = MOST_ENDPOINTS))]
    pub items: Vec<EndpointItem>,
    /// Where the next page begins; null at the end.
    #[schemars(example = &"4d2")]
    pub next_cursor: Option<String>,
}

reply! {
    /// An endpoint that was changed.
    EndpointReply(EndpointItem, "The endpoint."), extend("enum" = ["Endpoint changed"])
}

/// An endpoint. Times are RFC 3339 in UTC.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("usually" = { "disabled_at": null }))]
pub struct EndpointItem {
    /// The id.
    #[schemars(extend("format" = "uuid"), example = &"5b0f6a0e-6f52-4c7e-8a52-0f3a7c1d9b21")]
    pub id: String,
    /// Where events are posted.
    #[schemars(example = &"https://workshop.example/fonnte-events")]
    pub url: String,
    /// The events that it is told.
    #[schemars(length(max = MOST_EVENTS), extend("example" = ["message.sent", "message.failed"]))]
    pub events: Vec<EventName>,
    /// What it is for.
    #[schemars(example = &"workshop system")]
    pub note: Option<String>,
    /// Whether it is told what happens.
    #[schemars(example = true)]
    pub enabled: bool,
    /// When it was made.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:20:12.101300Z")]
    pub created_at: String,
    /// Since when it is not: it answered 410, failed for 5 days, or was disabled by hand; null: it is enabled.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-27T09:20:12.101300Z")]
    pub disabled_at: Option<String>,
}

discreet!(EndpointItem, id, events, enabled);

reply! {
    /// An endpoint that was made; `secret` is shown this once.
    MadeEndpointReply(MadeEndpointData, "The endpoint, with its secret this once."), extend("enum" = ["Endpoint created; its secret is shown this once"])
}

/// An endpoint, with its secret this once.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("usually" = { "disabled_at": null }))]
pub struct MadeEndpointData {
    /// The endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointItem,
    /// What its events are signed with, as the Standard Webhooks specification says. It is kept sealed and cannot
    /// be shown again.
    #[schemars(
        regex(pattern = "^whsec_[A-Za-z0-9+/]{43}=$"),
        extend("example" = "whsec_…")
    )]
    pub secret: String,
}

discreet!(MadeEndpointData, endpoint);

reply! {
    /// A page of deliveries.
    DeliveriesReply(DeliveriesData, "The page."), example = &"Found 1 delivery"
}

/// A page of deliveries, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DeliveriesData {
    /// The deliveries of this page.
    #[schemars(length(max = MAX_PAGE_SIZE))]
    pub items: Vec<DeliveryItem>,
    /// Where the next page begins; null at the end.
    #[schemars(example = &"4d2")]
    pub next_cursor: Option<String>,
}

reply! {
    /// A delivery that is due.
    DeliveryReply(DeliveryItem, "The delivery."), extend("enum" = ["Test queued", "Delivery queued"])
}

/// The delivery of one event to one endpoint. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryItem {
    /// The id.
    #[schemars(extend("format" = "uuid"), example = &"0b9d4b0e-8d0f-4f0b-9f59-3a51a5d6c1f7")]
    pub id: String,
    /// The event's id: the header `webhook-id`, the same at every endpoint and attempt.
    #[schemars(example = &"evt_23f16411-6eb2-4829-a964-9ad1f0e0cc22")]
    pub webhook_id: String,
    /// What happened.
    #[schemars(example = &"message.sent")]
    pub event: String,
    /// When.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:31:02.101300Z")]
    pub created_at: String,
    /// `pending`: an attempt is due, now or later. `delivered`: the endpoint answered 2xx. `given_up`: the last
    /// attempt failed.
    #[schemars(extend("enum" = ["pending", "delivered", "given_up"]), example = &"delivered")]
    pub state: Text,
    /// The newest attempts, oldest first.
    pub attempts: Vec<DeliveryAttemptItem>,
}

/// One attempt of a delivery.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("usually" = { "error": null }))]
pub struct DeliveryAttemptItem {
    /// When it ended.
    #[schemars(extend("format" = "date-time"), example = &"2026-11-22T09:31:02.331700Z")]
    pub at: String,
    /// The HTTP status of the answer; null without one.
    #[schemars(range(min = 100, max = 999), example = 204)]
    pub status: Option<u16>,
    /// Why there was no answer: `address_not_allowed`, `name_not_resolved`, `connection_error`, `tls_error`,
    /// `timeout`, `bad_answer` or `secret_unreadable`; null with one.
    #[schemars(example = &"timeout")]
    pub error: Option<String>,
}
