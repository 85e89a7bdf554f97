//! Rows of other writers with values that no request of ours has: shown as well as they can be, each by
//! itself.

use domain::access::Visibility;
use domain::ports::{
    DateRange, DealerDirectory as _, PageQuery, PersonalData as _, Reports as _, RequestFilter,
    RequestStore as _,
};
use domain::requests::{Request, RequestId, WhatsappStatus};
use domain::values::{Phone, Search};
use store_postgres::testing::TestDatabase;
use store_postgres::{PgStore, SecretsKeys};
use testkit::contract::Backstage as _;
use testkit::sample;
use uuid::Uuid;

use crate::backstage::{PgBackstage, store};

/// A good row between odd ones; each has what no Rust value or no JSON of ours holds.
const ROWS: &str = "
ALTER TABLE customer.customer_validation_request
    ALTER nama_pembawa DROP NOT NULL, ALTER no_telp DROP NOT NULL, ALTER tipe_unit DROP NOT NULL,
    ALTER no_pol DROP NOT NULL;
INSERT INTO customer.customer_validation_request
    (id, dealer_id, request_date, request_time, nama_pembawa, no_telp, tipe_unit, no_pol,
     request_status, whatsapp_status, created_date, last_modified_date, fonnte_response)
SELECT ('00000000-0000-0000-0000-0000000000' || lpad(n::text, 2, '0'))::uuid, '0009999', a, b, c, d, e, f, g, h, i, j, k
FROM (VALUES
    (10, date '2026-01-05', time '08:00', 'Budi', '081200000001', 'BeAT', 'D 1 A', 'PROCESSED',
        'SENT', timestamp '2026-01-05 08:00', timestamp '2026-01-05 08:00', json '{\"a\": 1}'),
    (11, 'infinity', '24:00', 'Budi', '081200000001', 'BeAT', 'D 1 A', 'PROCESSED', 'SENT',
        'infinity', '-infinity', NULL),
    (12, 'infinity', '00:00', 'Budi', '081200000001', 'BeAT', 'D 1 A', 'PENDING', 'NOT_SENT',
        '294276-12-31', '4713-01-01 BC', NULL),
    (13, '-infinity', '24:00', 'Budi', '081200000001', 'BeAT', 'D 1 A', 'PROCESSED', 'SENT',
        NULL, NULL, NULL),
    (14, '5874897-12-31', '12:00', NULL, '081200000001', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (15, '4713-01-01 BC', '12:00', 'Budi', NULL, 'BeAT', 'D 1 A', '?', '?', NULL, NULL, '[]'),
    (16, '10000-01-01', '12:00:00.000001', '', '', '', '', '', '', NULL, NULL, '\"x\"'),
    (17, '2026-01-05', '24:00', 'Budi', '081200000001', 'BeAT', 'D 1 A', 'PROCESSED', 'SENT',
        NULL, NULL, NULL)
) AS v (n, a, b, c, d, e, f, g, h, i, j, k)";

/// The numbers of [`ROWS`], newest first.
const ORDER: [u128; 8] = [0x11, 0x12, 0x14, 0x16, 0x17, 0x10, 0x15, 0x13];

async fn stage() -> (TestDatabase, PgStore) {
    let database = TestDatabase::migrated().await;
    let client = database.connect().await;
    client.batch_execute(ROWS).await.unwrap();
    let store = store(&database);
    (database, store)
}

fn numbers(requests: &[Request]) -> Vec<u128> {
    requests
        .iter()
        .map(|request| request.id.0.as_u128())
        .collect()
}

fn query(page: u64, page_size: u32) -> PageQuery {
    PageQuery {
        dealer: sample::dealer_id(),
        range: DateRange::default(),
        filter: RequestFilter::default(),
        page,
        after: None,
        page_size,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_each_as_well_as_it_can_be() {
    let (_database, store) = stage().await;
    let page = store.list(&query(1, 100)).await.unwrap();
    assert_eq!((numbers(&page.items), page.total), (ORDER.to_vec(), 8));
    let shown = |n: u128| {
        page.items
            .iter()
            .find(|one| one.id.0.as_u128() == n)
            .unwrap()
    };
    let good = shown(0x10);
    assert_eq!(good.request_date.unwrap().to_string(), "2026-01-05");
    assert_eq!(good.request_time.unwrap().to_string(), "08:00:00");
    assert_eq!(good.provider_answer.as_deref(), Some("{\"a\": 1}"));
    for n in [0x11, 0x12] {
        let odd = shown(n);
        assert_eq!((odd.request_date, odd.created_date), (None, None));
        assert_eq!(odd.last_modified_date, None);
        assert_eq!(odd.customer_name.as_deref(), Some("Budi"));
    }
    assert_eq!(shown(0x17).request_time, None);
    assert_eq!(shown(0x17).request_date, good.request_date);
    assert_eq!(shown(0x14).customer_name, None);
    assert_eq!(shown(0x14).phone.as_deref(), Some("081200000001"));
    assert_eq!(shown(0x15).phone, None);
    assert_eq!(shown(0x16).customer_name.as_deref(), Some(""));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_its_part_of_the_list_by_number_and_by_place() {
    let (_database, store) = stage().await;
    let filters = [
        RequestFilter::default(),
        RequestFilter {
            whatsapp_statuses: vec![WhatsappStatus::Sent, WhatsappStatus::NotSent],
            ..RequestFilter::default()
        },
        RequestFilter {
            search: Search::parse("budi").ok(),
            ..RequestFilter::default()
        },
    ];
    for filter in filters {
        let with = |page, size| PageQuery {
            filter: filter.clone(),
            ..query(page, size)
        };
        let whole = store.list(&with(1, 100)).await.unwrap();
        let all = numbers(&whole.items);
        assert!(all.len() >= 5 && all.contains(&0x11) && all.contains(&0x13));
        for size in 1..=3 {
            let (mut by_number, mut by_place, mut after) = (Vec::new(), Vec::new(), None);
            for page in 1..=8 / u64::from(size) + 1 {
                let numbered = store.list(&with(page, size)).await.unwrap();
                by_number.extend(numbers(&numbered.items));
                let placed = PageQuery {
                    after,
                    ..with(1, size)
                };
                if page == 1 || after.is_some() {
                    let placed = store.list(&placed).await.unwrap();
                    by_place.extend(numbers(&placed.items));
                    after = placed.last.filter(|_| placed.has_more);
                }
            }
            assert_eq!((&by_number, &by_place), (&all, &all), "{size} {filter:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_found_counted_and_exported() {
    let (_database, store) = stage().await;
    for n in ORDER {
        let id = RequestId(Uuid::from_u128(n));
        let found = store.find(id, &Visibility::All).await.unwrap();
        assert_eq!(found.map(|found| found.id), Some(id));
    }
    let counts = store
        .stats(&sample::dealer_id(), DateRange::default())
        .await;
    assert_eq!(counts.unwrap().total, 8);
    let phone = Phone::parse("081200000001").unwrap();
    let exported = store.export(&phone, None, 100).await.unwrap();
    assert_eq!(exported.len(), 6);
    assert_eq!(store.erase(&phone, 100).await.unwrap().requests, 6);
}

/// Dates of the dealers table are another team's as well, and a submission does not need them.
#[tokio::test(flavor = "multi_thread")]
async fn a_dealer_is_found_whatever_its_dates_are() {
    let database = TestDatabase::migrated().await;
    let backstage = PgBackstage::connect(&database).await;
    backstage.add_dealer(&sample::dealer()).await;
    let odd =
        "UPDATE dealer_integration.dealers SET created_at = 'infinity', updated_at = '-infinity'";
    let client = database.connect().await;
    client.batch_execute(odd).await.unwrap();
    let vault = SecretsKeys::parse(crate::contract::TEST_KEY).unwrap();
    let dealers = store(&database).dealers_with(std::sync::Arc::new(vault));
    let dealer = dealers.find(&sample::dealer_id()).await.unwrap().unwrap();
    assert_eq!((dealer.created_at, dealer.updated_at), (None, None));
    assert!(dealer.api_key.is_some());
    assert_eq!(dealers.list().await.unwrap().len(), 1);
}
