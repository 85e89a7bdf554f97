//! A statement whose commit fails has failed: the caller is told, and nothing is changed.
//!
//! A deferred constraint trigger raises when the transaction commits, as a full disk for WAL would.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use domain::access::{Access, Action, AuditEntry, KeyName, Scope, SessionPrint, Visibility};
use domain::delivery::{LaneChange, MessageChange, Receipt};
use domain::events::{EventContent, MessageReport};
use domain::persons::Sweep;
use domain::ports::{
    AccountBook as _, AccountProfile, ApiKeys as _, AuditLog as _, Claim, Confirmations as _,
    DealerAdmin as _, EventStore as _, Messages as _, NewApiKey, OptOuts as _, OptedOut,
    Outbox as _, PersonalData as _, Precondition, RequestStore as _, Sessions as _, Settlement,
    StoreError, Task, TemplateBook as _, TemplateRemoved, TemplateSaved, WorkerId,
};
use domain::replies::IncomingReply;
use domain::requests::{MessageId, MessageState, NewMessage, NewRequest};
use domain::settings::{Change, SettingsChange};
use domain::template::TemplateName;
use domain::values::{DealerId, Owner, Phone};
use store_postgres::testing::TestDatabase;
use store_postgres::{NewDealer, PgDealers, PgStore, SecretPlace, SecretsKeys};
use testkit::contract::Backstage as _;
use testkit::sample;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::backstage::{PgBackstage, store};
use crate::contract::TEST_KEY;

const LEASE: Duration = Duration::from_secs(600);

const DAY: Duration = Duration::from_secs(86_400);

/// Refuses every change of a row of any table, at commit.
const REFUSE: &str = "
DO $$ DECLARE changed regclass; BEGIN
    CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN RAISE EXCEPTION ''refused at commit''; END';
    FOR changed IN SELECT oid::regclass FROM pg_class
        WHERE relkind = 'r' AND relnamespace::regnamespace::text IN ('customer', 'dealer_integration')
    LOOP
        EXECUTE format('CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE OR DELETE ON %s
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.refuse()', changed);
    END LOOP;
END $$";

const TABLES: &str = "
SELECT oid::regclass::text FROM pg_class
WHERE relkind = 'r' AND relnamespace::regnamespace::text IN ('customer', 'dealer_integration')
ORDER BY 1";

pub(crate) struct Trial {
    pub(crate) store: PgStore,
    pub(crate) dealers: PgDealers,
    pub(crate) backstage: PgBackstage,
    client: Client,
    _database: TestDatabase,
}

impl Trial {
    /// An installation with the sample dealer.
    pub(crate) async fn begin() -> Self {
        let database = TestDatabase::migrated().await;
        let store = store(&database);
        let vault = SecretsKeys::parse(TEST_KEY).expect("a key");
        let trial = Self {
            dealers: store.dealers_with(Arc::new(vault)),
            backstage: PgBackstage::connect(&database).await,
            client: database.connect().await,
            store,
            _database: database,
        };
        trial.backstage.add_dealer(&sample::dealer()).await;
        trial
    }

    /// Every row of every table.
    async fn rows(&self) -> Vec<(String, Vec<String>)> {
        let mut all = Vec::new();
        for table in self.client.query(TABLES, &[]).await.expect("tables") {
            let table: String = table.get(0);
            let query = format!("SELECT t::text FROM {table} t ORDER BY 1");
            let rows = self.client.query(&query, &[]).await.expect("rows");
            all.push((table, rows.iter().map(|row| row.get(0)).collect()));
        }
        all
    }

    /// Whether an act whose commit fails says so and changes nothing; and works afterwards.
    pub(crate) async fn fails_at_commit<T: Debug, E: Debug>(
        &self,
        act: impl AsyncFn() -> Result<T, E>,
    ) -> T {
        let before = self.rows().await;
        self.client.batch_execute(REFUSE).await.expect("triggers");
        let outcome = act().await;
        assert!(outcome.is_err(), "the commit failed: {outcome:?}");
        let allow = "DROP FUNCTION public.refuse() CASCADE";
        self.client.batch_execute(allow).await.expect("no triggers");
        assert_eq!(self.rows().await, before);
        let done = act().await.expect("it works again");
        assert_ne!(self.rows().await, before, "it is an act that writes");
        done
    }

    async fn accept(&self, n: u32) -> NewRequest {
        let request = sample::request_for(&sample::dealer_id(), n);
        self.store.accept(&request).await.expect("accept");
        request
    }

    async fn claim(&self) -> Claim {
        let claims = self.store.claim(worker(), 1, LEASE).await;
        claims.expect("claim").remove(0)
    }
}

fn worker() -> WorkerId {
    WorkerId(Uuid::now_v7())
}

fn entry(action: Action) -> AuditEntry {
    AuditEntry {
        author: sample::author(),
        action,
        dealer: Some(sample::dealer_id()),
        detail: String::new(),
    }
}

fn sent(claim: &Claim) -> Settlement {
    let Task::Send(message) = &claim.task else {
        panic!("a message is to be sent: {claim:?}");
    };
    let receipt = Receipt {
        message_id: Some("142223099".to_owned()),
        request_id: None,
        detail: String::new(),
        quota_left: None,
    };
    Settlement {
        message: Some((message.id, MessageChange::Sent(receipt))),
        ..of_lane(LaneChange::Ready {
            pause: Duration::ZERO,
        })
    }
}

fn of_lane(lane: LaneChange) -> Settlement {
    Settlement {
        message: None,
        lane,
        attempt: None,
        called: true,
        call: None,
        account_fingerprint: None,
    }
}

fn delivered() -> EventContent {
    EventContent::Message(MessageReport {
        provider_id: Some("142223099".to_owned()),
        seen: Some(MessageState::Delivered),
        ..MessageReport::default()
    })
}

fn new_key(n: u8) -> NewApiKey {
    let key = sample::api_key(n);
    NewApiKey {
        id: key.id(),
        fingerprint: key.fingerprint(),
        name: KeyName::parse("Bengkel").expect("a name"),
        access: Access::new(None, [Scope::Read].into_iter().collect()).expect("access"),
        expires_at: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepting_the_rows_of_a_call() {
    let trial = Trial::begin().await;
    let mut rows: Vec<NewRequest> = (0..20)
        .map(|n| sample::request_for(&sample::dealer_id(), n))
        .collect();
    for row in &mut rows[10..] {
        row.once = Some(sample::once(&row.id.to_string(), "body"));
    }
    let accept_all = async || {
        let answers = trial.store.accept_all(&rows).await;
        // Each is told, and none is told anything else.
        let failed = answers.iter().filter(|answer| answer.is_err()).count();
        assert!(failed == 0 || failed == rows.len(), "{answers:?}");
        answers.into_iter().collect::<Result<Vec<_>, _>>()
    };
    trial.fails_at_commit(accept_all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepting_a_request() {
    let trial = Trial::begin().await;
    let request = sample::new_request();
    let accept = async || trial.store.accept(&request).await;
    trial.fails_at_commit(accept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forgetting_old_keys() {
    let trial = Trial::begin().await;
    let request = sample::new_request();
    let once = Some(sample::once("K", "body"));
    let request = NewRequest { once, ..request };
    trial.store.accept(&request).await.expect("accept");
    trial.backstage.pass(2 * DAY).await;
    let forget = async || trial.store.forget_old_keys().await;
    assert_eq!(trial.fails_at_commit(forget).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn claiming() {
    let trial = Trial::begin().await;
    trial.accept(1).await;
    let claim = async || trial.store.claim(worker(), 1, LEASE).await;
    assert_eq!(trial.fails_at_commit(claim).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn beginning_a_call() {
    let trial = Trial::begin().await;
    // The lane exists already, so that the lease itself is what fails.
    trial
        .store
        .end_rest(&sample::dealer_id())
        .await
        .expect("a lane");
    let dealer = sample::dealer_id();
    let lease = async || trial.store.begin_call(&dealer, worker(), LEASE).await;
    assert!(trial.fails_at_commit(lease).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn settling() {
    let trial = Trial::begin().await;
    trial.accept(1).await;
    let claim = trial.claim().await;
    let settlement = sent(&claim);
    let settle = async || trial.store.settle(&claim.lease, &settlement).await;
    trial.fails_at_commit(settle).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settling_and_claiming() {
    let trial = Trial::begin().await;
    trial.accept(1).await;
    trial.accept(2).await;
    let claim = trial.claim().await;
    let settlement = sent(&claim);
    let store = &trial.store;
    let settle = async || {
        let settling = store.settle_and_claim(&claim.lease, &settlement, worker(), LEASE);
        settling.await
    };
    let (_, next) = trial.fails_at_commit(settle).await;
    assert!(next.is_some(), "the next message is begun");
}

#[tokio::test(flavor = "multi_thread")]
async fn expiring() {
    let trial = Trial::begin().await;
    trial.accept(1).await;
    trial.backstage.pass(2 * DAY).await;
    let expire = async || trial.store.expire(DAY).await;
    assert_eq!(trial.fails_at_commit(expire).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_a_breaker() {
    let trial = Trial::begin().await;
    trial.accept(1).await;
    let claim = trial.claim().await;
    let blocked = LaneChange::Blocked {
        cause: domain::delivery::BlockCause::Token,
        pause: DAY,
        reason: "invalid token".to_owned(),
    };
    let settled = trial.store.settle(&claim.lease, &of_lane(blocked)).await;
    settled.expect("settle");
    let lanes = trial.store.blocked_lanes().await.expect("blocked lanes");
    let unblock = async || trial.store.unblock(&lanes[0]).await;
    assert!(trial.fails_at_commit(unblock).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_a_rest() {
    let trial = Trial::begin().await;
    let dealer = sample::dealer_id();
    let end = async || trial.store.end_rest(&dealer).await;
    trial.fails_at_commit(end).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_accounts_to_ask_about() {
    let trial = Trial::begin().await;
    trial.accept(1).await;
    let claim = trial.claim().await;
    let settled = trial.store.settle(&claim.lease, &sent(&claim)).await;
    settled.expect("settle");
    let take = async || trial.store.take_due(10, DAY, LEASE).await;
    assert_eq!(trial.fails_at_commit(take).await, [sample::dealer_id()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keeping_an_account() {
    let trial = Trial::begin().await;
    let profile = AccountProfile {
        quota_left: Some(78),
        expires_on: None,
    };
    let dealer = sample::dealer_id();
    let keep = async || trial.store.keep_profile(&dealer, &profile, DAY).await;
    trial.fails_at_commit(keep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeping_an_event() {
    let trial = Trial::begin().await;
    let (dealer, event) = (sample::dealer_id(), sample::event(delivered()));
    let keep = async || trial.store.keep(&dealer, &event).await;
    trial.fails_at_commit(keep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn applying_events() {
    let trial = Trial::begin().await;
    trial.accept(1).await;
    let claim = trial.claim().await;
    let settled = trial.store.settle(&claim.lease, &sent(&claim)).await;
    settled.expect("settle");
    let event = sample::event(delivered());
    let kept = trial.store.keep(&sample::dealer_id(), &event).await;
    kept.expect("keep");
    let apply = async || trial.store.apply(10, Duration::ZERO).await;
    assert_eq!(trial.fails_at_commit(apply).await.lifted, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn applying_events_of_a_device() {
    let trial = Trial::begin().await;
    let event = sample::event(EventContent::Device { connected: true });
    let kept = trial.store.keep(&sample::dealer_id(), &event).await;
    kept.expect("keep");
    let apply = async || trial.store.apply(10, Duration::ZERO).await;
    assert_eq!(trial.fails_at_commit(apply).await.taken, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn forgetting_old_events() {
    let trial = Trial::begin().await;
    let event = sample::event(EventContent::Nothing);
    let kept = trial.store.keep(&sample::dealer_id(), &event).await;
    kept.expect("keep");
    trial.backstage.pass(8 * DAY).await;
    let forget = async || trial.store.forget_old_events().await;
    assert_eq!(trial.fails_at_commit(forget).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn resending() {
    let trial = Trial::begin().await;
    let request = trial.accept(1).await;
    let claim = trial.claim().await;
    let settled = trial.store.settle(&claim.lease, &sent(&claim)).await;
    settled.expect("settle");
    let message = NewMessage {
        id: MessageId(Uuid::now_v7()),
        ..request.message.clone()
    };
    let resend = async || {
        let (seen, entry) = (Visibility::All, entry(Action::ResendMessage));
        let store = &trial.store;
        store
            .resend(
                request.id,
                &seen,
                &message,
                &request.submission.phone,
                &entry,
            )
            .await
    };
    trial.fails_at_commit(resend).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling() {
    let trial = Trial::begin().await;
    let request = trial.accept(1).await;
    let entry = entry(Action::CancelMessage);
    let cancel = async || {
        let cancelling = trial.store.cancel(request.id, &Visibility::All, &entry);
        cancelling.await
    };
    trial.fails_at_commit(cancel).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn making_a_key() {
    let trial = Trial::begin().await;
    let keys = trial.store.api_keys();
    let (key, entry) = (new_key(1), entry(Action::CreateKey));
    trial
        .fails_at_commit(async || keys.create(&key, &entry).await)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_a_key() {
    let trial = Trial::begin().await;
    let keys = trial.store.api_keys();
    let key = new_key(1);
    let made = keys.create(&key, &entry(Action::CreateKey)).await;
    made.expect("create");
    let entry = entry(Action::RevokeKey);
    let revoke = async || keys.revoke(key.id, &entry).await;
    assert!(trial.fails_at_commit(revoke).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn beginning_and_ending_a_session() {
    let trial = Trial::begin().await;
    let sessions = trial.store.sessions();
    let (one, other) = (SessionPrint([1; 32]), SessionPrint([2; 32]));
    let (key, lifetime) = (new_key(1).id, Duration::from_secs(3_600));
    trial
        .fails_at_commit(async || sessions.begin(one, key, lifetime).await)
        .await;
    sessions.begin(other, key, lifetime).await.unwrap();
    trial
        .fails_at_commit(async || sessions.end(other).await)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn noting_in_the_audit() {
    let trial = Trial::begin().await;
    let entry = entry(Action::CancelMessage);
    trial
        .fails_at_commit(async || trial.store.record(&entry).await)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_settings() {
    let trial = Trial::begin().await;
    let dealer = sample::dealer_id();
    let change = SettingsChange {
        daily_limit: Change::Set(7),
        ..SettingsChange::default()
    };
    let entry = entry(Action::ChangeSettings);
    let change = async || trial.dealers.change(&dealer, &change, &entry).await;
    trial.fails_at_commit(change).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn making_the_token_of_a_webhook() {
    let trial = Trial::begin().await;
    let dealer = sample::dealer_id();
    let record = async || trial.dealers.record(&dealer).await;
    let made = trial.fails_at_commit(record).await;
    assert!(made.expect("a dealer").webhook_token.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn making_the_tokens_of_a_page() {
    let trial = Trial::begin().await;
    let page = async || trial.dealers.page(1, 10).await;
    let made = trial.fails_at_commit(page).await;
    assert!(made.items[0].webhook_token.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_a_person() {
    let trial = Trial::begin().await;
    let request = trial.accept(1).await;
    let erase = async || trial.store.erase(&request.submission.phone, 10).await;
    let erased = trial.fails_at_commit(erase).await;
    assert_eq!((erased.requests, erased.messages), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_events_of_a_person() {
    let trial = Trial::begin().await;
    let mut event = sample::event(EventContent::Nothing);
    event.text = r#"{"sender":"6281200000001"}"#.to_owned();
    let kept = trial.store.keep(&sample::dealer_id(), &event).await;
    kept.expect("keep");
    let phone = Phone::parse("081200000001").expect("a phone");
    let erase = async || trial.store.erase(&phone, 10).await;
    assert_eq!(trial.fails_at_commit(erase).await.events, 1);
}

/// Each kind of step, found where the one before ended.
#[tokio::test(flavor = "multi_thread")]
async fn erasing_what_is_old() {
    let trial = Trial::begin().await;
    trial.accept(1).await;
    let claim = trial.claim().await;
    let settled = trial.store.settle(&claim.lease, &sent(&claim)).await;
    settled.expect("settle");
    let event = sample::event(EventContent::Nothing);
    let kept = trial.store.keep(&sample::dealer_id(), &event).await;
    kept.expect("keep");
    trial.backstage.pass_for_requests(30 * DAY).await;
    // Events of more than a week are forgotten altogether.
    for (days, step) in [
        (5, Sweep::Events(0)),
        (20, Sweep::Messages(Uuid::nil())),
        (20, Sweep::Requests(Uuid::nil())),
    ] {
        let sweep = async || trial.store.erase_older_than(days, step, 10).await;
        let (erased, _) = trial.fails_at_commit(sweep).await;
        assert!(!erased.is_nothing(), "{step:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn adding_up_counts() {
    let trial = Trial::begin().await;
    trial.accept(1).await;
    trial
        .fails_at_commit(async || trial.store.add_up_counts().await)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adding_a_dealer_and_setting_its_key() {
    let trial = Trial::begin().await;
    let dealer = NewDealer {
        id: DealerId::parse("0008888").expect("a number"),
        name: "Dealer Dua".to_owned(),
        api_key: None,
        api_url: None,
    };
    let entry = entry(Action::SetDealerKey);
    trial
        .fails_at_commit(async || trial.dealers.add(&dealer, &entry).await)
        .await;
    let key = sample::API_KEY.into();
    trial
        .fails_at_commit(async || trial.dealers.set_key(&dealer.id, &key, None, &entry).await)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sealing_secrets_anew() {
    let trial = Trial::begin().await;
    let (dealer, token) = (sample::dealer_id(), sample::webhook_token(1));
    trial.backstage.add_webhook(&dealer, &token).await;
    let place = SecretPlace::WebhookTokens;
    let reseal = async || -> Result<_, StoreError> {
        trial.dealers.reseal(place, &sample::author(), |_| {}).await
    };
    assert_eq!(trial.fails_at_commit(reseal).await.sealed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn saving_and_removing_a_template() {
    let trial = Trial::begin().await;
    let owner = Owner::Dealer(sample::dealer_id());
    let name = TemplateName::parse("promo").expect("a name");
    let over = Precondition::Unconditional;
    let entry = entry(Action::ChangeTemplate);
    let save = async || {
        let book = &trial.dealers;
        book.save(&owner, &name, "Halo", &over, &entry).await
    };
    let saved = trial.fails_at_commit(save).await;
    assert!(matches!(saved, TemplateSaved::Saved(_)));
    let remove = async || trial.dealers.remove(&owner, &name, &over, &entry).await;
    let removed = trial.fails_at_commit(remove).await;
    assert_eq!(removed, TemplateRemoved::Removed);
}

#[tokio::test(flavor = "multi_thread")]
async fn keeping_a_reply() {
    let trial = Trial::begin().await;
    trial.accept(1).await;
    let event = sample::event(EventContent::Reply(stop(1)));
    let dealer = sample::dealer_id();
    let keep = async || trial.store.keep(&dealer, &event).await;
    trial.fails_at_commit(keep).await;
    let phone = stop(1).phone;
    let is_out = trial.store.is_opted_out(&dealer, &phone).await;
    assert!(is_out.expect("is_opted_out"));
}

fn stop(n: u32) -> IncomingReply {
    IncomingReply {
        phone: sample::request_for(&sample::dealer_id(), n)
            .submission
            .phone,
        name: None,
        text: Some("STOP".to_owned()),
        inbox_id: None,
        written_at: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn opting_out_and_in() {
    let trial = Trial::begin().await;
    let (dealer, phone) = (sample::dealer_id(), stop(1).phone);
    let noted = entry(Action::OptOut);
    let out = async || trial.store.opt_out(&dealer, &phone, None, &noted).await;
    let done = trial.fails_at_commit(out).await;
    assert!(matches!(done, OptedOut::Now(_)));
    let noted = entry(Action::OptIn);
    let back = async || trial.store.opt_in(&dealer, &phone, &noted).await;
    assert!(trial.fails_at_commit(back).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_a_confirmation_and_putting_it_back() {
    let trial = Trial::begin().await;
    let event = sample::event(EventContent::Reply(stop(1)));
    let kept = trial.store.keep(&sample::dealer_id(), &event).await;
    kept.expect("keep");
    let due = trial.store.due(1).await.expect("due").remove(0);
    let off = async || trial.store.put_off(due.id, DAY).await;
    trial.fails_at_commit(off).await;
    let take = async || trial.store.take(due.id).await;
    assert!(trial.fails_at_commit(take).await);
    let back = async || trial.store.put_back(&due, DAY).await;
    trial.fails_at_commit(back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_replies() {
    let trial = Trial::begin().await;
    for n in [1, 2] {
        let event = sample::event(EventContent::Reply(stop(n)));
        let kept = trial.store.keep(&sample::dealer_id(), &event).await;
        kept.expect("keep");
    }
    let phone = stop(1).phone;
    let erase = async || trial.store.erase(&phone, 10).await;
    assert_eq!(trial.fails_at_commit(erase).await.replies, 1);
    trial.backstage.pass(30 * DAY).await;
    let sweep = async || trial.store.erase_older_than(20, Sweep::BEGIN, 10).await;
    assert_eq!(trial.fails_at_commit(sweep).await.0.replies, 1);
}
