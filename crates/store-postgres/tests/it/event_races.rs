//! What the provider reports meets something else, forced into the order that hurts.

use std::sync::Arc;
use std::time::Duration;

use domain::access::{AuditEntry, Visibility};
use domain::delivery::{LaneChange, MessageChange, Receipt};
use domain::events::{EventContent, MessageReport, ProviderEvent};
use domain::ports::{
    EventStore as _, EventsApplied, Messages as _, Outbox as _, PersonalData as _,
    RequestStore as _, Resent, Settled, Settlement, WorkerId,
};
use domain::requests::{MessageId, MessageKind, MessageState, NewMessage, RequestId};
use domain::template::Variables;
use domain::values::DealerId;
use store_postgres::PgStore;
use store_postgres::testing::TestDatabase;
use testkit::sample;
use tokio_postgres::{Client, Transaction};

use crate::backstage::store;
use crate::races::{until_one_waits, waiting};

/// A store and its database.
struct Scene {
    store: Arc<PgStore>,
    database: TestDatabase,
}

impl Scene {
    async fn new() -> Self {
        let database = TestDatabase::migrated().await;
        Self {
            store: Arc::new(store(&database)),
            database,
        }
    }

    /// Another program.
    async fn client(&self) -> Client {
        let client = self.database.connect().await;
        let ours = "SET search_path TO customer";
        client.batch_execute(ours).await.unwrap();
        client
    }

    /// A message that the provider took under this id.
    async fn sent(&self, dealer: &DealerId, id: &str) -> RequestId {
        let request = sample::request_for(dealer, 1);
        self.store.accept(&request).await.unwrap();
        self.accepted(id).await;
        request.id
    }

    /// The only message that waits is taken by the provider under this id.
    async fn accepted(&self, id: &str) {
        let receipt = Receipt {
            message_id: Some(id.to_owned()),
            ..Receipt::default()
        };
        self.settle_next(MessageChange::Sent(receipt)).await;
    }

    /// Settles the only message that waits.
    async fn settle_next(&self, change: MessageChange) {
        let pause = Duration::ZERO;
        self.settle_with(change, LaneChange::Ready { pause }).await;
    }

    async fn settle_with(&self, change: MessageChange, lane: LaneChange) {
        let lease = Duration::from_secs(60);
        let claims = self.store.claim(WorkerId(uuid::Uuid::nil()), 9, lease);
        let claim = claims.await.unwrap().remove(0);
        let domain::ports::Task::Send(message) = claim.task else {
            panic!("a message is to be sent: {claim:?}");
        };
        let settlement = Settlement {
            message: Some((message.id, change)),
            lane,
            attempt: None,
            called: true,
            call: None,
            account_fingerprint: None,
        };
        let settled = self.store.settle(&claim.lease, &settlement).await;
        assert_eq!(settled.unwrap(), Settled::Applied);
    }

    async fn delivered(&self, dealer: &DealerId, id: &str) {
        let report = EventContent::Message(MessageReport {
            provider_id: Some(id.to_owned()),
            seen: Some(MessageState::Delivered),
            ..MessageReport::default()
        });
        self.store
            .keep(dealer, &sample::event(report))
            .await
            .unwrap();
    }

    async fn apply(&self) -> EventsApplied {
        self.store.apply(200, Duration::ZERO).await.unwrap()
    }

    /// How many events are as they came.
    async fn kept_bodies(&self) -> i64 {
        let kept = "SELECT count(*) FROM webhook_event WHERE body <> '[dihapus]'";
        let client = self.client().await;
        client.query_one(kept, &[]).await.unwrap().get(0)
    }

    /// What waits to be looked at again waits no longer.
    async fn look_again(&self) {
        let now = "UPDATE webhook_event SET next_look_at = now() WHERE next_look_at IS NOT NULL";
        self.client().await.batch_execute(now).await.unwrap();
    }

    /// `whatsapp_status`
    async fn shown(&self, request: RequestId) -> String {
        let found = self.store.find(request, &Visibility::All).await.unwrap();
        found.expect("the request is there").whatsapp_status
    }
}

async fn resend(store: &PgStore, request: RequestId) -> MessageId {
    let message = NewMessage {
        id: MessageId(uuid::Uuid::now_v7()),
        kind: MessageKind::Live,
        template: "validation".to_owned(),
        template_version: None,
        variables: Variables::default(),
        body: "Sekali lagi".to_owned(),
        not_before: None,
        origin: None,
    };
    let entry = AuditEntry::resent(&sample::author(), request, message.id);
    let (seen, target) = (&Visibility::All, sample::another_phone());
    let resent = store.resend(request, seen, &message, &target, &entry).await;
    assert!(matches!(resent, Ok(Resent::Queued(_))), "{resent:?}");
    message.id
}

async fn lock_request(holder: &Transaction<'_>, request: RequestId) {
    let lock =
        "SELECT FROM customer_validation_request WHERE id = $1::text::uuid FOR NO KEY UPDATE";
    let locked = holder.query(lock, &[&request.to_string()]).await.unwrap();
    assert_eq!(locked.len(), 1);
}

/// The report of a message are being applied while another copy sends its request again, and even
/// learns what became of that: the request shows the latter.
#[tokio::test(flavor = "multi_thread")]
async fn news_of_a_message_leave_the_one_after_it_alone() {
    let scene = Scene::new().await;
    let [slow, busy] = [1, 2].map(sample::dealer_id_numbered);
    let locked = scene.sent(&busy, "200").await;
    let request = scene.sent(&slow, "100").await;
    scene.delivered(&busy, "200").await;
    scene.delivered(&slow, "100").await;
    let mut client = scene.client().await;
    let holder = client.transaction().await.unwrap();
    lock_request(&holder, locked).await;
    let applying = tokio::spawn({
        let store = scene.store.clone();
        async move { store.apply(200, Duration::ZERO).await.unwrap() }
    });
    // Either the statement waits for the request that is locked, or it passes it over.
    while !applying.is_finished() && waiting(&holder).await == 0 {}
    resend(&scene.store, request).await;
    let failed = MessageChange::Failed {
        reason: "target invalid".to_owned(),
    };
    scene.settle_next(failed).await;
    holder.commit().await.unwrap();
    applying.await.unwrap();
    assert_eq!(scene.shown(request).await, "FAILED");
}

/// What a statement cannot see yet: the request was sent again after its snapshot.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_itself_names_the_message_that_it_shows() {
    let scene = Scene::new().await;
    let dealer = sample::dealer_id();
    let request = scene.sent(&dealer, "100").await;
    let named = "UPDATE customer_validation_request SET newest_message_id = gen_random_uuid()";
    scene.client().await.batch_execute(named).await.unwrap();
    scene.delivered(&dealer, "100").await;
    assert_eq!(scene.apply().await.lifted, 1);
    assert_eq!(scene.shown(request).await, "SENT");
}

/// A copy of the release before sends a request again and does not name the message.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_came_after_the_named_one_is_shown() {
    let scene = Scene::new().await;
    let dealer = sample::dealer_id();
    let request = scene.sent(&dealer, "100").await;
    resend(&scene.store, request).await;
    let named = "UPDATE customer_validation_request r SET newest_message_id = m.id
        FROM message m WHERE m.provider_id = '100'";
    scene.client().await.batch_execute(named).await.unwrap();
    scene.accepted("101").await;
    scene.delivered(&dealer, "101").await;
    assert_eq!(scene.apply().await.lifted, 1);
    assert_eq!(scene.shown(request).await, "DELIVERED");
}

/// Of two copies that send a request again, the one that began first but had to wait is the later.
#[tokio::test(flavor = "multi_thread")]
async fn a_resend_that_had_to_wait_is_the_newest() {
    let scene = Scene::new().await;
    let request = scene.sent(&sample::dealer_id(), "100").await;
    let mut client = scene.client().await;
    let holder = client.transaction().await.unwrap();
    lock_request(&holder, request).await;
    let resending = tokio::spawn({
        let store = scene.store.clone();
        async move { resend(&store, request).await }
    });
    until_one_waits(&holder).await;
    let another = "INSERT INTO message
            (id, request_id, dealer_id, kind, template, body, target, state, created_at)
        SELECT gen_random_uuid(), request_id, dealer_id, kind, template, body, target, 'FAILED',
            clock_timestamp()
        FROM message";
    holder.batch_execute(another).await.unwrap();
    holder.commit().await.unwrap();
    let message = resending.await.unwrap();
    let timeline = scene.store.timeline(request, &Visibility::All).await;
    let newest = timeline.unwrap().pop().expect("a message");
    assert_eq!(newest.id, message);
}

/// Somebody has locked a request. That is nobody else's business, and its own report are not lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_request_leaves_the_events_of_others_alone() {
    let scene = Scene::new().await;
    let dealers = [1, 2, 3].map(sample::dealer_id_numbered);
    let mut requests = Vec::new();
    for (dealer, id) in dealers.iter().zip(["100", "200", "300"]) {
        requests.push(scene.sent(dealer, id).await);
        scene.delivered(dealer, id).await;
    }
    let mut client = scene.client().await;
    let holder = client.transaction().await.unwrap();
    lock_request(&holder, requests[1]).await;
    assert_eq!(scene.apply().await.lifted, 2);
    assert_eq!(scene.shown(requests[0]).await, "DELIVERED");
    assert_eq!(scene.shown(requests[1]).await, "SENT");
    assert_eq!(scene.shown(requests[2]).await, "DELIVERED");
    holder.commit().await.unwrap();
    scene.look_again().await;
    assert_eq!(scene.apply().await.lifted, 1);
    assert_eq!(scene.shown(requests[1]).await, "DELIVERED");
}

/// Two copies apply report of the older and of the newer messages of the same two requests: each
/// passes over what the other one holds.
#[tokio::test(flavor = "multi_thread")]
async fn two_copies_that_apply_reports_do_not_wait_for_each_other() {
    let scene = Scene::new().await;
    let dealers = [1, 2].map(sample::dealer_id_numbered);
    let mut requests = Vec::new();
    for (dealer, ids) in dealers.iter().zip([["100", "101"], ["200", "201"]]) {
        let request = scene.sent(dealer, ids[0]).await;
        resend(&scene.store, request).await;
        scene.accepted(ids[1]).await;
        requests.push(request);
    }
    // The first copy takes the first two events and the second one the others, so that both have
    // messages of both requests, in different orders.
    for (n, id) in [(0, "100"), (1, "200"), (1, "201"), (0, "101")] {
        scene.delivered(&dealers[n], id).await;
    }
    let mut clients = [scene.client().await, scene.client().await];
    let [first, second] = &mut clients;
    let holders = [
        first.transaction().await.unwrap(),
        second.transaction().await.unwrap(),
    ];
    for (holder, request) in holders.iter().zip(&requests) {
        lock_request(holder, *request).await;
    }
    let mut copies = Vec::new();
    for others in 0..2 {
        let store = scene.store.clone();
        let copy = tokio::spawn(async move { store.apply(2, Duration::ZERO).await });
        while !copy.is_finished() && waiting(&holders[0]).await <= others {}
        copies.push(copy);
    }
    for holder in holders {
        holder.commit().await.unwrap();
    }
    for copy in copies {
        copy.await.unwrap().unwrap();
    }
    scene.look_again().await;
    scene.apply().await;
    for request in requests {
        assert_eq!(scene.shown(request).await, "DELIVERED");
    }
}

/// Evidence for one dealer does not wait for the request of another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_request_leaves_the_evidence_of_others_alone() {
    let scene = Scene::new().await;
    let dealers = [1, 2].map(sample::dealer_id_numbered);
    let mut requests = Vec::new();
    for dealer in &dealers {
        let request = sample::request_for(dealer, 1);
        scene.store.accept(&request).await.unwrap();
        let wait = LaneChange::Unchanged {
            pause: Duration::from_secs(3_600),
        };
        scene.settle_with(MessageChange::Await, wait).await;
        scene.delivered(dealer, "100").await;
        requests.push(request.id);
    }
    let mut client = scene.client().await;
    let holder = client.transaction().await.unwrap();
    lock_request(&holder, requests[0]).await;
    assert_eq!(scene.apply().await.freed, 1);
    assert_eq!(scene.shown(requests[1]).await, "SENT");
    holder.commit().await.unwrap();
    scene.look_again().await;
    assert_eq!(scene.apply().await.freed, 1);
    assert_eq!(scene.shown(requests[0]).await, "SENT");
}

/// A device connects while somebody is about to open its breaker: that is closed afterwards, and
/// nobody waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_connects_while_its_breaker_opens_closes_it() {
    let scene = Scene::new().await;
    let [opening, open] = [1, 2].map(sample::dealer_id_numbered);
    for dealer in [&opening, &open] {
        scene.sent(dealer, "100").await;
        let connected = EventContent::Device { connected: true };
        let event = sample::event(connected);
        scene.store.keep(dealer, &event).await.unwrap();
    }
    let block = "UPDATE lane SET blocks = 1, blocked_since = now() WHERE dealer_id = $1";
    let mut client = scene.client().await;
    client.execute(block, &[&open.as_str()]).await.unwrap();
    let holder = client.transaction().await.unwrap();
    holder.execute(block, &[&opening.as_str()]).await.unwrap();
    assert_eq!(scene.apply().await.freed, 1);
    holder.commit().await.unwrap();
    let blocked = scene.store.blocked_lanes().await.unwrap();
    assert_eq!(blocked.len(), 1);
    scene.look_again().await;
    assert_eq!(scene.apply().await.freed, 1);
    assert_eq!(scene.store.blocked_lanes().await.unwrap(), []);
}

/// A report finds its message while the erasure waits for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_matched_during_the_erasure_is_erased() {
    let scene = Scene::new().await;
    let dealer = sample::dealer_id();
    let request = sample::request_for(&dealer, 1);
    scene.sent(&dealer, "100").await;
    scene.delivered(&dealer, "100").await;
    let mut client = scene.client().await;
    let holder = client.transaction().await.unwrap();
    let matched = "SELECT FROM message FOR UPDATE;
        UPDATE webhook_event SET next_look_at = NULL, message_id = (SELECT id FROM message)";
    holder.batch_execute(matched).await.unwrap();
    let erasing = tokio::spawn({
        let (store, phone) = (scene.store.clone(), request.submission.phone.clone());
        async move { store.erase(&phone, 500).await.unwrap() }
    });
    until_one_waits(&holder).await;
    holder.commit().await.unwrap();
    let erased = erasing.await.unwrap();
    assert_eq!((erased.messages, erased.events), (1, 1));
    assert_eq!(scene.kept_bodies().await, 0);
}

/// A reply that quotes the phone is being looked at while the person is erased.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_being_looked_at_is_erased_afterwards() {
    let scene = Scene::new().await;
    let phone = sample::another_phone();
    let reply = ProviderEvent {
        text: format!(r#"{{"sender":"62{}"}}"#, &phone.national()[1..]),
        ..sample::event(EventContent::Nothing)
    };
    let kept = scene.store.keep(&sample::dealer_id(), &reply).await;
    kept.unwrap();
    let mut client = scene.client().await;
    let holder = client.transaction().await.unwrap();
    let look = "SELECT FROM webhook_event FOR UPDATE";
    holder.batch_execute(look).await.unwrap();
    let erasing = tokio::spawn({
        let store = scene.store.clone();
        async move { store.erase(&phone, 500).await.unwrap() }
    });
    while !erasing.is_finished() && waiting(&holder).await == 0 {}
    holder.commit().await.unwrap();
    assert_eq!(erasing.await.unwrap().events, 1);
    assert_eq!(scene.kept_bodies().await, 0);
}
