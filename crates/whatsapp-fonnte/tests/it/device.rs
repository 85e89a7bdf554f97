//! What an answer to `device` means.

use chrono::NaiveDate;
use domain::delivery::BlockCause;
use domain::ports::{AccountProfile, DeviceReport, Whatsapp as _};

use crate::provider::{KEY, Provider, account, client, hasty_client, http};

/// What is reported of a device when the provider answers this.
async fn judged(status: u16, text: &str) -> DeviceReport {
    let provider = Provider::start().await;
    let account = provider.account("http");
    let client = client();
    let answer = http(&format!("{status} X"), "", text);
    tokio::join!(client.device(&account), provider.answer(answer)).0
}

fn not_ready(cause: BlockCause, reason: &str) -> DeviceReport {
    DeviceReport::NotReady {
        cause,
        reason: reason.to_owned(),
        profile: AccountProfile::default(),
    }
}

fn unreachable(reason: &str) -> DeviceReport {
    DeviceReport::Unreachable {
        reason: reason.to_owned(),
    }
}

#[tokio::test]
async fn the_device_is_asked_with_the_key_and_nothing_else() {
    let provider = Provider::start().await;
    let account = provider.account("http");
    let profile = r#"{"device":"628","device_status":"connect","expired":"18 November 2029","quota":"78","status":true}"#;
    let client = client();
    let (report, request) = tokio::join!(
        client.device(&account),
        provider.answer(http("200 OK", "", profile))
    );
    assert_eq!(
        report,
        DeviceReport::Connected {
            text: profile.to_owned(),
            profile: AccountProfile {
                quota_left: Some(78),
                expires_on: NaiveDate::from_ymd_opt(2029, 11, 18),
            },
        }
    );
    assert_eq!(
        request,
        format!(
            "POST /device HTTP/1.1\r\n\
             authorization: {KEY}\r\n\
             content-length: 0\r\n\
             accept: */*\r\n\
             user-agent: whatsapp-fonnte/{version}\r\n\
             host: {host}\r\n\r\n",
            version = env!("CARGO_PKG_VERSION"),
            host = provider.host(),
        )
    );
}

/// A device that is connected says nothing about the address that messages are posted to.
#[tokio::test]
async fn an_unusual_address_is_tried_out_without_a_recipient() {
    const CONNECTED: &str = r#"{"device_status":"connect","quota":"78","status":true}"#;
    let ok = |body: &str| http("200 OK", "", body);
    for (path, answer, fits) in [
        (
            "fonnte/kirim",
            ok(r#"{"reason":"target required","status":false}"#),
            true,
        ),
        (
            "v2/messages",
            ok(r#"{"Reason":"input invalid","Status":false}"#),
            true,
        ),
        ("sendd", http("404 Not Found", "", "<html>"), false),
        (
            "sendd",
            http("405 Method Not Allowed", "", r#"{"status":false}"#),
            false,
        ),
        ("sendd", http("301 Moved Permanently", "", ""), false),
        ("device", ok(CONNECTED), false),
        ("sendd", ok("<html>"), false),
    ] {
        let provider = Provider::start().await;
        let account = account(&format!("http://{}/{path}", provider.host()));
        let client = client();
        let (report, request) = tokio::join!(client.device(&account), async {
            provider.answer(ok(CONNECTED)).await;
            provider.answer(answer).await
        });
        assert!(
            request.starts_with(&format!("POST /{path} HTTP/1.1\r\n")),
            "{request}"
        );
        assert!(request.ends_with("\r\n\r\n"), "nothing is sent: {request}");
        match report {
            DeviceReport::Connected { .. } => assert!(fits, "{path}"),
            DeviceReport::NotReady {
                reason, profile, ..
            } => {
                assert!(
                    !fits && reason.contains("is the path /send meant?"),
                    "{path}: {reason}"
                );
                assert_eq!(profile.quota_left, Some(78));
            }
            other => panic!("{path}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_device_that_cannot_be_asked_is_unreachable() {
    let provider = Provider::start().await;
    let account = provider.account("http");
    let client = client();
    let (report, ()) = tokio::join!(client.device(&account), async {
        provider.accept().await.request().await;
    });
    let broke = "the connection to Fonnte broke before its answer was complete";
    assert_eq!(report, unreachable(broke));

    let hasty = hasty_client(100, 5_000);
    let (report, _) = tokio::join!(hasty.device(&account), async {
        let mut peer = provider.accept().await;
        peer.request().await;
        peer.rest().await
    });
    assert_eq!(report, unreachable("Fonnte did not answer in time"));

    drop(provider);
    let report = client.device(&account).await;
    assert_eq!(report, unreachable("Fonnte could not be reached"));
}

#[tokio::test]
async fn a_connected_device_shows_its_profile_without_the_key() {
    for (text, clean) in [
        (
            r#"{"device":"628","device_status":"connect","quota":"78","status":true}"#,
            r#"{"device":"628","device_status":"connect","quota":"78","status":true}"#,
        ),
        (
            r#"{"Device_Status":"CONNECT","token":"aB3+secret@#9xYz!Q4w","Status":"true"}"#,
            r#"{"Device_Status":"CONNECT","token":"***","Status":"true"}"#,
        ),
    ] {
        let report = judged(200, text).await;
        assert!(matches!(report, DeviceReport::Connected { text, .. } if text == clean));
    }
}

#[tokio::test]
async fn an_account_is_shown_whether_its_device_is_connected_or_not() {
    for state in ["connect", "disconnect"] {
        let text = format!(
            r#"{{"device_status":"{state}","expired":"31 July 2026","quota":"78","status":true}}"#
        );
        let profile = judged(200, &text).await.profile().unwrap();
        assert_eq!(profile.quota_left, Some(78));
        assert_eq!(profile.expires_on, NaiveDate::from_ymd_opt(2026, 7, 31));
    }
    assert_eq!(judged(502, "").await.profile(), None);
}

#[tokio::test]
async fn an_answer_that_is_not_a_connected_device_says_what_is_wrong() {
    for (status, text, reason, cause) in [
        (
            200,
            r#"{"reason":"invalid token","status":false}"#,
            "Fonnte answered: invalid token",
            BlockCause::Token,
        ),
        (
            200,
            r#"{"reason":"token invalid","Status":false}"#,
            "Fonnte answered: token invalid",
            BlockCause::Token,
        ),
        (
            200,
            r#"{"detail":"unknown user","status":false}"#,
            "Fonnte answered: unknown user",
            BlockCause::Token,
        ),
        (
            200,
            r#"{"reason":"bad aB3+secret@#9xYz!Q4w","status":false}"#,
            "Fonnte answered: bad ***",
            BlockCause::Other,
        ),
        (
            200,
            r#"{"status":false}"#,
            "Fonnte refused without a reason",
            BlockCause::Other,
        ),
        (
            200,
            r#"{"device_status":"disconnect","status":true}"#,
            "the WhatsApp device is disconnected",
            BlockCause::Device,
        ),
        (
            200,
            r#"{"reason":"request invalid on disconnected device","status":false}"#,
            "the WhatsApp device is disconnected",
            BlockCause::Device,
        ),
        (
            200,
            r#"{"device_status":"pairing","status":true}"#,
            "the WhatsApp device is: pairing",
            BlockCause::Device,
        ),
        (
            200,
            r#"{"status":true}"#,
            "Fonnte did not say whether the WhatsApp device is connected",
            BlockCause::Other,
        ),
        (
            500,
            r#"{"reason":"invalid token","status":false}"#,
            "Fonnte answered: invalid token",
            BlockCause::Token,
        ),
        (302, "", "Fonnte answered with HTTP 302", BlockCause::Other),
        (
            429,
            "<html>",
            "Fonnte answered with HTTP 429",
            BlockCause::Other,
        ),
        (
            401,
            r#"{"reason":"invalid token","status":false}"#,
            "Fonnte answered with HTTP 401: invalid token",
            BlockCause::Token,
        ),
    ] {
        assert_eq!(
            judged(status, text).await,
            not_ready(cause, reason),
            "{status} {text}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_as_good_as_none() {
    for (status, text, reason) in [
        (200, "", "Fonnte's answer could not be read"),
        (200, "<html>", "Fonnte's answer could not be read"),
        (
            200,
            r#"{"device_status":"connect"}"#,
            "Fonnte's answer could not be read",
        ),
        (502, "<html>", "Fonnte answered with HTTP 502"),
        (503, "", "Fonnte answered with HTTP 503"),
        (500, r#"{"error":"x"}"#, "Fonnte answered with HTTP 500"),
    ] {
        assert_eq!(
            judged(status, text).await,
            unreachable(reason),
            "{status} {text}"
        );
    }
}
