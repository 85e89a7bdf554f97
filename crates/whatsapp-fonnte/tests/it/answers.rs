//! What an answer to `send` means.

use domain::delivery::{
    BlockCause, Outcome, OutcomeKind, OutcomeKind::Accepted, OutcomeKind::Blocked,
    OutcomeKind::NotSent, OutcomeKind::Refused, OutcomeKind::Unknown, Receipt,
};
use domain::ports::{OutgoingMessage, Whatsapp as _};
use std::time::{Duration, Instant};

use crate::provider::{Provider, answered_with, client, http, message};

/// What becomes of a message when the provider answers this.
async fn outcome(status: u16, text: &str) -> Outcome {
    let answer = http(&format!("{status} X"), "", text);
    answered_with(answer).await.outcome
}

async fn judged(status: u16, text: &str) -> (OutcomeKind, String) {
    let outcome = outcome(status, text).await;
    (outcome.kind(), outcome.detail().to_owned())
}

async fn receipt_of(text: &str) -> Receipt {
    match outcome(200, text).await {
        Outcome::Accepted(receipt) => receipt,
        other => panic!("{text}: {other:?}"),
    }
}

#[tokio::test]
async fn the_answers_of_the_live_service_are_accepted() {
    let live = r#"{"detail":"success! message in queue","id":[142223099],"process":"pending","quota":{"628120000001":{"details":"deduced from total quota","quota":967,"remaining":966,"used":1}},"requestid":369052479,"status":true,"target":["628130000002"]}"#;
    let receipt = receipt_of(live).await;
    assert_eq!(receipt.message_id.as_deref(), Some("142223099"));
    assert_eq!(receipt.request_id, Some(369_052_479));
    assert_eq!(receipt.detail, "success! message in queue");
    assert_eq!(receipt.quota_left, Some(966));

    let documented = r#"{"detail":"success! message in queue","id":["80367170"],"process":"pending","requestid":"2937124","Status":"True"}"#;
    let receipt = receipt_of(documented).await;
    assert_eq!(receipt.message_id.as_deref(), Some("80367170"));
    assert_eq!(receipt.request_id, Some(2_937_124));
}

#[tokio::test]
async fn a_yes_without_details_is_accepted_and_odd_details_are_left_out() {
    assert_eq!(receipt_of(r#"{"status":true}"#).await, Receipt::default());
    let odd = r#"{"status":true,"id":["a\u0000b"],"requestid":99999999999999999999,"detail":7}"#;
    let receipt = receipt_of(odd).await;
    assert_eq!((receipt.message_id, receipt.request_id), (None, None));
    assert_eq!(receipt.detail, "7");
    let long = format!(r#"{{"status":true,"id":["{}"]}}"#, "9".repeat(101));
    assert_eq!(receipt_of(&long).await.message_id, None);
}

#[tokio::test]
async fn a_no_is_classified_by_its_reason() {
    for (reason, expected) in [
        ("token invalid", Blocked),
        ("invalid token", Blocked),
        ("Invalid TOKEN", Blocked),
        ("devices must belong to an account", Blocked),
        ("unknown user", Blocked),
        ("request invalid on disconnected device", Blocked),
        ("insufficient quota", Blocked),
        ("target invalid", Refused),
        ("target input invalid", Refused),
        ("target required", Refused),
        ("input invalid", Refused),
        ("invalid/empty body value", Refused),
        ("JSON format invalid", Refused),
        ("unknown inbox id", Refused),
        ("url invalid", Refused),
        ("url unreachable", Refused),
        ("file format not supported", Refused),
        ("file size must under 4MB", Refused),
        ("invalid message request", Refused),
        ("something nobody has seen before", Refused),
    ] {
        for text in [
            format!(r#"{{"reason":"{reason}","requestid":1,"status":false}}"#),
            format!(r#"{{"Status":"False","Reason":" {reason}\n"}}"#),
            format!(r#"{{"detail":"{reason}","reason":null,"status":false}}"#),
            format!(r#"{{"message":"{reason}","reason":"","status":false}}"#),
        ] {
            let judged_200 = judged(200, &text).await;
            assert_eq!(judged_200, (expected, reason.to_owned()), "{text}");
            assert_eq!(judged(500, &text).await.0, expected, "{text}");
        }
    }
}

#[tokio::test]
async fn a_no_without_a_known_place_for_the_reason_shows_the_whole_answer() {
    let text = r#"{"status":false,"error":"invalid token"}"#;
    assert_eq!(judged(200, text).await, (Blocked, text.to_owned()));
    let text = r#"{"quota":{"628120000001":{"remaining":0}},"status":false}"#;
    assert_eq!(judged(200, text).await, (Refused, text.to_owned()));
}

#[tokio::test]
async fn what_is_neither_yes_nor_no_is_unknown() {
    for text in [
        "",
        " \n",
        "<html>502 Bad Gateway</html>",
        "OK",
        "true",
        "null",
        "[]",
        r#"[{"status":true}]"#,
        r#"{"status":true"#,
        r#"{"detail":"success! message in queue","id":[1]}"#,
        r#"{"status":null}"#,
        r#"{"status":"ok"}"#,
        r#"{"status":1}"#,
        r#"{"status":true,"Status":false}"#,
    ] {
        for status in [200, 201, 204, 500, 502, 504, 520, 599] {
            assert_eq!(judged(status, text).await.0, Unknown, "{status} {text}");
        }
    }
    assert_eq!(judged(200, "").await.1, "the answer is empty");
    assert_eq!(
        judged(502, "x").await.1,
        "HTTP 502: the answer is not Fonnte's JSON"
    );
    assert_eq!(judged(200, "{}").await.1, "the answer has no status");
    assert_eq!(judged(700, r#"{"status":true}"#).await.0, Unknown);
}

#[tokio::test]
async fn the_http_status_decides_where_the_table_says_so() {
    let yes = r#"{"status":true,"id":[1]}"#;
    let no = r#"{"reason":"target invalid","status":false}"#;
    for text in ["", "<html>", yes, no] {
        for status in [301, 302, 307, 400, 401, 403, 404, 405, 408, 413, 422, 499] {
            assert_eq!(judged(status, text).await.0, Blocked, "{status} {text}");
        }
        for status in [429, 503] {
            assert_eq!(judged(status, text).await.0, NotSent, "{status} {text}");
        }
    }
    for status in [200, 202, 500, 502] {
        assert_eq!(judged(status, yes).await.0, Accepted);
        assert_eq!(judged(status, no).await.0, Refused);
    }
    assert_eq!(judged(302, "<html>").await.1, "HTTP 302");
    assert_eq!(judged(401, no).await.1, "HTTP 401: target invalid");
    assert_eq!(judged(429, "").await.1, "HTTP 429");
}

/// Why an account cannot send, as far as the answer tells it.
#[tokio::test]
async fn a_block_carries_its_cause() {
    for (status, reason, expected) in [
        (200, "token invalid", BlockCause::Token),
        (200, "no token for you", BlockCause::Token),
        (200, "unknown user", BlockCause::Token),
        (200, "devices must belong to an account", BlockCause::Token),
        (
            200,
            "request invalid on disconnected device",
            BlockCause::Device,
        ),
        (200, "insufficient quota", BlockCause::Quota),
        (401, "", BlockCause::Token),
        (403, "Invalid TOKEN", BlockCause::Token),
        (401, "insufficient quota", BlockCause::Quota),
        (302, "", BlockCause::Other),
        (404, "target invalid", BlockCause::Other),
    ] {
        let text = format!(r#"{{"reason":"{reason}","status":false}}"#);
        let outcome = outcome(status, &text).await;
        let (Outcome::Blocked { cause, .. } | Outcome::Barred { cause, .. }) = outcome else {
            panic!("{status} {reason}: {outcome:?}");
        };
        assert_eq!(cause, expected, "{status} {reason}");
    }
}

/// Anything else in the way may mind what the message says.
#[tokio::test]
async fn only_fonntes_own_words_say_that_the_account_is_the_cause() {
    for status in [302, 400, 401, 403, 404, 406, 413, 451] {
        for text in [
            "",
            "<html>invalid token</html>",
            r#"{"reason":"target invalid","status":false}"#,
            r#"{"message":"blocked: CSRF token invalid"}"#,
            r#"{"error":"forbidden"}"#,
        ] {
            let outcome = outcome(status, text).await;
            assert!(matches!(outcome, Outcome::Barred { .. }), "{status} {text}");
        }
        for text in [
            r#"{"reason":"invalid token","status":false}"#,
            r#"{"Status":false,"reason":" Token invalid "}"#,
            r#"{"reason":"request invalid on disconnected device","status":false}"#,
            r#"{"error":"insufficient quota"}"#,
        ] {
            let outcome = outcome(status, text).await;
            let is_blocked = matches!(outcome, Outcome::Blocked { .. });
            assert!(is_blocked, "{status} {text}");
        }
    }
    let unclear = outcome(200, r#"{"reason":"unknown template token","status":false}"#).await;
    assert!(matches!(unclear, Outcome::Barred { .. }), "{unclear:?}");
}

#[tokio::test]
async fn words_do_not_tell_what_the_message_says() {
    let message = OutgoingMessage {
        body: "Halo Adit Pratama, HTTP 502 BeAT".to_owned(),
        ..message()
    };
    for (status, text, detail) in [
        (
            200,
            r#"{"status":false,"reason":"no token for Adit Pratama"}"#,
            "no token for *** ***",
        ),
        (
            502,
            r#"{"status":false,"reason":"PRATAMA is invalid"}"#,
            "*** is invalid",
        ),
        (401, r#"{"reason":"Adit"}"#, "HTTP 401: ***"),
        (429, r#"{"reason":"502 Beat"}"#, "HTTP 429: *** ***"),
        (200, r#"{"status":true,"detail":"Halo Adit"}"#, "*** ***"),
        (
            200,
            r#"{"status":false,"to":"Adit"}"#,
            r#"{"status":false,"to":"***"}"#,
        ),
    ] {
        let provider = Provider::start().await;
        let (account, client) = (provider.account("http"), client());
        let start_by = Instant::now() + Duration::from_secs(60);
        let answer = http(&format!("{status} X"), "", text);
        let sending = client.send(&account, &message, start_by);
        let (report, _) = tokio::join!(sending, provider.answer(answer));
        assert_eq!(report.outcome.detail(), detail);
    }
}

#[tokio::test]
async fn a_closed_object_counts_even_when_the_connection_broke_after_it() {
    let begun = |text: &str| format!("HTTP/1.1 200 X\r\ncontent-length: 999\r\n\r\n{text}");
    let yes = answered_with(begun(r#"{"status":true,"id":[5]}"#)).await;
    assert_eq!(yes.outcome.kind(), Accepted);
    let half = answered_with(begun(r#"{"detail":"success! mess"#)).await;
    assert_eq!(half.outcome.kind(), Unknown);
    let broke = "the connection to Fonnte broke before its answer was complete";
    assert_eq!(half.outcome.detail(), broke);
}

#[tokio::test]
async fn an_answer_is_recorded_as_it_came() {
    for (status, body) in [
        (200, r#"{ "status" : true, "b":1, "a":[1.50, "\/"] }"#),
        (401, r#"{"reason":"invalid token","status":false}"#),
        (502, "{}"),
    ] {
        let report = answered_with(http(&format!("{status} X"), "", &format!("{body}\n"))).await;
        assert_eq!((report.answer.as_str(), report.text.as_str()), (body, body));
    }
}

#[tokio::test]
async fn an_answer_that_is_no_object_is_recorded_as_text() {
    for (text, recorded) in [
        ("[\"a\"]", r#"{"raw_response":"[\"a\"]"}"#),
        ("a\0b", "{\"raw_response\":\"a\u{fffd}b\"}"),
    ] {
        let report = answered_with(http("200 X", "", text)).await;
        assert_eq!(report.answer, recorded);
    }
    let long = answered_with(http("200 X", "", &"é".repeat(30_000))).await;
    assert_eq!(long.answer.len(), r#"{"raw_response":""}"#.len() + 4 * 1024);
}
