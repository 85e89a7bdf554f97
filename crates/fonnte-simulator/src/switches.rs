//! The switches, per device and global.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::SimulatorError;
use crate::fault::{self, FaultSwitch};
use crate::message::Stage;
use crate::receiver::is_loopback_address;

/// The switches of one device. By default Fonnte as recorded, an online device, and messages that stay where
/// they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// The device has lost its connection to WhatsApp.
    pub offline: bool,
    /// The token is refused as a wrong one.
    pub bad_token: bool,
    /// The quota is refused as used up, whatever is left.
    pub no_quota: bool,
    /// The quota left; each target uses one.
    pub quota: i64,
    /// Whether answers of `/send` have the `quota` object.
    pub quota_object: bool,
    /// The form of message ids, in answers and in webhooks.
    pub id_form: IdForm,
    /// The text for a bad target.
    pub bad_target_form: TextForm,
    /// Accepts with `success! message pending due to server issue, will be sent later`.
    pub server_issue: bool,
    /// Removes `{name}` and `{var1}` when the target has no variables: the worse reading of an unclear
    /// document. Off leaves them.
    pub replace_always: bool,
    /// The ids of incoming messages that `inboxid` may name.
    pub inbox_ids: BTreeSet<i64>,
    /// A `/validate` that starts during another one spoils the other one's answer.
    pub validate_spoils: bool,
    /// The duration of a `/validate`.
    pub validate_ms: u64,
    /// The faults of its calls.
    pub faults: Vec<FaultSwitch>,
    /// A firewall in front of `/send` refuses messages with this text.
    pub forbidden_text: Option<String>,
    /// The HTTP status of that refusal, 200 to 599.
    pub forbidden_status: u16,
    /// The automatic stages of a message.
    pub life_cycle: LifeCycle,
    /// The receivers of events.
    pub webhooks: Webhooks,
}

/// The form of message ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdForm {
    /// Numbers, as recorded since November 2025.
    #[default]
    Number,
    /// Text, as documented.
    Text,
}

/// The source of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextForm {
    /// As recorded from the live service.
    #[default]
    Recorded,
    /// As documented.
    Documented,
}

/// The automatic stages of a message, and their times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LifeCycle {
    /// The last stage; `None` leaves every message where it is.
    pub until: Option<Stage>,
    /// From acceptance to `processing`.
    pub processing_ms: u64,
    /// From `processing` to `sent`, `invalid`, `failed` or `url unreachable`.
    pub sent_ms: u64,
    /// From `sent` to `delivered`.
    pub delivered_ms: u64,
    /// From `delivered` to `read`.
    pub read_ms: u64,
    /// How long a message waits for its device; nominally a day.
    pub expire_after_ms: u64,
}

/// The receivers of events, and the form of reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// `webhookstatus`: http on loopback.
    pub status_url: Option<String>,
    /// `webhookconnect`: http on loopback.
    pub connect_url: Option<String>,
    /// `webhook`, for incoming messages: http on loopback.
    pub incoming_url: Option<String>,
    /// How senders of incoming messages appear.
    pub sender_form: SenderForm,
    /// Adds `inboxid` to incoming messages.
    pub inboxid: bool,
    /// How long an incoming message is held back before it is reported.
    pub incoming_delay_ms: u64,
    /// The secret in the body.
    pub secret: Option<String>,
    /// The secret's key.
    pub secret_key: SecretKey,
    /// Reports `processing` too.
    pub report_processing: bool,
    /// The shape of `sent`; A links `id` and `stateid`.
    pub shape_of_sent: Shape,
    /// The shape of `delivered` and `read`.
    pub shape_of_receipts: Shape,
    /// The shape of all other events.
    pub shape_of_others: Shape,
    /// Adds `timestamp` to status events.
    pub timestamp: bool,
    /// How many copies follow each event.
    pub duplicates: u32,
    /// Holds a message's events back and reports the last one first.
    pub reversed: bool,
    /// Reports up to `sent` before `/send` has answered.
    pub early: bool,
    /// How often an event is tried until its receiver answers 200.
    pub attempts: u32,
    /// The time between tries.
    pub retry_interval_ms: u64,
    /// How long the receiver may take.
    pub timeout_ms: u64,
}

/// The key under which the webhook's secret travels; sources differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretKey {
    /// `secret`
    #[default]
    Secret,
    /// `secret_key`
    SecretKey,
}

/// How the sender of an incoming message appears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderForm {
    /// As a number.
    #[default]
    Number,
    /// As WhatsApp's id of a person, `…@lid`, which tells no number.
    Lid,
}

/// The ids in a status event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// `id` and `stateid`, with `status` and `state`.
    A,
    /// `id`, with `status`.
    B,
    /// `stateid`, with `state`.
    C,
}

/// The switches of no device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GlobalSwitches {
    /// The text for a bad token, of known and unknown devices.
    pub bad_token_form: TextForm,
    /// An unknown token registers a device instead of being refused.
    pub any_token: bool,
    /// The numbers that are not on WhatsApp: accepted by `/send`, later `invalid`.
    pub unregistered: BTreeSet<String>,
    /// The faults of all calls, after the device's own.
    pub faults: Vec<FaultSwitch>,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            offline: false,
            bad_token: false,
            no_quota: false,
            quota: 1_000_000,
            quota_object: true,
            id_form: IdForm::default(),
            bad_target_form: TextForm::default(),
            server_issue: false,
            replace_always: true,
            inbox_ids: BTreeSet::new(),
            validate_spoils: false,
            validate_ms: 0,
            faults: Vec::new(),
            forbidden_text: None,
            forbidden_status: 403,
            life_cycle: LifeCycle::default(),
            webhooks: Webhooks::default(),
        }
    }
}

impl Default for LifeCycle {
    fn default() -> Self {
        Self {
            until: None,
            processing_ms: 0,
            sent_ms: 0,
            delivered_ms: 0,
            read_ms: 0,
            expire_after_ms: 24 * 60 * 60 * 1000,
        }
    }
}

impl LifeCycle {
    /// Every message reaches this stage at once.
    pub fn until(stage: Stage) -> Self {
        Self {
            until: Some(stage),
            ..Self::default()
        }
    }

    /// The same with this time between any two stages.
    pub fn every(self, step_ms: u64) -> Self {
        Self {
            processing_ms: step_ms,
            sent_ms: step_ms,
            delivered_ms: step_ms,
            read_ms: step_ms,
            ..self
        }
    }
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            status_url: None,
            connect_url: None,
            incoming_url: None,
            sender_form: SenderForm::default(),
            inboxid: true,
            incoming_delay_ms: 0,
            secret: None,
            secret_key: SecretKey::default(),
            report_processing: true,
            shape_of_sent: Shape::A,
            shape_of_receipts: Shape::C,
            shape_of_others: Shape::B,
            timestamp: false,
            duplicates: 0,
            reversed: false,
            early: false,
            attempts: 15,
            retry_interval_ms: 60_000,
            timeout_ms: 10_000,
        }
    }
}

impl Switches {
    pub(crate) fn check(&self) -> Result<(), SimulatorError> {
        fault::check(&self.faults)?;
        fault::check_status(self.forbidden_status, "forbidden_status")?;
        let webhooks = &self.webhooks;
        for address in [
            &webhooks.status_url,
            &webhooks.connect_url,
            &webhooks.incoming_url,
        ] {
            if let Some(address) = address
                && !is_loopback_address(address)
            {
                return Err(SimulatorError::NotLoopback {
                    address: address.clone(),
                });
            }
        }
        Ok(())
    }
}

impl GlobalSwitches {
    pub(crate) fn check(&self) -> Result<(), SimulatorError> {
        fault::check(&self.faults)
    }
}
