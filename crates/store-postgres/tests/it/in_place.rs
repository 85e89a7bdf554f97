//! What changes with every step of a delivery stays on its page, so that no index gets an entry.

use std::time::Duration;

use domain::delivery::{LaneChange, MessageChange, OutcomeKind, Receipt};
use domain::ports::{Attempt, Outbox as _, RequestStore as _, Settlement, Task, WorkerId};
use store_postgres::testing::TestDatabase;
use testkit::sample;
use tokio_postgres::Client;

use crate::backstage::store;

/// More than a few pages of messages and of requests.
const DEALERS: u32 = 60;

/// What the provider answers, as it is kept.
const ANSWER: &str = r#"{"detail":"success! message in queue","id":["80367170"],"process":"pending","requestid":2937124,"status":true,"target":["6281234567890"]}"#;

/// Neighbours on a page are begun and settled at the same moment, when nothing of what they were before
/// can be thrown away yet.
#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_begun_and_requests_that_are_settled_stay_on_their_pages() {
    let database = TestDatabase::migrated().await;
    let store = store(&database);
    for n in 1..=DEALERS {
        let mut request = sample::request_for(&sample::dealer_id_numbered(n), n);
        // As long as the default template makes it.
        request.message.body = "Terima kasih. ".repeat(25);
        store.accept(&request).await.unwrap();
    }
    // A snapshot that is older than all that follows.
    let mut looking = database.connect().await;
    let old = looking.transaction().await.unwrap();
    old.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        .await
        .unwrap();
    let client = database.connect().await;
    let (messages, requests) = (
        pages(&client, "message").await,
        pages(&client, "customer_validation_request").await,
    );
    assert!(messages.last() > messages.first(), "there are many pages");

    let worker = WorkerId(uuid::Uuid::nil());
    let lease = Duration::from_secs(60);
    let claims = store.claim(worker, DEALERS as usize, lease).await.unwrap();
    assert_eq!(claims.len(), DEALERS as usize);
    assert_eq!(pages(&client, "message").await, messages);

    for claim in claims {
        let Task::Send(message) = claim.task else {
            panic!("{:?} is a message to send", claim.task);
        };
        store
            .settle(&claim.lease, &accepted(message.id))
            .await
            .unwrap();
    }
    assert_eq!(
        pages(&client, "customer_validation_request").await,
        requests
    );
}

/// The page of each row, in the order of their ids.
async fn pages(client: &Client, table: &str) -> Vec<i64> {
    let pages = format!("SELECT (ctid::text::point)[0]::bigint FROM customer.{table} ORDER BY id");
    let rows = client.query(&pages, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

fn accepted(message: domain::requests::MessageId) -> Settlement {
    let receipt = Receipt {
        message_id: Some("80367170".to_owned()),
        request_id: Some(2_937_124),
        ..Receipt::default()
    };
    Settlement {
        message: Some((message, MessageChange::Sent(receipt))),
        lane: LaneChange::Ready {
            pause: Duration::ZERO,
        },
        attempt: Some(Attempt {
            outcome: OutcomeKind::Accepted,
            detail: "success! message in queue".to_owned(),
            duration: Duration::from_millis(50),
            answer: Some(ANSWER.to_owned()),
        }),
        called: true,
        call: None,
        account_fingerprint: None,
    }
}
