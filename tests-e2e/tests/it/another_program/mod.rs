//! Another program talks to the service through the client crate.

mod operations;

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use customer_service_client::types::{
    AuditQuery, ExportQuery, ResendBody, RowBody, SubmissionBody,
};
use customer_service_client::{BulkOptions, Client, Error, Stored, SubmitOptions, blocking};
use tests_e2e::{DEALER, Service, Story, eventually, output};
use tokio::net::{TcpListener, TcpStream};

fn body(n: u32) -> SubmissionBody {
    SubmissionBody {
        no_telp: format!("0812{n:08}"),
        dealer_id: DEALER.to_owned(),
        ..SubmissionBody::example()
    }
}

/// Makes a key by the command line.
fn key(story: &Story, arguments: &[&str]) -> String {
    let arguments = [&["api-key", "create", "--name", "Program"], arguments].concat();
    let made = output(&arguments, &story.settings());
    assert!(made.status.success(), "{made:?}");
    String::from_utf8_lossy(&made.stdout).trim().to_owned()
}

fn address(service: &Service) -> String {
    format!("http://127.0.0.1:{}", service.port())
}

/// A service that asks for keys, and a client of head office.
async fn head_office() -> (Story, Service, Client) {
    let story = Story::begin().await.with("API_AUTH", "required");
    let service = story.serve();
    let key = key(&story, &["--scope", "admin"]);
    let client = Client::new(&address(&service), &key).expect("a client");
    (story, service, client)
}

async fn stored(client: &Client, n: u32) -> Stored {
    let stored = client.validate_customer(&body(n)).await;
    stored.expect("it is stored")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_made_found_sent_and_sent_again() {
    let (_story, _service, client) = head_office().await;
    let options = SubmitOptions {
        representation: true,
        ..SubmitOptions::default()
    };
    let made = client.validate_customer_with(&body(1), &options).await;
    let made = made.expect("it is stored");
    let item = client.get_request(&made.request_id).await.expect("found");
    assert_eq!(made.item.expect("it was asked for").id, item.id);
    assert_eq!(item.no_telp.as_deref(), Some("081200000001"));
    let sent = async || {
        let messages = client.list_request_messages(&made.request_id).await.ok()?;
        let sent = messages.iter().filter(|it| it.state == "SENT").count();
        Some(sent)
    };
    eventually("it is sent", async || (sent().await? == 1).then_some(())).await;
    let again = client
        .resend_request_message(&made.request_id, &ResendBody::default())
        .await;
    assert_eq!(again.expect("queued").kind, "live");
    eventually("it is sent again", async || {
        (sent().await? == 2).then_some(())
    })
    .await;
    let refused = client.cancel_request_message(&made.request_id).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    // The same key with another body.
    let options = SubmitOptions {
        idempotency_key: Some(made.idempotency_key.clone()),
        ..options
    };
    let replayed = client.validate_customer_with(&body(1), &options).await;
    assert!(replayed.expect("the first answer").replayed);
    let other = client.validate_customer_with(&body(2), &options).await;
    match other {
        Err(Error::Refused(told)) => assert_eq!(told.kind, "IdempotencyKeyReused"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_what_the_caller_can_decide_on() {
    let (story, service, client) = head_office().await;
    let unknown = client
        .get_request("23f16411-6eb2-4829-a964-9ad1f0e0cc22")
        .await;
    assert!(matches!(unknown, Err(Error::NotFound(_))), "{unknown:?}");
    let wrong = SubmissionBody {
        no_telp: "0711234567".to_owned(),
        ..body(1)
    };
    match client.validate_customer(&wrong).await {
        Err(Error::Invalid(faults)) => {
            assert_eq!(faults.len(), 1);
            assert!(faults.to_string().starts_with("body.noTelp: "), "{faults}");
        }
        other => panic!("{other:?}"),
    }
    let foreign = SubmissionBody {
        dealer_id: "0000001".to_owned(),
        ..body(1)
    };
    let refused = client.validate_customer(&foreign).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    let nobody = Client::new(&address(&service), "csk_0").expect("a client");
    let refused = nobody.get_dealer_queue(DEALER).await;
    assert!(
        matches!(refused, Err(Error::Unauthorized(_))),
        "{refused:?}"
    );
    let dealers = key(&story, &["--dealer", DEALER, "--scope", "read"]);
    let dealers = Client::new(&address(&service), &dealers).expect("a client");
    match dealers.list_audit(&AuditQuery::default()).await {
        Err(Error::Refused(told)) => {
            assert_eq!((told.status, &*told.kind), (403, "ScopeMissing"));
            let is_logged = async || {
                let log = service.log();
                log.iter()
                    .any(|line| line.contains(&told.request_id))
                    .then_some(())
            };
            eventually("the log names the call", is_logged).await;
        }
        other => panic!("{other:?}"),
    }
    service.terminate().await;
    let away = Client::builder("http://127.0.0.1:9").deadline(Duration::from_millis(500));
    let away = away.build().expect("a client").get_health().await;
    assert!(matches!(away, Err(Error::Unavailable { .. })), "{away:?}");
}

/// An address that stays while the service behind it comes and goes.
async fn relay(port: u16) -> (String, Arc<AtomicU16>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let port = Arc::new(AtomicU16::new(port));
    let behind = port.clone();
    tokio::spawn(async move {
        while let Ok((mut caller, _)) = listener.accept().await {
            let port = behind.load(Ordering::Relaxed);
            tokio::spawn(async move {
                // The caller's connection ends with that of the service.
                let mut service = TcpStream::connect(("127.0.0.1", port)).await?;
                tokio::io::copy_bidirectional(&mut caller, &mut service).await
            });
        }
    });
    (address, port)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_is_stored_once_while_the_service_dies_and_comes_back() {
    for (step, replayed) in [("accept-before", false), ("accept-after", true)] {
        let story = Story::begin().await;
        let mut service = story.serve_faulty("KILL", step, 1);
        let (address, port) = relay(service.port()).await;
        let client = Client::builder(&address).build().expect("a client");
        let submitting = tokio::spawn(async move { client.validate_customer(&body(1)).await });
        eventually(step, async || service.has_ended().then_some(())).await;
        let service = story.serve();
        port.store(service.port(), Ordering::Relaxed);
        let made = submitting.await.expect("no panic").expect("it is stored");
        assert_eq!(made.replayed, replayed, "{step}");
        let count = "SELECT count(*) FROM customer.customer_validation_request";
        assert_eq!(story.count(count).await, 1, "{step}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_stored_once_and_listed_as_streams() {
    let (story, _service, client) = head_office().await;
    story.simulator.stop_listening().await.expect("it stops");
    let rows = (0..2_300).map(|n| RowBody {
        submission: body(n),
        idempotency_key: None,
    });
    let mut wrong = body(0);
    wrong.tipe_unit.clear();
    let wrong = RowBody {
        submission: wrong,
        idempotency_key: None,
    };
    let rows: Vec<RowBody> = rows.chain([wrong]).collect();
    let mut options = BulkOptions::default();
    for repeated in [false, true] {
        let given = futures_util::stream::iter(rows.clone());
        let mut stream = client.submit_all(given, &options);
        options.idempotency_key = Some(stream.idempotency_key().clone());
        let mut count = 0;
        while let Some(row) = stream.next().await {
            let row = row.expect("no error");
            count += 1;
            assert_eq!(row.row, count);
            assert_eq!(row.status, u8::from(count <= 2_300));
            assert_eq!(row.replayed.is_some(), repeated && count <= 2_300);
        }
        assert_eq!(count, 2_301);
    }
    let mut listed = client.dealer_requests(DEALER, &ExportQuery::default());
    let mut ids = std::collections::HashSet::new();
    while let Some(item) = listed.next().await {
        assert!(ids.insert(item.expect("no error").id));
    }
    assert_eq!(ids.len(), 2_300);
    let mut file = client
        .export_dealer_requests_csv(DEALER, &ExportQuery::default())
        .await
        .expect("a file");
    assert!(file.file_name().is_some_and(|name| name.contains(DEALER)));
    let mut lines = 0;
    while let Some(part) = file.part().await.expect("no error") {
        lines += part.iter().filter(|byte| **byte == b'\n').count();
    }
    assert_eq!(lines, 2_301);
    let all = ExportQuery::default();
    let book = client.export_dealer_requests_xlsx(DEALER, &all);
    let book = book
        .await
        .expect("a file")
        .whole()
        .await
        .expect("all of it");
    assert!(book.starts_with(b"PK"));
}

#[test]
fn a_program_without_async_does_the_same() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime for the story");
    let (story, service) = runtime.block_on(async {
        let story = Story::begin().await;
        let service = story.serve();
        (story, service)
    });
    let client = Client::builder(&address(&service)).build_blocking();
    let client: blocking::Client = client.expect("a client");
    let made = client.validate_customer(&body(1)).expect("it is stored");
    let listed: Result<Vec<_>, _> = client
        .dealer_requests(DEALER, &ExportQuery::default())
        .collect();
    let listed = listed.expect("no error");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].id, made.request_id);
    drop(service);
    runtime.block_on(async { drop(story) });
}
