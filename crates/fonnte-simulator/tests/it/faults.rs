//! Everything that goes wrong on the way.

use std::time::{Duration, Instant};

use fonnte_simulator::{CallOutcome, Fault, FaultBody, FaultScope, Simulator, reason};
use serde_json::{Value, json};

use crate::support::*;

async fn with_fault(fault: Fault) -> Simulator {
    simulator_with(|switches| switches.faults.push(fault.clone().once())).await
}

/// The outcome of the only call.
async fn outcome(simulator: &Simulator) -> CallOutcome {
    let ended = |simulator: &Simulator| {
        simulator
            .calls()
            .iter()
            .all(|call| call.outcome != CallOutcome::Open)
    };
    simulator.wait_until(PATIENCE, ended).await.unwrap();
    let [call] = &simulator.calls()[..] else {
        panic!("one call")
    };
    assert!(call.answered_at.is_some());
    call.outcome
}

#[tokio::test]
async fn a_dropped_connection_may_or_may_not_have_queued_the_message() {
    for queued in [true, false] {
        let simulator = with_fault(Fault::Drop { queued }).await;
        let error = send_plain(&simulator).await.unwrap_err();
        assert!(!error.is_connect() && !error.is_timeout(), "{error:?}");
        assert_eq!(simulator.messages().len(), usize::from(queued));
        assert_eq!(outcome(&simulator).await, CallOutcome::Dropped);
        assert_eq!(send_plain(&simulator).await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_hanging_call_ends_when_the_client_leaves() {
    for queued in [true, false] {
        let simulator = with_fault(Fault::Hang { queued }).await;
        tokio::select! {
            answer = send_plain(&simulator) => panic!("an answer came: {answer:?}"),
            arrived = simulator.wait_until(PATIENCE, |simulator| {
                simulator.call_count() == 1 && simulator.message_count() == u64::from(queued)
            }) => arrived.unwrap(),
        }
        assert_eq!(outcome(&simulator).await, CallOutcome::ClientLeft);
        assert_eq!(simulator.messages().len(), usize::from(queued));
    }
}

#[tokio::test]
async fn a_slow_answer_comes_late_and_its_message_is_queued_before() {
    let simulator = with_fault(Fault::Slow { ms: 300 }).await;
    let begun = Instant::now();
    let (answer, queued_after) = tokio::join!(send_plain(&simulator), async {
        simulator.wait_for_messages(1, PATIENCE).await.unwrap();
        begun.elapsed()
    });
    assert_eq!(answer.unwrap().status(), 200);
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert!(queued_after < begun.elapsed());
}

#[tokio::test]
async fn a_firewall_refuses_messages_by_their_text() {
    let simulator = simulator_with(|switches| {
        switches.forbidden_text = Some("Racun".to_owned());
        switches.forbidden_status = 406;
    })
    .await;
    let fields = |message| [("target", TARGET), ("message", message)];
    for _ in 0..2 {
        let refused = post(&simulator, "/send", TOKEN, &fields("Halo Racun!")).await;
        assert_eq!(refused.unwrap().status(), 406);
        assert_eq!(send(&simulator, &fields("Halo!")).await["status"], true);
    }
    assert_eq!(simulator.messages().len(), 2);
}

#[tokio::test]
async fn a_truncated_answer_has_its_head_and_breaks_in_its_body() {
    let simulator = with_fault(Fault::Truncate).await;
    let answer = send_plain(&simulator).await.unwrap();
    assert_eq!(answer.status(), 200);
    let promised = answer.content_length().unwrap();
    assert!(promised > 100);
    assert!(answer.text().await.is_err());
    assert_eq!(simulator.messages().len(), 1);
    assert_eq!(outcome(&simulator).await, CallOutcome::Truncated);
}

#[tokio::test]
async fn a_cut_answer_is_whole_http_and_half_json() {
    let simulator = with_fault(Fault::CutJson).await;
    let answer = send_plain(&simulator).await.unwrap().text().await.unwrap();
    assert!(answer.starts_with(r#"{"detail":"#));
    assert!(serde_json::from_str::<Value>(&answer).is_err());
    assert_eq!(simulator.messages().len(), 1);
}

#[tokio::test]
async fn any_http_status_comes_with_any_body() {
    for (fault, status, kind, start) in [
        (
            Fault::bad_gateway(),
            502,
            "text/html; charset=utf-8",
            "<html>",
        ),
        (Fault::html(), 200, "text/html; charset=utf-8", "<html>"),
        (Fault::empty(), 200, "", ""),
        (
            Fault::http(500, FaultBody::Json),
            500,
            "application/json",
            r#"{"message""#,
        ),
        (
            Fault::http(503, FaultBody::Html),
            503,
            "text/html; charset=utf-8",
            "<html>",
        ),
        (
            Fault::http(401, FaultBody::Json),
            401,
            "application/json",
            r#"{"message""#,
        ),
        (
            Fault::http(403, FaultBody::Html),
            403,
            "text/html; charset=utf-8",
            "<html>",
        ),
        (
            Fault::http(404, FaultBody::Html),
            404,
            "text/html; charset=utf-8",
            "<html>",
        ),
    ] {
        let simulator = with_fault(fault).await;
        let answer = send_plain(&simulator).await.unwrap();
        assert_eq!(answer.status(), status);
        let found = answer
            .headers()
            .get("content-type")
            .map_or("", |kind| kind.to_str().unwrap());
        assert_eq!(found, kind);
        let text = answer.text().await.unwrap();
        assert!(
            text.starts_with(start) && text.is_empty() == start.is_empty(),
            "{text}"
        );
        assert!(simulator.messages().is_empty());
        assert_eq!(
            outcome(&simulator).await,
            CallOutcome::Answered {
                http_status: status
            }
        );
    }
}

#[tokio::test]
async fn too_many_requests_and_redirects_carry_their_headers() {
    let simulator = with_fault(Fault::too_many_requests(7)).await;
    let answer = send_plain(&simulator).await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "7");

    let elsewhere = "http://127.0.0.1:9/send";
    let simulator = with_fault(Fault::redirect(elsewhere)).await;
    let answer = send_plain(&simulator).await.unwrap();
    assert_eq!(answer.status(), 307);
    assert_eq!(answer.headers()["location"], elsewhere);
}

#[tokio::test]
async fn an_error_may_hide_an_accepted_message_or_a_true_answer() {
    let hidden = |status, body| Fault::Http {
        status,
        body,
        retry_after: None,
        location: None,
        queued: true,
    };
    let simulator = with_fault(hidden(502, FaultBody::Html)).await;
    assert_eq!(send_plain(&simulator).await.unwrap().status(), 502);
    assert_eq!(simulator.messages().len(), 1);

    let simulator = with_fault(hidden(500, FaultBody::Answer)).await;
    let answer = send_plain(&simulator).await.unwrap();
    assert_eq!(answer.status(), 500);
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(answer["status"], true);
}

#[tokio::test]
async fn status_may_be_missing_or_text_or_capital() {
    for (fault, lower, capital) in [
        (Fault::NoStatus, Value::Null, Value::Null),
        (Fault::TextStatus, json!("true"), Value::Null),
        (Fault::CapitalStatus, Value::Null, json!(true)),
    ] {
        let simulator = with_fault(fault).await;
        let answer = business(send_plain(&simulator).await.unwrap()).await;
        assert_eq!((&answer["status"], &answer["Status"]), (&lower, &capital));
        assert_eq!(answer["id"], json!([142_223_099]));
        assert_eq!(simulator.messages().len(), 1);
    }
    let simulator = with_fault(Fault::TextStatus).await;
    let refused = send(&simulator, &[("target", "12"), ("message", "Hello")]).await;
    assert_eq!(refused["status"], "false");
}

#[tokio::test]
async fn every_documented_reason_and_any_other_comes_on_demand() {
    let simulator = simulator().await;
    for text in reason::OF_SEND
        .into_iter()
        .chain(["something never seen before"])
    {
        let fault = Fault::reason(text).once();
        simulator
            .update(TOKEN, |switches| switches.faults.push(fault))
            .unwrap();
        let answer = business(send_plain(&simulator).await.unwrap()).await;
        assert_eq!(answer["reason"], text);
        let is_capital = [reason::TOKEN_INVALID, reason::DEVICES_OF_MANY_ACCOUNTS].contains(&text);
        assert_eq!(
            answer[if is_capital { "Status" } else { "status" }],
            false,
            "{text}"
        );
        let has_requestid = answer.get("requestid").is_some();
        assert_eq!(has_requestid, text != reason::INVALID_TOKEN, "{text}");
    }
    assert!(simulator.messages().is_empty());
}

#[tokio::test]
async fn faults_are_a_script_and_the_global_ones_come_after() {
    let simulator = simulator_with(|switches| {
        switches.faults = vec![Fault::bad_gateway().once(), Fault::html().times(2)];
    })
    .await;
    let global = Fault::http(503, FaultBody::Json).until_off();
    simulator
        .update_global(|all| all.faults.push(global))
        .unwrap();
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(send_plain(&simulator).await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [502, 200, 200, 503, 503]);
    assert!(simulator.messages().is_empty());
    simulator.update_global(|all| all.faults.clear()).unwrap();
    assert_eq!(send_plain(&simulator).await.unwrap().status(), 200);
    assert_eq!(simulator.messages().len(), 1);
}

#[tokio::test]
async fn a_fault_meets_only_the_calls_of_its_scope() {
    let simulator = simulator_with(|switches| {
        switches.faults = vec![Fault::bad_gateway().until_off().on(FaultScope::Others)];
    })
    .await;
    assert_eq!(send_plain(&simulator).await.unwrap().status(), 200);
    assert_eq!(
        post(&simulator, "/device", TOKEN, &[])
            .await
            .unwrap()
            .status(),
        502
    );
    simulator
        .update(TOKEN, |switches| switches.faults[0].scope = FaultScope::All)
        .unwrap();
    assert_eq!(send_plain(&simulator).await.unwrap().status(), 502);
}

#[tokio::test]
async fn a_fault_that_cannot_be_is_refused() {
    let simulator = simulator().await;
    let impossible = Fault::http(42, FaultBody::Empty).once();
    assert!(
        simulator
            .update(TOKEN, |switches| switches.faults.push(impossible))
            .is_err()
    );
    assert!(simulator.device(TOKEN).unwrap().switches.faults.is_empty());
}
