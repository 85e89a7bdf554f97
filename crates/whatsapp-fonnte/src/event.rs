//! Parses provider events: Fonnte's webhook calls.
//!
//! A status event names its message by `id`, `stateid` or both, and its state by `status`, `state` or both.

use chrono::{DateTime, Utc};
use domain::events::{EventContent, EventTopic, MessageReport, ProviderEvent, provider_number};
use domain::persons::without_numbers;
use domain::ports::ProviderEvents;
use domain::replies::{IncomingReply, LONGEST_NOTE};
use domain::requests::MessageState;
use domain::values::Phone;
use secrecy::SecretString;
use serde::de::IgnoredAny;

use crate::fields::Fields;

/// The names of the shared secret; Fonnte's documents differ.
const SECRETS: [&str; 2] = ["secret", "secret_key"];

/// What Fonnte says in place of the text of media without a caption.
const MEDIA: &str = "non-text message";

/// Numbers from here on are no seconds (the year 5138), but milliseconds.
const MILLISECONDS: i64 = 100_000_000_000;

/// The longest accepted id (chosen).
const LONGEST_ID: usize = 100;

/// The parser of Fonnte's provider events.
#[derive(Debug, Clone, Copy)]
pub struct FonnteEvents;

impl ProviderEvents for FonnteEvents {
    fn read(&self, topic: EventTopic, body: &[u8]) -> Option<ProviderEvent> {
        read(topic, body)
    }
}

fn read(topic: EventTopic, body: &[u8]) -> Option<ProviderEvent> {
    let text = std::str::from_utf8(body).ok()?;
    let Some(fields) = Fields::parse(text) else {
        // JSON, but no known event.
        let text = text.trim_start_matches('\u{feff}').trim_ascii();
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        return Some(ProviderEvent {
            text: String::new(),
            secrets: Vec::new(),
            content: match topic {
                EventTopic::Message => EventContent::Foreign,
                EventTopic::Status | EventTopic::Device => EventContent::Nothing,
            },
        });
    };
    Some(ProviderEvent {
        text: fields.without(&SECRETS),
        secrets: SECRETS
            .iter()
            .flat_map(|name| fields.all_texts_of(name))
            .map(SecretString::from)
            .collect(),
        content: match topic {
            EventTopic::Status => about_message(&fields),
            EventTopic::Device => about_device(&fields),
            EventTopic::Message => about_reply(&fields),
        },
    })
}

fn about_message(fields: &Fields<'_>) -> EventContent {
    let provider_id = id(fields, "id");
    let state_id = id(fields, "stateid").map(|id| without_address(&id));
    if provider_id.is_none() && state_id.is_none() {
        return EventContent::Nothing;
    }
    let words = ["status", "state"].map(|name| fields.text_of(name));
    let told = words
        .iter()
        .flatten()
        .filter_map(|word| Some((state(word)?, word)))
        .max_by_key(|(state, _)| state.rank());
    EventContent::Message(MessageReport {
        provider_id,
        state_id,
        seen: told.map(|(state, _)| state),
        reason: told
            .filter(|(state, _)| *state == MessageState::Failed)
            .map(|(_, word)| format!("Fonnte reported: {}", word.to_ascii_lowercase())),
    })
}

fn about_device(fields: &Fields<'_>) -> EventContent {
    match fields.text_of("status") {
        Some(word) if word.eq_ignore_ascii_case("connect") => {
            EventContent::Device { connected: true }
        }
        Some(word) if word.eq_ignore_ascii_case("disconnect") => {
            EventContent::Device { connected: false }
        }
        _ => EventContent::Nothing,
    }
}

/// A private message of a person: its sender is a phone, and no member of a group. WhatsApp's own ids of
/// people (`@lid`), groups, channels and foreign numbers are none.
fn about_reply(fields: &Fields<'_>) -> EventContent {
    let sender = fields.text_of("sender");
    let phone = sender.and_then(|sender| Phone::parse(&sender).ok());
    let Some(phone) = phone.filter(|_| fields.text_of("member").is_none()) else {
        return EventContent::Foreign;
    };
    let said = |name| fields.text_of(name).filter(|text| !is_blank(text));
    let text = said("message").or_else(|| said("text"));
    EventContent::Reply(IncomingReply {
        phone,
        name: said("name").map(|name| name.chars().take(LONGEST_NOTE).collect()),
        text: text.filter(|text| text != MEDIA),
        inbox_id: id(fields, "inboxid").filter(|id| id != "0"),
        written_at: fields.first_of("timestamp").and_then(|at| moment(&at)),
    })
}

fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// A time as the provider writes it: seconds or milliseconds since 1970.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let number = provider_number(text)?;
    if number < MILLISECONDS {
        DateTime::from_timestamp(number, 0)
    } else {
        DateTime::from_timestamp_millis(number)
    }
}

/// An id, unless it cannot be stored.
fn id(fields: &Fields<'_>, name: &str) -> Option<String> {
    fields
        .first_of(name)
        .filter(|id| id.chars().count() <= LONGEST_ID && !id.chars().any(char::is_control))
}

/// WhatsApp's id of a message without the recipient's address, which holds a phone. The rest identifies the
/// message as well.
fn without_address(id: &str) -> String {
    if id.contains('@') {
        without_numbers(id).into_owned()
    } else {
        id.to_owned()
    }
}

/// The state that a word proves. `None` for others, such as `pending`, `waiting` and `processing`, which come
/// before sending.
fn state(word: &str) -> Option<MessageState> {
    match word.to_ascii_lowercase().as_str() {
        "sent" => Some(MessageState::Sent),
        "delivered" => Some(MessageState::Delivered),
        "read" => Some(MessageState::Read),
        "invalid" | "failed" | "expired" => Some(MessageState::Failed),
        _ => None,
    }
}
