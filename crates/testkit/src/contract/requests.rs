//! Promises of [`RequestStore`](domain::ports::RequestStore).

use chrono::NaiveDate;
use domain::access::Visibility;
use domain::ports::{DateRange, PageQuery};
use domain::requests::{MessageState, NewRequest, Origin, Request, RequestId, Submission};
use domain::values::LicensePlate;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::acts::{HOUR, to_send};
use super::{OldRow, Stage};
use crate::sample;

/// Before and after storing it shows the same.
pub async fn a_stored_request_is_found_as_it_was_submitted(stage: &Stage) {
    let request = sample::new_request();
    stage.requests.accept(&request).await.expect("accept");
    assert_eq!(
        stage.request(request.id).await,
        Request::just_stored(&request)
    );
}

/// Absent is `Ok(None)`.
pub async fn an_unknown_request_is_absent(stage: &Stage) {
    stage.queue(&sample::dealer_id(), 1).await;
    let unknown = RequestId(Uuid::now_v7());
    assert_eq!(
        stage
            .requests
            .find(unknown, &Visibility::All)
            .await
            .expect("find"),
        None
    );
}

/// Both exist.
pub async fn a_request_and_its_message_are_stored_together(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    let stored = stage.message(request.id).await;
    assert_eq!(stored.id, request.message.id);
    assert_eq!(stored.state, MessageState::Queued);
    assert_eq!(stored.unknowns, 0);
    let claim = stage.claim().await;
    let message = to_send(&claim);
    assert_eq!(message.id, request.message.id);
    assert_eq!(message.request_id, request.id);
    assert_eq!(message.target, request.submission.phone.national());
    assert_eq!(message.body, request.message.body);
}

/// Neither exists: the message's id is taken.
pub async fn a_request_whose_message_cannot_be_stored_is_not_stored(stage: &Stage) {
    let dealer = sample::dealer_id();
    let first = stage.queue(&dealer, 1).await;
    let mut second = sample::request_for(&dealer, 2);
    second.message.id = first.message.id;
    assert!(stage.requests.accept(&second).await.is_err());
    assert_eq!(
        stage
            .requests
            .find(second.id, &Visibility::All)
            .await
            .expect("find"),
        None
    );
    assert_eq!(total(stage, &first).await, 1);
}

/// Accepting the same id again fails and changes nothing.
pub async fn an_id_is_stored_once(stage: &Stage) {
    let dealer = sample::dealer_id();
    let first = stage.queue(&dealer, 1).await;
    let mut second = sample::request_for(&dealer, 2);
    second.id = first.id;
    assert!(stage.requests.accept(&second).await.is_err());
    assert!(stage.requests.accept(&first).await.is_err());
    assert_eq!(stage.request(first.id).await, Request::just_stored(&first));
    assert_eq!(stage.message(first.id).await.id, first.message.id);
    assert_eq!(total(stage, &first).await, 1);
}

/// Concurrent callers do not disturb one another.
pub async fn requests_accepted_at_once_are_all_stored(stage: &Stage) {
    let requests: Vec<NewRequest> = (0..60)
        .map(|n| sample::request_for(&sample::dealer_id_numbered(n % 3), n))
        .collect();
    let accepted = accept_at_once(stage, requests.clone()).await;
    assert_eq!(accepted, requests.len());
    for request in &requests {
        assert_eq!(
            stage.request(request.id).await,
            Request::just_stored(request)
        );
        assert_eq!(stage.message(request.id).await.id, request.message.id);
    }
}

/// A batch does not fail as a whole.
pub async fn a_request_that_cannot_be_stored_harms_only_itself(stage: &Stage) {
    let dealer = sample::dealer_id();
    stage.queue(&dealer, 0).await;
    // The first of these is stored already.
    let requests: Vec<NewRequest> = (0..40).map(|n| sample::request_for(&dealer, n)).collect();
    assert_eq!(accept_at_once(stage, requests.clone()).await, 39);
    assert_eq!(total(stage, &requests[0]).await, 40);
}

/// Of concurrent callers with one id one succeeds.
pub async fn an_id_that_comes_many_times_at_once_is_stored_once(stage: &Stage) {
    let request = sample::new_request();
    let requests = vec![request.clone(); 20];
    assert_eq!(accept_at_once(stage, requests).await, 1);
    assert_eq!(total(stage, &request).await, 1);
}

/// Texts are data and never interpreted.
pub async fn texts_are_kept_byte_for_byte(stage: &Stage) {
    let odd = [
        "NULL",
        "null",
        "{1,2}",
        "\"quoted\", 'single' \\ back",
        "O'Brien; DROP TABLE message; --",
        "Ibu Sri 🏍️ é 漢字 \u{2060}{name}",
        " spaces around ",
        "%s $1 \\x00 \\u0000",
    ];
    for (n, text) in (1..).zip(odd) {
        let mut request = sample::request_for(&sample::dealer_id(), n);
        request.submission.customer_name = text.to_owned();
        request.submission.unit_type = text.to_owned();
        request.message.body = format!("{text}\n{text}");
        stage.requests.accept(&request).await.expect("accept");
        assert_eq!(
            stage.request(request.id).await,
            Request::just_stored(&request)
        );
        let claim = stage.claim().await;
        assert_eq!(to_send(&claim).body, request.message.body);
        stage
            .settle_now(&claim, super::acts::sent(), super::acts::READY)
            .await;
    }
}

/// Texts of the greatest length, counted in characters.
pub async fn the_longest_texts_fit(stage: &Stage) {
    let submission = Submission {
        customer_name: "é".repeat(255).into(),
        unit_type: "漢".repeat(100).into(),
        license_plate: "🏍".repeat(20).into(),
        phone: "081200000000 1".into(),
        ..sample::submission()
    };
    let mut request = sample::new_request();
    request.submission = submission
        .validate(sample::now())
        .expect("all rules are kept");
    request.message.body = "漢".repeat(4_000);
    stage.requests.accept(&request).await.expect("accept");
    assert_eq!(
        stage.request(request.id).await,
        Request::just_stored(&request)
    );
}

/// A plate that is not Indonesian is stored like any other.
pub async fn an_unusual_plate_is_kept_as_it_was_sent(stage: &Stage) {
    for (n, plate) in (1..).zip(["d-123ad", "XX 1", "沪A·12345", "RI 1"]) {
        let submission = Submission {
            license_plate: plate.into(),
            ..sample::submission()
        };
        let mut request = sample::request_for(&sample::dealer_id(), n);
        request.submission = submission
            .validate(sample::now())
            .expect("all rules are kept");
        stage.requests.accept(&request).await.expect("accept");
        let plate: &LicensePlate = &request.submission.license_plate;
        assert_eq!(
            stage.request(request.id).await.license_plate.as_deref(),
            Some(plate.as_sent())
        );
    }
}

/// The first and the last valid time.
pub async fn the_first_and_the_last_year_are_kept(stage: &Stage) {
    let dealer = sample::dealer_id();
    for (n, (year, month, day)) in (1..).zip([(1, 1, 1), (9999, 12, 31)]) {
        let time = NaiveDate::from_ymd_opt(year, month, day)
            .and_then(|day| day.and_hms_opt(23, 59, 59))
            .expect("the moment exists");
        let request = sample::request_at(&dealer, n, time);
        stage.requests.accept(&request).await.expect("accept");
        assert_eq!(
            stage.request(request.id).await,
            Request::just_stored(&request)
        );
    }
}

/// A row of an older service is shown as stored; a missing status is that of a waiting request.
pub async fn rows_of_an_older_service_are_found_as_they_are(stage: &Stage) {
    let dealer = sample::dealer_id();
    let rows = [
        OldRow::sample(&dealer, 1),
        OldRow::sample(&dealer, 2).with_statuses("PROCESSED", "SENT"),
    ];
    for row in &rows {
        stage.backstage.insert_old_row(row).await;
        assert_eq!(stage.request(row.id).await, row.as_shown());
        assert_eq!(stage.backstage.message(row.id).await, None);
    }
    stage.assert_nothing_to_claim().await;
}

/// It waits until then, and its age counts from there.
pub async fn a_scheduled_message_waits_for_its_time(stage: &Stage) {
    let dealer = sample::dealer_id();
    let mut scheduled = sample::request_for(&dealer, 1);
    scheduled.message.not_before = Some(stage.backstage.now() + HOUR * 30);
    stage.requests.accept(&scheduled).await.expect("accept");
    stage.assert_nothing_to_claim().await;
    let wait = stage.next_due().await.expect("it is queued");
    assert!(wait > HOUR * 29 && wait <= HOUR * 30, "{wait:?}");
    // A later request that is due at once goes first.
    let at_once = stage.queue(&dealer, 2).await;
    let claim = stage.claim().await;
    assert_eq!(to_send(&claim).id, at_once.message.id);
    stage
        .settle_now(&claim, super::acts::sent(), super::acts::READY)
        .await;
    stage.pass(HOUR * 29).await;
    stage.assert_nothing_to_claim().await;
    assert_eq!(stage.outbox.expire(HOUR).await.expect("expire"), 0);
    stage.pass(HOUR).await;
    let claim = stage.claim().await;
    let message = to_send(&claim);
    assert_eq!(message.id, scheduled.message.id);
    assert!(message.overdue < HOUR, "{:?}", message.overdue);
}

/// A past time means at once.
pub async fn a_schedule_in_the_past_means_at_once(stage: &Stage) {
    let mut request = sample::new_request();
    request.message.not_before = Some(stage.backstage.now() - HOUR * 48);
    stage.requests.accept(&request).await.expect("accept");
    assert_eq!(stage.outbox.expire(HOUR).await.expect("expire"), 0);
    let claim = stage.claim().await;
    assert!(to_send(&claim).overdue < HOUR);
}

/// Accepts all requests concurrently; returns how many were stored.
async fn accept_at_once(stage: &Stage, requests: Vec<NewRequest>) -> usize {
    let mut callers = JoinSet::new();
    for request in requests {
        let store = stage.requests.clone();
        callers.spawn(async move { store.accept(&request).await.is_ok() });
    }
    let answers = callers.join_all().await;
    answers.into_iter().filter(|stored| *stored).count()
}

/// The number of requests of this one's dealer.
async fn total(stage: &Stage, request: &NewRequest) -> u64 {
    let query = PageQuery {
        filter: domain::ports::RequestFilter::default(),
        after: None,
        dealer: request.submission.dealer_id.clone(),
        range: DateRange::default(),
        page: 1,
        page_size: 1,
    };
    stage.reports.list(&query).await.expect("list").total
}

/// The caller learns nothing about it.
pub async fn a_request_that_cannot_be_seen_is_absent(stage: &Stage) {
    let request = stage.queue(&sample::dealer_id(), 1).await;
    let find = async |seen: Visibility| stage.requests.find(request.id, &seen).await.expect("find");
    let other = sample::dealer_id_numbered(1);
    assert_eq!(find(Visibility::Only(other)).await, None);
    assert!(find(Visibility::Only(sample::dealer_id())).await.is_some());
    assert!(find(Visibility::All).await.is_some());
}

/// Later steps can be traced back to the HTTP request.
pub async fn a_message_remembers_the_call_it_came_from(stage: &Stage) {
    let dealer = sample::dealer_id();
    for (n, traceparent) in [
        (1, None),
        (
            2,
            Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ),
    ] {
        let origin = Some(Origin {
            request_id: format!("call-{n}"),
            traceparent: traceparent.map(str::to_owned),
        });
        let dealer = sample::dealer_id_numbered(n);
        let mut request = sample::request_for(&dealer, n);
        request.message.origin.clone_from(&origin);
        stage.requests.accept(&request).await.expect("accept");
        assert_eq!(to_send(&stage.claim().await).origin, origin);
    }
    stage.queue(&dealer, 3).await;
    assert_eq!(to_send(&stage.claim().await).origin, None);
}
