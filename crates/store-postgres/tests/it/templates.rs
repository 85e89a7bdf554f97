//! Templates between copies of the service, and beside what others do to the tables.

use std::time::{Duration, Instant};

use domain::access::AuditEntry;
use domain::ports::{
    DealerDirectory as _, Precondition, RequestStore as _, TemplateBook as _, TemplateSaved,
};
use domain::template::{TemplateName, TemplateOrigin};
use domain::values::Owner;
use store_postgres::PgDealers;
use store_postgres::testing::TestDatabase;
use testkit::contract::Backstage as _;
use testkit::sample;

use crate::backstage::{PgBackstage, store};

/// What is promised.
const IN_FORCE: Duration = Duration::from_secs(5);

fn promo() -> TemplateName {
    TemplateName::parse("promo").expect("a name")
}

async fn save(dealers: &PgDealers, owner: &Owner, body: &str) {
    let entry = AuditEntry::template_changed(&sample::author(), owner.dealer(), &promo());
    let over = Precondition::Unconditional;
    let saved = dealers.save(owner, &promo(), body, &over, &entry).await;
    assert!(matches!(saved.expect("save"), TemplateSaved::Saved(_)));
}

/// What the name means for the sample dealer.
async fn means(dealers: &PgDealers) -> Option<(TemplateOrigin, Option<u32>)> {
    let found = dealers.find(&sample::dealer_id()).await.expect("find");
    let dealer = found.expect("the dealer is known");
    let found = dealer.templates.named("promo");
    found.map(|it| (it.origin, it.version))
}

async fn database() -> TestDatabase {
    let database = TestDatabase::migrated().await;
    let backstage = PgBackstage::connect(&database).await;
    backstage.add_dealer(&sample::dealer()).await;
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_in_force_on_every_copy_within_five_seconds() {
    let database = database().await;
    let (one, other) = (store(&database).dealers(), store(&database).dealers());
    assert_eq!(means(&other).await, None);
    let own = Owner::Dealer(sample::dealer_id());
    let steps = [
        (Owner::HeadOffice, TemplateOrigin::Shared),
        (own, TemplateOrigin::Dealer),
    ];
    for (owner, origin) in steps {
        save(&one, &owner, "Halo").await;
        let began = Instant::now();
        let mut again = tokio::time::interval(Duration::from_millis(50));
        while means(&other).await != Some((origin, Some(1))) {
            assert!(began.elapsed() < IN_FORCE, "{origin:?}");
            again.tick().await;
        }
    }
}

/// What is rarely asked, and what was missing, does not wait for a cache.
#[tokio::test(flavor = "multi_thread")]
async fn a_dealer_that_is_read_anew_comes_with_the_templates_of_now() {
    let database = database().await;
    let own = Owner::Dealer(sample::dealer_id());
    for owner in [Owner::HeadOffice, own] {
        let dealers = || store(&database).dealers();
        let (writer, now, again) = (dealers(), dealers(), dealers());
        let id = sample::dealer_id();
        let before = means(&now).await;
        assert_eq!(means(&again).await, before);
        save(&writer, &owner, "Halo").await;
        for turn in ["Hai", "Selamat pagi"] {
            let meant = means(&writer).await;
            let read = now.find_now(&id).await.expect("find").expect("known");
            let found = read.templates.named("promo");
            assert_eq!(found.map(|it| (it.origin, it.version)), meant);
            save(&writer, &owner, turn).await;
        }
        let read = again.find_again(&id).await.expect("find").expect("known");
        let version = read.templates.named("promo").and_then(|it| it.version);
        assert_eq!(version, Some(3));
    }
}

/// Whoever names templates that do not exist does not get the database to work.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_looked_for_once_a_second() {
    let database = database().await;
    let dealers = store(&database).dealers();
    let id = sample::dealer_id();
    let mut client = database.connect().await;
    dealers.find_again(&id).await.expect("find");
    let locking = client.transaction().await.expect("a transaction");
    let lock = "LOCK TABLE customer.template IN ACCESS EXCLUSIVE MODE";
    locking.batch_execute(lock).await.expect("the lock");
    let asking = async {
        for _ in 0..1_000 {
            dealers.find_again(&id).await.expect("find");
        }
    };
    // In this second it is remembered; in the next one the look-up would wait for the lock.
    let answered = tokio::time::timeout(Duration::from_millis(900), asking).await;
    answered.expect("without the database");
}

/// Submissions ask for their dealer, and for nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_dealer_that_is_remembered_comes_with_its_templates() {
    let database = database().await;
    let dealers = store(&database).dealers();
    save(&dealers, &Owner::HeadOffice, "Halo").await;
    let shared = Some((TemplateOrigin::Shared, Some(1)));
    assert_eq!(means(&dealers).await, shared);
    let mut client = database.connect().await;
    let locking = client.transaction().await.expect("a transaction");
    let lock = "LOCK TABLE customer.template IN ACCESS EXCLUSIVE MODE";
    locking.batch_execute(lock).await.expect("the lock");
    let began = Instant::now();
    assert_eq!(means(&dealers).await, shared);
    assert!(began.elapsed() < Duration::from_millis(500));
}

/// A row that a later release wrote, or another program, costs its template and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_cannot_be_read_is_as_if_it_were_not_there() {
    let database = database().await;
    let dealers = store(&database).dealers();
    let own = Owner::Dealer(sample::dealer_id());
    save(&dealers, &Owner::HeadOffice, "Halo").await;
    save(&dealers, &own, "Hai").await;
    let client = database.connect().await;
    let spoil = "UPDATE customer.template SET body = '{if x}' WHERE dealer_id <> ''";
    client.batch_execute(spoil).await.expect("spoilt");
    let fresh = store(&database).dealers();
    let shared = Some((TemplateOrigin::Shared, Some(1)));
    assert_eq!(means(&fresh).await, shared);
}

/// The release before knows no variables; neither does another program.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_by_another_program_takes_the_variables_along() {
    let database = database().await;
    let store = store(&database);
    let mut request = sample::new_request();
    let given = ("km".to_owned(), "Adit 12".to_owned());
    request.message.variables = [given].into_iter().collect();
    store.accept(&request).await.expect("accept");
    let client = database.connect().await;
    let erase = "UPDATE customer.message SET target = '[dihapus]', body = '[dihapus]'";
    client.batch_execute(erase).await.expect("erase");
    let left = "SELECT count(*) FROM customer.message WHERE variables IS NOT NULL";
    let left: i64 = client.query_one(left, &[]).await.expect("count").get(0);
    assert_eq!(left, 0);
}
