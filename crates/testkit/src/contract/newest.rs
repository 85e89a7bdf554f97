//! Promises of [`Reports::newest`](domain::ports::Reports::newest).

use chrono::{NaiveDate, TimeDelta};
use domain::ports::{DateRange, ListPlace, NewestPage, NewestQuery, RequestFilter};
use domain::requests::{RequestId, WhatsappStatus};
use domain::values::Search;

use super::Stage;
use crate::sample;

/// Request `n` of dealer `dealer`, so many minutes after a morning.
async fn store(stage: &Stage, dealer: u32, n: u32, minutes: i64) -> RequestId {
    let created = sample::morning(2026, 1, 7) + TimeDelta::minutes(minutes);
    let request = sample::request_at(&sample::dealer_id_numbered(dealer), n, created);
    stage.requests.accept(&request).await.expect("accept");
    request.id
}

async fn newest(stage: &Stage, query: &NewestQuery) -> NewestPage {
    stage.reports.newest(query).await.expect("newest")
}

fn query(page_size: u32) -> NewestQuery {
    NewestQuery {
        range: DateRange::default(),
        filter: RequestFilter::default(),
        after: None,
        page_size,
    }
}

fn ids(page: &NewestPage) -> Vec<RequestId> {
    page.items.iter().map(|request| request.id).collect()
}

/// By their times alone.
pub async fn requests_of_all_dealers_are_one_list(stage: &Stage) {
    assert_eq!(newest(stage, &query(10)).await.items, []);
    let mut stored = Vec::new();
    for n in 0..9 {
        stored.push(store(stage, n % 3, n, i64::from(n)).await);
    }
    stored.reverse();
    let page = newest(stage, &query(9)).await;
    assert_eq!(ids(&page), stored);
    assert!(!page.has_more);
    assert!(newest(stage, &query(8)).await.has_more);
}

/// All pages together are the whole list, once, though requests of several dealers have the same moment.
pub async fn pages_of_all_dealers_never_overlap(stage: &Stage) {
    for n in 0..14 {
        store(stage, n % 4, n, i64::from(n / 5)).await;
    }
    let whole = newest(stage, &query(100)).await;
    assert_eq!(whole.items.len(), 14);
    for page_size in [1, 3, 14] {
        let mut pages = Vec::new();
        let mut after: Option<ListPlace> = None;
        loop {
            let page = newest(
                stage,
                &NewestQuery {
                    after,
                    ..query(page_size)
                },
            )
            .await;
            pages.extend(ids(&page));
            if !page.has_more {
                break;
            }
            after = page.last;
        }
        assert_eq!(pages, ids(&whole), "pages of {page_size}");
    }
}

/// Of whichever dealer they are.
pub async fn the_list_of_all_dealers_is_filtered(stage: &Stage) {
    let early = store(stage, 1, 1, 0).await;
    let late = store(stage, 2, 2, 24 * 60).await;
    let statuses = (Some("PROCESSED"), Some("READ"));
    let backstage = &stage.backstage;
    backstage.set_statuses(late, statuses.0, statuses.1).await;
    let day = |day| NaiveDate::from_ymd_opt(2026, 1, day);
    let only = |from, to| NewestQuery {
        range: DateRange { from, to },
        ..query(10)
    };
    assert_eq!(ids(&newest(stage, &only(None, day(7))).await), [early]);
    assert_eq!(ids(&newest(stage, &only(day(8), None)).await), [late]);
    let with = |filter| NewestQuery {
        filter,
        ..query(10)
    };
    let read = with(RequestFilter {
        whatsapp_statuses: vec![WhatsappStatus::Read],
        ..RequestFilter::default()
    });
    assert_eq!(ids(&newest(stage, &read).await), [late]);
    for (text, found) in [
        ("pelanggan", 2),
        ("d123ad", 2),
        ("pelanggan 2", 1),
        ("nobody", 0),
    ] {
        let searched = with(RequestFilter {
            search: Search::parse(text).ok(),
            ..RequestFilter::default()
        });
        assert_eq!(newest(stage, &searched).await.items.len(), found, "{text}");
    }
}
