use std::time::{Duration, Instant};

use domain::delivery::{
    Outcome, OutcomeKind, OutcomeKind::Accepted, OutcomeKind::Blocked, OutcomeKind::NotSent,
    OutcomeKind::Refused, OutcomeKind::Unknown,
};
use domain::ports::{SendReport, Whatsapp};
use domain::values::Account;
use whatsapp_fonnte::FonnteClient;

use crate::provider::{
    KEY, Provider, YES, account, answered_with, client, hasty_client, http, message, send,
};

const TIMEOUT: &str = r#"{"error":"timeout"}"#;
const CONNECTION_ERROR: &str = r#"{"error":"connection_error"}"#;

fn kind(report: &SendReport) -> OutcomeKind {
    report.outcome.kind()
}

#[tokio::test]
async fn the_request_is_a_form_with_four_fields_and_the_key_alone() {
    let provider = Provider::start().await;
    let account = provider.account("http");
    let client = client();
    let (report, request) = tokio::join!(
        send(&client, &account),
        provider.answer(http("200 OK", "", YES))
    );
    let form = "target=6282148523421\
                &message=Halo+Adit+%26+Ani%2C%0A100%25+%2B+%C3%A9+%7Bx%7D\
                &countryCode=0&connectOnly=true";
    assert_eq!(
        request,
        format!(
            "POST /send HTTP/1.1\r\n\
             authorization: {KEY}\r\n\
             content-type: application/x-www-form-urlencoded\r\n\
             accept: */*\r\n\
             user-agent: whatsapp-fonnte/{version}\r\n\
             host: {host}\r\n\
             content-length: {length}\r\n\r\n\
             {form}",
            version = env!("CARGO_PKG_VERSION"),
            host = provider.host(),
            length = form.len(),
        )
    );
    let Outcome::Accepted(receipt) = report.outcome else {
        panic!("{report:?}");
    };
    assert_eq!(receipt.message_id.as_deref(), Some("142223099"));
    assert_eq!(receipt.request_id, Some(369_052_479));
    assert_eq!((report.answer.as_str(), report.text.as_str()), (YES, YES));
}

#[tokio::test]
async fn answers_of_every_framing_are_read() {
    let length = YES.len();
    for bytes in [
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{YES}"),
        format!("HTTP/1.0 200 OK\r\n\r\n{YES}"),
        format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{length:x}\r\n{YES}\r\n0\r\n\r\n"
        ),
        // Closed without the last chunk: the object is whole all the same.
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{length:x}\r\n{YES}\r\n"),
        format!("HTTP/1.1 100 Continue\r\n\r\n{}", http("200 OK", "", YES)),
    ] {
        let report = answered_with(&bytes).await;
        assert_eq!(kind(&report), Accepted, "{bytes}");
        assert_eq!(report.answer, YES);
    }
}

#[tokio::test]
async fn answers_of_the_servers_in_between_are_told_apart() {
    let html = "<html>oops</html>";
    let raw = r#"{"raw_response":"<html>oops</html>"}"#;
    for (status, expected) in [
        ("200 OK", Unknown),
        ("502 Bad Gateway", Unknown),
        ("504 Gateway Timeout", Unknown),
        ("503 Service Unavailable", NotSent),
        ("429 Too Many Requests", NotSent),
        ("404 Not Found", Blocked),
        ("401 Unauthorized", Blocked),
    ] {
        let report = answered_with(http(status, "", html)).await;
        assert_eq!(kind(&report), expected, "{status}");
        assert_eq!((report.answer.as_str(), report.text.as_str()), (raw, html));
    }
    let empty = answered_with(http("200 OK", "", "")).await;
    assert_eq!(kind(&empty), Unknown);
    assert_eq!(empty.answer, r#"{"raw_response":""}"#);
}

#[tokio::test]
async fn a_refusal_keeps_the_providers_words() {
    let no = r#"{"reason":"target input invalid","requestid":1,"status":false}"#;
    let report = answered_with(http("200 OK", "", no)).await;
    assert_eq!(kind(&report), Refused);
    assert_eq!(report.outcome.detail(), "target input invalid");
    assert_eq!(report.answer, no);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let provider = Provider::start().await;
    let account = provider.account("http");
    let location = format!("location: http://{}/other\r\n", provider.host());
    let client = client();
    let (report, _) = tokio::join!(
        send(&client, &account),
        provider.answer(http("302 Found", &location, ""))
    );
    assert_eq!(kind(&report), Blocked);
    assert_eq!(report.outcome.detail(), "HTTP 302");
    assert!(!provider.was_called().await);
}

#[tokio::test]
async fn the_provider_may_ask_for_patience() {
    for (headers, expected) in [
        ("Retry-After: 7\r\n", Some(7)),
        (
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:51:37 GMT\r\n",
            Some(120),
        ),
        ("Retry-After: Sun, 06 Nov 1994 08:51:37 GMT\r\n", Some(0)),
        ("Retry-After: later\r\n", None),
        ("", None),
    ] {
        let report = answered_with(http("429 Too Many Requests", headers, "")).await;
        let Outcome::NotSent { retry_after, .. } = report.outcome else {
            panic!("{report:?}");
        };
        assert_eq!(
            retry_after.map(|wait| wait.as_secs()),
            expected,
            "{headers}"
        );
    }
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_leaves_the_outcome_unknown() {
    let provider = Provider::start().await;
    let account = provider.account("http");
    let client = client();

    let (report, ()) = tokio::join!(send(&client, &account), async {
        provider.accept().await.peek().await;
    });
    assert_eq!(kind(&report), Unknown, "closed before it was read");
    assert_eq!(report.answer, CONNECTION_ERROR);
    assert_eq!(report.text, "");

    let (report, ()) = tokio::join!(send(&client, &account), async {
        provider.accept().await.request().await;
    });
    assert_eq!(kind(&report), Unknown, "closed after it was read");
    assert_eq!(report.answer, CONNECTION_ERROR);

    assert!(!provider.was_called().await, "nothing was repeated");
}

#[tokio::test]
async fn half_an_answer_leaves_the_outcome_unknown() {
    for (bytes, expected) in [
        ("HTTP/1.1 200 OK\r\ncontent-le", CONNECTION_ERROR),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n",
            CONNECTION_ERROR,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"status\":tr",
            r#"{"raw_response":"{\"status\":tr"}"#,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"status\":tr",
            r#"{"raw_response":"{\"status\":tr"}"#,
        ),
        ("220 smtp.example ready\r\n\r\n", CONNECTION_ERROR),
    ] {
        let report = answered_with(bytes).await;
        assert_eq!(kind(&report), Unknown, "{bytes}");
        assert_eq!(report.answer, expected, "{bytes}");
    }
}

#[tokio::test]
async fn the_head_of_a_broken_answer_still_counts() {
    let report =
        answered_with("HTTP/1.1 429 Slow\r\nretry-after: 3\r\ncontent-length: 9\r\n\r\n").await;
    assert!(matches!(
        report.outcome,
        Outcome::NotSent { retry_after: Some(wait), .. } if wait.as_secs() == 3
    ));
}

#[tokio::test]
async fn a_slow_provider_leaves_the_outcome_unknown() {
    for begun in ["", "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"sta"] {
        let provider = Provider::start().await;
        let account = provider.account("http");
        let client = hasty_client(150, 5_000);
        let (report, rest) = tokio::join!(send(&client, &account), async {
            let mut peer = provider.accept().await;
            peer.request().await;
            peer.write(begun).await;
            peer.rest().await
        });
        assert_eq!(kind(&report), Unknown, "{begun}");
        assert_eq!(report.outcome.detail(), "Fonnte did not answer in time");
        assert_eq!(report.answer, TIMEOUT);
        assert_eq!(rest, b"", "the request was not repeated");
    }
}

#[tokio::test]
async fn a_slow_provider_that_answers_in_time_is_waited_for() {
    let provider = Provider::start().await;
    let account = provider.account("http");
    let client = client();
    let (report, ()) = tokio::join!(send(&client, &account), async {
        let mut peer = provider.accept().await;
        peer.request().await;
        let is_waited_for = peer.is_waited_for(Duration::from_millis(50)).await;
        assert!(is_waited_for, "the caller has left, or asks again");
        peer.write(http("200 OK", "", YES)).await;
    });
    assert_eq!(kind(&report), Accepted);
}

#[tokio::test]
async fn an_answer_that_never_ends_is_cut() {
    let provider = Provider::start().await;
    let account = provider.account("http");
    let client = client();
    let (report, ()) = tokio::join!(send(&client, &account), async {
        let mut peer = provider.accept().await;
        peer.request().await;
        peer.write("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n{\"status\":true,\"x\":\"")
            .await;
        for _ in 0..70 {
            peer.write("é".repeat(512)).await;
        }
        peer.rest().await;
    });
    assert_eq!(kind(&report), Unknown);
    assert_eq!(
        report.outcome.detail(),
        "the answer is too long to be Fonnte's"
    );
    assert!(report.text.len() <= 64 * 1024 && report.text.len() > 64 * 1024 - 2);
    assert!(report.answer.len() < 5 * 1024);
}

#[tokio::test]
async fn connections_are_used_again_and_replaced_when_the_provider_closed_them() {
    let provider = Provider::start().await;
    let account = provider.account("http");
    let client = client();

    let mut peer = provider_answers_once(&provider, &client, &account).await;
    let (report, ()) = tokio::join!(send(&client, &account), async {
        peer.request().await;
        peer.write(http("200 OK", "", YES)).await;
    });
    assert_eq!(kind(&report), Accepted, "on the same connection");

    drop(peer);
    // The runtime looks for news of its sockets whenever everyone waits.
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    provider_answers_once(&provider, &client, &account).await;
    assert!(!provider.was_called().await);
}

async fn provider_answers_once(
    provider: &Provider,
    client: &FonnteClient,
    account: &Account,
) -> crate::provider::Peer {
    let (report, peer) = tokio::join!(send(client, account), async {
        let mut peer = provider.accept().await;
        peer.request().await;
        peer.write(http("200 OK", "", YES)).await;
        peer
    });
    assert_eq!(kind(&report), Accepted);
    peer
}

#[tokio::test]
async fn what_never_reached_the_provider_is_not_sent() {
    let provider = Provider::start().await;
    let refusing = provider.account("http");
    drop(provider);
    let report = send(&client(), &refusing).await;
    assert_eq!(kind(&report), NotSent);
    assert_eq!(report.outcome.detail(), "Fonnte could not be reached");
    assert_eq!(report.answer, CONNECTION_ERROR);

    let nowhere = account("https://fonnte.invalid/send");
    let report = send(&hasty_client(2_000, 1_000), &nowhere).await;
    assert_eq!(kind(&report), NotSent);
}

#[tokio::test]
async fn without_tls_nothing_is_sent() {
    let provider = Provider::start().await;
    let account = provider.account("https");
    let client = client();

    let (report, ()) = tokio::join!(send(&client, &account), async {
        let mut peer = provider.accept().await;
        peer.write("HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let hello = peer.rest().await;
        assert!(!String::from_utf8_lossy(&hello).contains("POST"));
    });
    assert_eq!(kind(&report), NotSent);
    assert_eq!(
        report.outcome.detail(),
        "Fonnte could not be reached: the secure connection failed"
    );
    assert_eq!(report.answer, CONNECTION_ERROR);

    let (report, ()) = tokio::join!(send(&client, &account), async {
        provider.accept().await.peek().await;
    });
    assert_eq!(kind(&report), NotSent, "closed while connecting");
}

#[tokio::test]
async fn a_connection_that_takes_too_long_is_not_sent() {
    // Either limit may be the one that ends it.
    for client in [hasty_client(5_000, 100), hasty_client(100, 5_000)] {
        let provider = Provider::start().await;
        let account = provider.account("https");
        let (report, _) = tokio::join!(send(&client, &account), async {
            provider.accept().await.rest().await
        });
        assert_eq!(kind(&report), NotSent);
        assert_eq!(
            report.outcome.detail(),
            "Fonnte could not be reached in time"
        );
        assert_eq!(report.answer, TIMEOUT);
    }
}

#[tokio::test]
async fn nothing_is_sent_too_late_or_with_a_key_that_is_no_header() {
    let provider = Provider::start().await;
    let account = provider.account("http");
    let report = client().send(&account, &message(), Instant::now()).await;
    assert_eq!(kind(&report), NotSent);
    assert_eq!(report.answer, CONNECTION_ERROR);

    let broken = Account {
        key: "a\nb".into(),
        ..account
    };
    let report = send(&client(), &broken).await;
    assert_eq!(kind(&report), Blocked);
    assert!(!provider.was_called().await);
}

#[tokio::test]
async fn a_key_that_is_repeated_to_us_goes_no_further() {
    for (body, clean) in [
        (
            format!(r#"{{"reason":"invalid token {KEY}","status":false}}"#),
            r#"{"reason":"invalid token ***","status":false}"#,
        ),
        (
            format!("<p>Authorization: {KEY}"),
            r#"{"raw_response":"<p>Authorization: ***"}"#,
        ),
    ] {
        let report = answered_with(http("200 OK", "", &body)).await;
        assert_eq!(report.answer, clean);
        assert!(!format!("{report:?}").contains("secret"));
    }
}
