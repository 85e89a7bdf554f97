//! The adapter against a provider whose every byte is the test's.

mod provider;
mod send;

use chrono::NaiveDate;
use domain::{AccountProfile, DeviceReport, Whatsapp};
use provider::{KEY, Provider, account, client, hasty_client, http};

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
            DeviceReport::NotReady { reason, profile } => {
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
    let unreachable = |reason: &str| DeviceReport::Unreachable {
        reason: reason.to_owned(),
    };

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
