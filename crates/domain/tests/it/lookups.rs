use std::sync::Arc;

use domain::access::Visibility;
use domain::dealers::Dealer;
use domain::ports::{
    DateRange, DealerStats, MockDealerDirectory, MockReports, MockRequestStore, PageQuery,
    StoreError,
};
use domain::requests::{Request, RequestId};
use domain::usecases::{LookupError, Lookups, Ports};
use testkit::{World, sample};

use crate::support::{queue, step, unavailable};

#[tokio::test]
async fn a_request_is_found_by_its_id() {
    let world = World::new();
    let request = world
        .services()
        .intake
        .accept(sample::submission())
        .await
        .unwrap();
    let found = world
        .services()
        .lookups
        .request(request.id, &Visibility::All)
        .await
        .unwrap();
    assert_eq!(found, Some(request));
}

#[tokio::test]
async fn an_unknown_request_is_no_error() {
    let world = World::new();
    queue(&world, 1).await;
    let unknown = RequestId(uuid(2));
    assert_eq!(
        world
            .services()
            .lookups
            .request(unknown, &Visibility::All)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_request_that_cannot_be_looked_up_is_an_error() {
    let mut requests = MockRequestStore::new();
    requests.expect_find().returning(|_, _| Err(unavailable()));
    let world = World::new();
    let lookups = world
        .services_over(&Ports {
            dealers: Arc::new(MockDealerDirectory::new()),
            requests: Arc::new(requests),
            reports: Arc::new(MockReports::new()),
            ..world.ports()
        })
        .lookups;
    let answer = lookups.request(RequestId(uuid(1)), &Visibility::All).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn a_dealers_requests_are_listed_newest_first() {
    let world = World::new();
    for n in 1..=5 {
        queue(&world, n).await;
    }
    let query = PageQuery {
        page: 2,
        page_size: 2,
        ..everything()
    };
    let page = world.services().lookups.list(&query).await.unwrap();
    let expected =
        [3, 2].map(|n| Request::just_stored(&sample::request_for(&sample::dealer_id(), n)));
    assert_eq!(page.items, expected);
    assert_eq!(page.total, 5);
}

#[tokio::test]
async fn statistics_come_with_the_dealer() {
    let world = World::new();
    queue(&world, 1).await;
    queue(&world, 2).await;
    step(&world.services().dispatcher).await;
    let (dealer, stats) = world
        .services()
        .lookups
        .stats(&sample::dealer_id(), DateRange::default())
        .await
        .unwrap();
    assert_eq!(dealer.name, "Dealer Demo");
    let expected = DealerStats {
        total: 2,
        sent: 1,
        not_sent: 1,
        pending_requests: 1,
        processed_requests: 1,
        ..DealerStats::default()
    };
    assert_eq!(stats, expected);
}

#[tokio::test]
async fn statistics_are_those_of_the_days_asked_for() {
    let world = World::new();
    let range = DateRange {
        from: sample::morning(2026, 1, 1).date().into(),
        to: sample::morning(2026, 1, 2).date().into(),
    };
    let mut reports = MockReports::new();
    reports
        .expect_stats()
        .withf(move |dealer, asked| *dealer == sample::dealer_id() && *asked == range)
        .times(1)
        .returning(|_, _| Ok(DealerStats::default()));
    let lookups = with_reports(&world, reports);
    assert!(lookups.stats(&sample::dealer_id(), range).await.is_ok());
}

#[tokio::test]
async fn an_unknown_dealer_has_neither_list_nor_statistics() {
    let world = World::new();
    world.store.remove_dealer(&sample::dealer_id());
    assert_no_dealer(&world).await;
}

#[tokio::test]
async fn an_inactive_dealer_has_neither_list_nor_statistics() {
    let world = World::new();
    world.store.put_dealer(Dealer {
        active: false,
        ..sample::dealer()
    });
    assert_no_dealer(&world).await;
}

#[tokio::test]
async fn a_dealer_without_an_account_can_look_back() {
    let world = World::new();
    queue(&world, 1).await;
    world.store.put_dealer(Dealer {
        api_key: None,
        ..sample::dealer()
    });
    let page = world.services().lookups.list(&everything()).await.unwrap();
    assert_eq!(page.total, 1);
}

#[tokio::test]
async fn a_directory_that_fails_is_not_an_unknown_dealer() {
    let mut dealers = MockDealerDirectory::new();
    dealers.expect_find().returning(|_| Err(unavailable()));
    let world = World::new();
    let lookups = world
        .services_over(&Ports {
            dealers: Arc::new(dealers),
            requests: Arc::new(MockRequestStore::new()),
            reports: Arc::new(MockReports::new()),
            ..world.ports()
        })
        .lookups;
    let list = lookups.list(&everything()).await;
    assert!(matches!(list, Err(LookupError::Store(_))));
    let stats = lookups
        .stats(&sample::dealer_id(), DateRange::default())
        .await;
    assert!(matches!(stats, Err(LookupError::Store(_))));
}

#[tokio::test]
async fn reports_that_fail_are_an_error() {
    let world = World::new();
    let mut reports = MockReports::new();
    reports.expect_list().returning(|_| Err(unavailable()));
    reports.expect_stats().returning(|_, _| Err(unavailable()));
    let lookups = with_reports(&world, reports);
    let list = lookups.list(&everything()).await;
    assert!(matches!(list, Err(LookupError::Store(_))));
    let stats = lookups
        .stats(&sample::dealer_id(), DateRange::default())
        .await;
    assert!(matches!(stats, Err(LookupError::Store(_))));
}

/// Nothing is read of a dealer that may not see it.
async fn assert_no_dealer(world: &World) {
    let lookups = with_reports(world, MockReports::new());
    let list = lookups.list(&everything()).await;
    assert!(matches!(list, Err(LookupError::UnknownDealer)));
    let stats = lookups
        .stats(&sample::dealer_id(), DateRange::default())
        .await;
    assert!(matches!(stats, Err(LookupError::UnknownDealer)));
}

fn with_reports(world: &World, reports: MockReports) -> Arc<Lookups> {
    world
        .services_over(&Ports {
            reports: Arc::new(reports),
            ..world.ports()
        })
        .lookups
}

fn everything() -> PageQuery {
    PageQuery {
        filter: domain::ports::RequestFilter::default(),
        after: None,
        dealer: sample::dealer_id(),
        range: DateRange::default(),
        page: 1,
        page_size: 10,
    }
}

fn uuid(n: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(n)
}
