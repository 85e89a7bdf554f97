//! What the reports that Fonnte makes by itself mean.
//!
//! A status event names its message by `id`, by `stateid`, or by both, and says how it is in
//! `status`, in `state`, or in both.

use domain::{EventTopic, MessageNews, MessageState, News, ProviderEvent, without_numbers};
use secrecy::SecretString;
use serde::de::IgnoredAny;

use crate::fields::Fields;

/// Under which of these the shared secret comes; sources differ.
const SECRETS: [&str; 2] = ["secret", "secret_key"];

/// The longest id that is taken for one.
const LONGEST_ID: usize = 100;

/// Reads a report; `None` when it is not JSON.
pub(crate) fn read(topic: EventTopic, body: &[u8]) -> Option<ProviderEvent> {
    let text = std::str::from_utf8(body).ok()?;
    let Some(fields) = Fields::parse(text) else {
        // JSON, but no event that anybody knows.
        let text = text.trim_start_matches('\u{feff}').trim_ascii();
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        return Some(ProviderEvent {
            text: String::new(),
            secrets: Vec::new(),
            news: News::Nothing,
        });
    };
    Some(ProviderEvent {
        text: fields.without(&SECRETS),
        secrets: SECRETS
            .iter()
            .flat_map(|name| fields.all_texts_of(name))
            .map(SecretString::from)
            .collect(),
        news: match topic {
            EventTopic::Status => about_message(&fields),
            EventTopic::Device => about_device(&fields),
        },
    })
}

fn about_message(fields: &Fields<'_>) -> News {
    let provider_id = id(fields, "id");
    let state_id = id(fields, "stateid").map(|id| without_address(&id));
    if provider_id.is_none() && state_id.is_none() {
        return News::Nothing;
    }
    let words = ["status", "state"].map(|name| fields.text_of(name));
    let told = words
        .iter()
        .flatten()
        .filter_map(|word| Some((state(word)?, word)))
        .max_by_key(|(state, _)| state.rank());
    News::Message(MessageNews {
        provider_id,
        state_id,
        seen: told.map(|(state, _)| state),
        reason: told
            .filter(|(state, _)| *state == MessageState::Failed)
            .map(|(_, word)| format!("Fonnte reported: {}", word.to_ascii_lowercase())),
    })
}

fn about_device(fields: &Fields<'_>) -> News {
    match fields.text_of("status") {
        Some(word) if word.eq_ignore_ascii_case("connect") => News::Device { connected: true },
        Some(word) if word.eq_ignore_ascii_case("disconnect") => News::Device { connected: false },
        _ => News::Nothing,
    }
}

/// An id, unless it is one that cannot be stored.
fn id(fields: &Fields<'_>, name: &str) -> Option<String> {
    fields
        .first_of(name)
        .filter(|id| id.chars().count() <= LONGEST_ID && !id.chars().any(char::is_control))
}

/// WhatsApp's id of a message without the address of its recipient, which is a phone: what is left tells
/// messages apart as well.
fn without_address(id: &str) -> String {
    if id.contains('@') {
        without_numbers(id).into_owned()
    } else {
        id.to_owned()
    }
}

/// What a word is evidence of. Others, such as `pending`, `waiting` and `processing`, come before
/// sending and say nothing new.
fn state(word: &str) -> Option<MessageState> {
    match word.to_ascii_lowercase().as_str() {
        "sent" => Some(MessageState::Sent),
        "delivered" => Some(MessageState::Delivered),
        "read" => Some(MessageState::Read),
        "invalid" | "failed" | "expired" => Some(MessageState::Failed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    fn event(body: &str) -> ProviderEvent {
        read(EventTopic::Status, body.as_bytes()).unwrap()
    }

    fn news(body: &str) -> MessageNews {
        match event(body).news {
            News::Message(news) => news,
            other => panic!("{body} tells about a message: {other:?}"),
        }
    }

    #[test]
    fn the_three_shapes_are_read() {
        assert_eq!(
            news(
                r#"{"device":"628","id":142223099,"stateid":"3EB0","status":"sent","state":"sent"}"#
            ),
            MessageNews {
                provider_id: Some("142223099".into()),
                state_id: Some("3EB0".into()),
                seen: Some(MessageState::Sent),
                reason: None,
            }
        );
        assert_eq!(
            news(r#"{"device":"628","id":"142223099","status":"expired"}"#),
            MessageNews {
                provider_id: Some("142223099".into()),
                state_id: None,
                seen: Some(MessageState::Failed),
                reason: Some("Fonnte reported: expired".into()),
            }
        );
        assert_eq!(
            news(r#"{"device":"628","stateid":"3EB0","state":"read"}"#),
            MessageNews {
                provider_id: None,
                state_id: Some("3EB0".into()),
                seen: Some(MessageState::Read),
                reason: None,
            }
        );
    }

    #[test]
    fn every_documented_word_is_known() {
        for (word, seen) in [
            ("sent", Some(MessageState::Sent)),
            ("Delivered", Some(MessageState::Delivered)),
            ("READ", Some(MessageState::Read)),
            ("invalid", Some(MessageState::Failed)),
            ("failed", Some(MessageState::Failed)),
            ("expired", Some(MessageState::Failed)),
            ("pending", None),
            ("waiting", None),
            ("processing", None),
            ("something new", None),
            ("", None),
        ] {
            let body = format!(r#"{{"id":1,"status":"{word}"}}"#);
            assert_eq!(news(&body).seen, seen, "{word}");
        }
    }

    #[test]
    fn of_two_words_the_one_of_the_higher_rank_counts() {
        for (status, state, seen) in [
            ("sent", "read", MessageState::Read),
            ("delivered", "sent", MessageState::Delivered),
            ("failed", "sent", MessageState::Failed),
            ("failed", "delivered", MessageState::Delivered),
            ("pending", "sent", MessageState::Sent),
        ] {
            let body = format!(r#"{{"id":1,"status":"{status}","state":"{state}"}}"#);
            assert_eq!(news(&body).seen, Some(seen), "{body}");
        }
    }

    #[test]
    fn ids_are_text_or_number_of_any_size() {
        for (body, id) in [
            (r#"{"id":4294967296}"#, Some("4294967296")),
            (r#"{"ID":"9007199254740993"}"#, Some("9007199254740993")),
            (
                r#"{"id":123456789012345678901234567890}"#,
                Some("123456789012345678901234567890"),
            ),
            (r#"{"id":[7],"stateid":null}"#, Some("7")),
            (r#"{"stateid":12,"id":null}"#, None),
        ] {
            assert_eq!(news(body).provider_id.as_deref(), id, "{body}");
        }
        assert_eq!(news(r#"{"stateid":12}"#).state_id.as_deref(), Some("12"));
    }

    #[test]
    fn a_state_id_holds_no_phone() {
        for (given, kept) in [
            (
                "true_6282148523421@c.us_3EB0C431C2",
                "true_[nomor]@c.us_3EB0C431C2",
            ),
            ("3EB0821485234210", "3EB0821485234210"),
        ] {
            let body = format!(r#"{{"stateid":"{given}","state":"read"}}"#);
            assert_eq!(news(&body).state_id.as_deref(), Some(kept));
        }
    }

    #[test]
    fn unknown_shapes_say_nothing() {
        let long = format!(r#"{{"id":"{}"}}"#, "1".repeat(LONGEST_ID + 1));
        for body in [
            "{}",
            "[]",
            "null",
            "1",
            "\"sent\"",
            r#"{"status":"sent"}"#,
            r#"{"id":true}"#,
            r#"{"id":{}}"#,
            r#"{"id":[]}"#,
            r#"{"id":"","stateid":" "}"#,
            r#"{"id":"a\u0000b"}"#,
            r#"[{"id":1,"status":"sent"}]"#,
            &long,
        ] {
            assert_eq!(event(body).news, News::Nothing, "{body}");
        }
    }

    #[test]
    fn only_json_is_read() {
        for body in [
            &b""[..],
            b"id=1",
            b"{",
            b"{}x",
            b"\xff{}",
            b"{\"a\":\"\x00\"}",
        ] {
            assert!(read(EventTopic::Status, body).is_none(), "{body:?}");
        }
        let deep = [b"[".repeat(10_000), b"]".repeat(10_000)].concat();
        let deep = read(EventTopic::Status, &deep).expect("JSON, however deep");
        assert_eq!(deep.news, News::Nothing);
    }

    #[test]
    fn secrets_are_taken_out_of_the_text() {
        for name in ["secret", "secret_key", "Secret"] {
            let event = event(&format!(r#"{{"id":1,"{name}":"hush","status":"sent"}}"#));
            assert_eq!(event.secrets[0].expose_secret(), "hush");
            assert_eq!(event.text, r#"{"id":1,"status":"sent"}"#);
            assert!(!format!("{event:?}").contains("hush"));
        }
        assert!(event(r#"{"id":1}"#).secrets.is_empty());
    }

    #[test]
    fn a_device_is_connected_or_disconnected() {
        let news = |body: &str| read(EventTopic::Device, body.as_bytes()).unwrap().news;
        assert_eq!(
            news(r#"{"status":"connect"}"#),
            News::Device { connected: true }
        );
        assert_eq!(
            news(r#"{"status":"Disconnect","reason":"logout"}"#),
            News::Device { connected: false }
        );
        assert_eq!(news(r#"{"status":"sleeping"}"#), News::Nothing);
        assert_eq!(news(r#"{"id":1,"status":"sent"}"#), News::Nothing);
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_never_shows_a_secret(
            body in prop_oneof!["\\PC{0,80}", r#"\{"(id|stateid|secret|state|status)":("hush"|1|null|\[1\]),"secret":"hush"\}"#],
        ) {
            for topic in [EventTopic::Status, EventTopic::Device] {
                if let Some(event) = read(topic, body.as_bytes()) {
                    let printed = format!("{event:?}");
                    prop_assert!(!printed.contains("secret\":"));
                    prop_assert!(!event.text.contains("\"secret\":"));
                }
            }
        }
    }
}
