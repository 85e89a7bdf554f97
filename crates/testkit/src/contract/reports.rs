//! Promises of [`Reports`](domain::ports::Reports).

use chrono::{NaiveDate, NaiveDateTime};
use domain::ports::{DateRange, DealerStats, Page, PageQuery};
use domain::requests::{NewRequest, Request, RequestId, RequestStatus, WhatsappStatus};
use domain::values::{DealerId, Search};

use super::acts::{READY, sent};
use super::{OldRow, Stage};
use crate::sample;

/// By date, then time, in any order of arrival.
pub async fn the_newest_request_comes_first(stage: &Stage) {
    let times = [
        (3, sample::morning(2026, 1, 7)),
        (1, sample::morning(2026, 1, 9)),
        (2, sample::morning(2026, 1, 7) + chrono::TimeDelta::hours(9)),
        (4, sample::morning(2025, 12, 31)),
    ];
    for (n, created) in times {
        store(stage, &sample::dealer_id(), n, created).await;
    }
    let listed = ids(&list(stage, &everything(1, 10)).await);
    let expected = [1, 2, 3, 4].map(|n| sample::request_for(&sample::dealer_id(), n).id);
    assert_eq!(listed, expected);
}

/// The order is total, so that pages have clear bounds.
pub async fn requests_of_the_same_moment_are_in_descending_order_of_their_ids(stage: &Stage) {
    let moment = sample::morning(2026, 1, 7);
    for n in [2, 5, 1, 4, 3] {
        store(stage, &sample::dealer_id(), n, moment).await;
    }
    let listed = ids(&list(stage, &everything(1, 10)).await);
    let expected = [5, 4, 3, 2, 1].map(|n| sample::request_for(&sample::dealer_id(), n).id);
    assert_eq!(listed, expected);
}

/// All pages together are the whole list, each request once, even with equal times.
pub async fn pages_never_overlap(stage: &Stage) {
    for n in 0..23 {
        let created = sample::morning(2026, 1, 5 + n % 3);
        store(stage, &sample::dealer_id(), n, created).await;
    }
    let whole = list(stage, &everything(1, 100)).await;
    assert_eq!((whole.items.len(), whole.total), (23, 23));
    for page_size in [1, 4, 7, 23] {
        let mut pages = Vec::new();
        for page in 1..=23_u64.div_ceil(page_size.into()) {
            let page = list(stage, &everything(page, page_size)).await;
            assert_eq!(page.total, 23);
            pages.extend(page.items);
        }
        assert_eq!(pages, whole.items, "pages of {page_size}");
    }
}

/// For any days and statuses.
pub async fn a_page_by_number_is_its_part_of_the_list(stage: &Stage) {
    let dealer = sample::dealer_id();
    let statuses = [
        (None, None),
        (Some("PROCESSED"), Some("SENT")),
        (Some("PROCESSED"), Some("READ")),
        (Some("ODD"), Some("SENT")),
    ];
    for n in 0..30 {
        let created =
            sample::morning(2026, 1, 5 + n % 4) + chrono::TimeDelta::seconds((n / 8).into());
        let request = store(stage, &dealer, n, created).await;
        let (request_status, whatsapp_status) = statuses[n as usize % 7 % 4];
        stage
            .backstage
            .set_statuses(request.id, request_status, whatsapp_status)
            .await;
    }
    let some_days = DateRange {
        from: Some(january(6)),
        to: Some(january(7)),
    };
    for range in [DateRange::default(), some_days] {
        for whatsapp_statuses in [vec![], vec![WhatsappStatus::Sent, WhatsappStatus::NotSent]] {
            let mut query = query(range, 1, 100);
            query.filter.whatsapp_statuses = whatsapp_statuses;
            let whole = list(stage, &query).await;
            assert!(whole.total > 7 && !whole.has_more);
            for page_size in [1, 3, 8] {
                let parts = whole.items.chunks(page_size as usize);
                for (page, part) in (1..).zip(parts) {
                    let query = PageQuery {
                        page,
                        page_size,
                        ..query.clone()
                    };
                    let found = list(stage, &query).await;
                    assert_eq!((found.items.as_slice(), found.total), (part, whole.total));
                    let is_last = page == whole.total.div_ceil(page_size.into());
                    assert_eq!(found.has_more, !is_last);
                }
            }
        }
    }
}

/// Its total is still right.
pub async fn a_page_past_the_end_is_empty(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    for page in [2, 1_000_000, u64::MAX] {
        let page = list(stage, &everything(page, 100)).await;
        assert_eq!((page.items.len(), page.total), (0, 1));
    }
}

/// A list shows a request as `find` does.
pub async fn a_list_shows_requests_as_they_are_found(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    assert_eq!(
        list(stage, &everything(1, 10)).await.items,
        [Request::just_stored(&request)]
    );
    let claim = stage.claim().await;
    stage.settle_now(&claim, sent(), READY).await;
    assert_eq!(
        list(stage, &everything(1, 10)).await.items,
        [stage.request(request.id).await]
    );
}

/// One tenant sees nothing of another.
pub async fn a_dealer_sees_only_its_own_requests(stage: &Stage) {
    let other = sample::dealer_id_numbered(1);
    let own = stage.queue(&sample::dealer_id(), 1).await;
    stage.queue(&other, 2).await;
    stage.queue(&other, 3).await;
    let page = list(stage, &everything(1, 10)).await;
    assert_eq!((ids(&page), page.total), (vec![own.id], 1));
    assert_eq!(stats(stage, &other, DateRange::default()).await.total, 2);
}

/// For a dealer without requests, and for a missing one.
pub async fn no_requests_are_an_empty_list_and_zero_counts(stage: &Stage) {
    stage.queue(&sample::dealer_id_numbered(1), 1).await;
    let page = list(stage, &everything(1, 10)).await;
    assert_eq!((page.items.len(), page.total), (0, 0));
    let counts = stats(stage, &sample::dealer_id(), DateRange::default()).await;
    assert_eq!(counts, DealerStats::default());
}

/// Both ends are included, an absent end is open, and a range with its end before its beginning is empty.
pub async fn a_range_of_days_includes_both_ends(stage: &Stage) {
    let last_second = |day| NaiveDate::and_hms_opt(&day, 23, 59, 59).expect("it exists");
    let midnight = |day| NaiveDate::and_hms_opt(&day, 0, 0, 0).expect("it exists");
    for day in 5..=8 {
        let n = day * 2;
        store(stage, &sample::dealer_id(), n, midnight(january(day))).await;
        store(
            stage,
            &sample::dealer_id(),
            n + 1,
            last_second(january(day)),
        )
        .await;
    }
    for (from, to, expected) in [
        (None, None, 8),
        (Some(6), Some(7), 4),
        (Some(6), Some(6), 2),
        (Some(6), None, 6),
        (None, Some(6), 4),
        (Some(9), None, 0),
        (None, Some(4), 0),
        (Some(7), Some(6), 0),
    ] {
        let range = DateRange {
            from: from.map(january),
            to: to.map(january),
        };
        let page = list(stage, &query(range, 1, 100)).await;
        let counts = stats(stage, &sample::dealer_id(), range).await;
        assert_eq!(page.total, expected, "{from:?} to {to:?}");
        assert_eq!(page.items.len() as u64, expected, "{from:?} to {to:?}");
        assert_eq!(counts.total, expected, "{from:?} to {to:?}");
        let inside =
            |request: &Request| request.request_date.is_some_and(|day| range.contains(day));
        assert!(page.items.iter().all(inside), "{from:?} to {to:?}");
    }
}

/// In order, shown as stored.
pub async fn lists_show_rows_of_an_older_service(stage: &Stage) {
    let dealer = sample::dealer_id();
    let row = OldRow::sample(&dealer, 2);
    let older = stage.queue(&dealer, 1).await;
    let newer = stage.queue(&dealer, 3).await;
    stage.backstage.insert_old_row(&row).await;
    let expected = [
        Request::just_stored(&newer),
        row.as_shown(),
        Request::just_stored(&older),
    ];
    assert_eq!(list(stage, &everything(1, 10)).await.items, expected);
}

pub(super) async fn store(
    stage: &Stage,
    dealer: &DealerId,
    n: u32,
    created: NaiveDateTime,
) -> NewRequest {
    let request = sample::request_at(dealer, n, created);
    stage.requests.accept(&request).await.expect("accept");
    request
}

/// From any page on, the cursor leads through the rest of the list, each request once.
pub async fn a_list_can_be_followed_by_places(stage: &Stage) {
    for n in 0..23 {
        let created = sample::morning(2026, 1, 5 + n % 3);
        store(stage, &sample::dealer_id(), n, created).await;
    }
    let whole = list(stage, &everything(1, 100)).await;
    assert!(!whole.has_more);
    for page_size in [1, 4, 23, 30] {
        let first = list(stage, &everything(1, page_size)).await;
        let (mut seen, mut last, mut has_more) = (first.items, first.last, first.has_more);
        while has_more {
            let next = PageQuery {
                after: last,
                // Ignored.
                page: 7,
                ..everything(1, page_size)
            };
            let page = list(stage, &next).await;
            assert_eq!(page.total, 23, "of the whole list");
            assert!(!page.items.is_empty());
            seen.extend(page.items);
            (last, has_more) = (page.last, page.has_more);
        }
        assert_eq!(seen, whole.items, "pages of {page_size}");
    }
}

/// Rows of an older service without a status included.
pub async fn a_list_can_be_of_certain_statuses(stage: &Stage) {
    let dealer = sample::dealer_id();
    let statuses = [
        (None, None),
        (Some("PENDING"), Some("NOT_SENT")),
        (Some("PROCESSED"), Some("SENT")),
        (Some("PROCESSED"), Some("READ")),
        (Some("FAILED"), Some("ERROR")),
        (Some("ODD"), Some("SENT")),
    ];
    for (n, (request_status, whatsapp_status)) in (0..).zip(statuses) {
        let created = sample::morning(2026, 1, 5 + n % 3);
        store(stage, &dealer, n, created).await;
        let id = sample::request_for(&dealer, n).id;
        stage
            .backstage
            .set_statuses(id, request_status, whatsapp_status)
            .await;
    }
    let (pending, processed) = (RequestStatus::Pending, RequestStatus::Processed);
    let (not_sent, sent) = (WhatsappStatus::NotSent, WhatsappStatus::Sent);
    for (request_statuses, whatsapp_statuses, expected) in [
        (vec![pending], vec![], vec![1, 0]),
        (vec![], vec![not_sent], vec![1, 0]),
        (
            vec![pending, processed],
            vec![sent, not_sent],
            vec![2, 1, 0],
        ),
        (vec![], vec![sent], vec![5, 2]),
        (vec![RequestStatus::Failed], vec![sent], vec![]),
    ] {
        let mut query = everything(1, 2);
        query.filter.request_statuses = request_statuses;
        query.filter.whatsapp_statuses = whatsapp_statuses;
        let mut expected: Vec<_> = expected
            .into_iter()
            .map(|n| sample::request_for(&dealer, n).id)
            .collect();
        let (whole, total) = followed(stage, query.clone()).await;
        expected.sort();
        let mut found: Vec<_> = whole.iter().map(|request| request.id).collect();
        found.sort();
        assert_eq!((found, total), (expected, whole.len() as u64), "{query:?}");
        let newest_first = |request: &Request| {
            std::cmp::Reverse((request.request_date, request.request_time, request.id))
        };
        assert!(whole.is_sorted_by_key(newest_first));
    }
}

/// By a part of the name, the plate or the phone, in any notation.
pub async fn a_list_can_be_searched(stage: &Stage) {
    let dealer = sample::dealer_id();
    for (n, name, phone, plate) in [
        (1, "Siti Aminah", "081234567890", "B 1234 XYZ"),
        (2, "Budi 100% Jaya", "0821-4852-3421", "D 123 AD"),
        (3, "Adit_S", "082148523421", "d-777-zz"),
        (4, "José Ángel İnci", "081999999999", "I 1 I"),
        (5, "Jose\u{301} [Çelik]", "081999999999", "B 1 A"),
    ] {
        let request = sample::request_for(&dealer, n);
        let row = OldRow {
            id: request.id,
            dealer_id: dealer.clone(),
            requested: sample::morning(2026, 1, n),
            customer_name: name.to_owned(),
            phone: phone.to_owned(),
            unit_type: "BeAT".to_owned(),
            license_plate: plate.to_owned(),
            request_status: None,
            whatsapp_status: None,
        };
        stage.backstage.insert_old_row(&row).await;
    }
    for (text, expected) in [
        ("aminah", vec![1]),
        ("i A", vec![1]),
        ("0% j", vec![2]),
        ("t_s", vec![3]),
        ("0_j", vec![]),
        ("\\ % ", vec![]),
        ("b1234", vec![1]),
        ("1234 xy", vec![1]),
        ("777 ZZ", vec![3]),
        ("+62 821 4852", vec![3, 2]),
        ("2148-52", vec![3, 2]),
        ("jose", vec![5, 4]),
        ("JOSÉ a", vec![4]),
        ("angel inci", vec![4]),
        ("[çel", vec![5]),
        ("i1i", vec![4]),
        ("BeAT", vec![]),
    ] {
        let mut query = everything(1, 1);
        query.filter.search = Some(Search::parse(text).expect("it can be searched for"));
        let expected: Vec<_> = expected
            .into_iter()
            .map(|n| sample::request_for(&dealer, n).id)
            .collect();
        let (found, total) = followed(stage, query).await;
        let found: Vec<_> = found.iter().map(|request| request.id).collect();
        assert_eq!(total, expected.len() as u64, "{text}");
        assert_eq!(found, expected, "{text}");
    }
}

/// A whole list by cursor, and its total.
async fn followed(stage: &Stage, mut query: PageQuery) -> (Vec<Request>, u64) {
    let mut found = Vec::new();
    loop {
        let page = list(stage, &query).await;
        found.extend(page.items);
        if !page.has_more {
            return (found, page.total);
        }
        query.after = page.last;
    }
}

pub(super) async fn list(stage: &Stage, query: &PageQuery) -> Page {
    stage.reports.list(query).await.expect("list")
}

pub(super) async fn stats(stage: &Stage, dealer: &DealerId, range: DateRange) -> DealerStats {
    stage.reports.stats(dealer, range).await.expect("stats")
}

pub(super) fn query(range: DateRange, page: u64, page_size: u32) -> PageQuery {
    PageQuery {
        filter: domain::ports::RequestFilter::default(),
        after: None,
        dealer: sample::dealer_id(),
        range,
        page,
        page_size,
    }
}

pub(super) fn everything(page: u64, page_size: u32) -> PageQuery {
    query(DateRange::default(), page, page_size)
}

fn ids(page: &Page) -> Vec<RequestId> {
    page.items.iter().map(|request| request.id).collect()
}

pub(super) fn january(day: u32) -> NaiveDate {
    sample::morning(2026, 1, day).date()
}
