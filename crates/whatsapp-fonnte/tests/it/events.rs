//! What provider events mean.

use domain::events::{EventContent, EventTopic, MessageReport, ProviderEvent};
use domain::ports::ProviderEvents as _;
use domain::replies::IncomingReply;
use domain::requests::MessageState;
use secrecy::ExposeSecret as _;
use whatsapp_fonnte::FonnteEvents;

fn read(topic: EventTopic, body: &[u8]) -> Option<ProviderEvent> {
    FonnteEvents.read(topic, body)
}

fn event(body: &str) -> ProviderEvent {
    read(EventTopic::Status, body.as_bytes()).unwrap()
}

fn content(body: &str) -> MessageReport {
    match event(body).content {
        EventContent::Message(news) => news,
        other => panic!("{body} tells about a message: {other:?}"),
    }
}

#[test]
fn the_three_shapes_are_read() {
    assert_eq!(
        content(
            r#"{"device":"628","id":142223099,"stateid":"3EB0","status":"sent","state":"sent"}"#
        ),
        MessageReport {
            provider_id: Some("142223099".into()),
            state_id: Some("3EB0".into()),
            seen: Some(MessageState::Sent),
            reason: None,
        }
    );
    assert_eq!(
        content(r#"{"device":"628","id":"142223099","status":"expired"}"#),
        MessageReport {
            provider_id: Some("142223099".into()),
            state_id: None,
            seen: Some(MessageState::Failed),
            reason: Some("Fonnte reported: expired".into()),
        }
    );
    assert_eq!(
        content(r#"{"device":"628","stateid":"3EB0","state":"read"}"#),
        MessageReport {
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
        assert_eq!(content(&body).seen, seen, "{word}");
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
        assert_eq!(content(&body).seen, Some(seen), "{body}");
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
        assert_eq!(content(body).provider_id.as_deref(), id, "{body}");
    }
    assert_eq!(content(r#"{"stateid":12}"#).state_id.as_deref(), Some("12"));
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
        assert_eq!(content(&body).state_id.as_deref(), Some(kept));
    }
}

#[test]
fn unknown_shapes_say_nothing() {
    let long = format!(r#"{{"id":"{}"}}"#, "1".repeat(101));
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
        assert_eq!(event(body).content, EventContent::Nothing, "{body}");
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
    assert_eq!(deep.content, EventContent::Nothing);
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
    let content = |body: &str| read(EventTopic::Device, body.as_bytes()).unwrap().content;
    assert_eq!(
        content(r#"{"status":"connect"}"#),
        EventContent::Device { connected: true }
    );
    assert_eq!(
        content(r#"{"status":"Disconnect","reason":"logout"}"#),
        EventContent::Device { connected: false }
    );
    assert_eq!(content(r#"{"status":"sleeping"}"#), EventContent::Nothing);
    assert_eq!(
        content(r#"{"id":1,"status":"sent"}"#),
        EventContent::Nothing
    );
}

fn incoming(body: &str) -> EventContent {
    let read = read(EventTopic::Message, body.as_bytes());
    read.expect("it is JSON").content
}

fn reply(body: &str) -> IncomingReply {
    match incoming(body) {
        EventContent::Reply(reply) => reply,
        other => panic!("{body} is a reply: {other:?}"),
    }
}

#[test]
fn a_private_message_of_a_person_is_a_reply() {
    let whole = reply(
        r#"{"device":"628120000001","sender":"6282148523421","message":" Terima kasih ","text":"x","member":"",
        "name":"Adit","location":"","pollname":"","choices":"","timestamp":1732266062,"inboxid":4711}"#,
    );
    assert_eq!(whole.phone.national(), "082148523421");
    assert_eq!(whole.text.as_deref(), Some("Terima kasih"));
    assert_eq!(whole.name.as_deref(), Some("Adit"));
    assert_eq!(whole.inbox_id.as_deref(), Some("4711"));
    assert_eq!(
        whole.written_at.map(|at| at.timestamp()),
        Some(1_732_266_062)
    );
    // The text of a button, where there is no other.
    for message in ["", " ", "\\n"] {
        let body = format!(r#"{{"sender":"082148523421","message":"{message}","text":"STOP"}}"#);
        assert_eq!(reply(&body).text.as_deref(), Some("STOP"));
    }
    // Media without a caption.
    let media = r#"{"sender":"+62 821-4852-3421","message":"non-text message","url":"https://x"}"#;
    assert_eq!(reply(media).text, None);
    assert_eq!(reply(r#"{"sender":82148523421,"message":null}"#).text, None);
}

#[test]
fn an_id_that_says_nothing_is_none_and_times_have_two_units() {
    for id in ["null", "0", "\"0\"", "\"\"", "\" \"", "\"000\""] {
        let body = format!(r#"{{"sender":"082148523421","message":"a","inboxid":{id}}}"#);
        let expected = (id == "\"000\"").then_some("000");
        assert_eq!(reply(&body).inbox_id.as_deref(), expected, "{id}");
    }
    for at in [
        "1732266062",
        "\"1732266062\"",
        "1732266062000",
        "1.732266062e9",
    ] {
        let body = format!(r#"{{"sender":"082148523421","message":"a","timestamp":{at}}}"#);
        let told = reply(&body).written_at.map(|at| at.timestamp());
        assert_eq!(told, Some(1_732_266_062), "{at}");
    }
    for at in ["null", "\"now\"", "-1", "\"\"", "99999999999999999"] {
        let body = format!(r#"{{"sender":"082148523421","message":"a","timestamp":{at}}}"#);
        assert_eq!(reply(&body).written_at, None, "{at}");
    }
}

#[test]
fn groups_channels_and_other_ids_are_foreign() {
    for body in [
        r#"{"sender":"120363041234567890@g.us","member":"6282148523421","message":"STOP"}"#,
        r#"{"sender":"6282148523421","member":"6281200000002","message":"STOP"}"#,
        r#"{"sender":"123456789012345@lid","message":"STOP"}"#,
        r#"{"sender":"6282148523421@lid","message":"STOP"}"#,
        r#"{"sender":"120363041234567890@newsletter","message":"a"}"#,
        r#"{"sender":"status@broadcast","message":"a"}"#,
        r#"{"sender":"14155550100","message":"a"}"#,
        r#"{"sender":"","message":"a"}"#,
        r#"{"message":"a"}"#,
        "{}",
        "[]",
        "7",
    ] {
        assert_eq!(incoming(body), EventContent::Foreign, "{body}");
    }
    assert!(read(EventTopic::Message, b"sender=0812").is_none());
}
