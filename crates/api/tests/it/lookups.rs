//! 1.2: one request.

use std::sync::Arc;

use domain::ports::{MockRequestStore, RequestStore as _};
use domain::requests::{Request, RequestId};
use testkit::contract::{Backstage as _, OldRow};
use testkit::sample;
use uuid::Uuid;

use crate::service::{Service, corrupt, unavailable};

fn path(id: impl std::fmt::Display) -> String {
    format!("/api/v1/customer/request/{id}")
}

fn with_found(
    find: impl Fn() -> Result<Option<Request>, domain::ports::StoreError> + Send + 'static,
) -> Service {
    let mut requests = MockRequestStore::new();
    requests.expect_find().returning(move |_, _| find());
    Service::with(|ports| ports.requests = Arc::new(requests))
}

#[tokio::test]
async fn the_example_of_the_contract_is_answered_byte_for_byte() {
    let id = "23f16411-6eb2-4829-a964-9ad1f0e0cc22";
    let service = with_found(move || {
        let mut request = Request::just_stored(&sample::new_request());
        request.id = RequestId(Uuid::parse_str(id).unwrap());
        request.request_status = "PROCESSED".to_owned();
        request.whatsapp_status = "SENT".to_owned();
        request.provider_answer = Some(sample::ANSWER.to_owned());
        request.last_modified_by = Some("system".to_owned());
        request.last_modified_date = sample::morning(2026, 11, 22)
            .date()
            .and_hms_micro_opt(16, 20, 13, 344_527);
        Ok(Some(request))
    });
    let expected = concat!(
        r#"{"success":true,"message":"Request found","data":{"#,
        r#""id":"23f16411-6eb2-4829-a964-9ad1f0e0cc22","dealer_id":"0009999","#,
        r#""request_date":"2019-12-31","request_time":"15:40:50","#,
        r#""nama_pembawa":"Adit","no_telp":"082148523421","tipe_unit":"BeAT Street","no_pol":"D 123 AD","#,
        r#""request_status":"PROCESSED","whatsapp_status":"SENT","#,
        r#""fonnte_response":{"detail":"success! message in queue","id":[142223099],"process":"pending","requestid":369052479,"status":true,"target":["6282148523421"]},"#,
        r#""created_by":"api","created_date":"2019-12-31T15:40:50","#,
        r#""last_modified_by":"system","last_modified_date":"2026-11-22T16:20:13.344527"}}"#
    );
    for id in [id.to_owned(), id.to_uppercase(), format!("{id}/")] {
        let reply = service.get(&path(id)).await;
        reply.is(200, expected);
        assert_eq!(reply.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn an_id_that_is_unknown_or_none_is_not_found() {
    let service = Service::start();
    for id in [
        "23f16411-6eb2-4829-a964-9ad1f0e0cc22",
        "00000000-0000-0000-0000-000000000000",
        "17",
        "not-a-uuid",
        "23f16411-6eb2-4829-a964-9ad1f0e0cc2",
        "23f16411-6eb2-4829-a964-9ad1f0e0cc22x",
        "%00",
        "%FF%FE",
        "%E2%82%AC",
        "%2e%2e%2f",
        "a%20b",
        "';--",
        &"a".repeat(3_000),
    ] {
        let reply = service.get(&path(id)).await;
        reply.is_error(404, "RequestNotFound", "Request not found");
    }
}

#[tokio::test]
async fn a_row_of_an_older_service_is_shown_as_it_is_stored() {
    let service = Service::start();
    let row = OldRow::sample(&sample::dealer_id(), 3);
    service.world.store.insert_old_row(&row).await;
    let expected = format!(
        concat!(
            r#"{{"success":true,"message":"Request found","data":{{"id":"{}","dealer_id":"0009999","#,
            r#""request_date":"2026-01-05","request_time":"08:00:03","nama_pembawa":"Budi","#,
            r#""no_telp":"+62 821-4852-3421","tipe_unit":"Vario 125","no_pol":"d123ad","#,
            r#""request_status":"PENDING","whatsapp_status":"NOT_SENT","fonnte_response":null,"#,
            r#""created_by":null,"created_date":null,"last_modified_by":null,"#,
            r#""last_modified_date":null}}}}"#
        ),
        row.id
    );
    service.get(&path(row.id)).await.is(200, &expected);
}

#[tokio::test]
async fn statuses_of_an_older_service_are_shown_as_they_are_stored() {
    let service = Service::start();
    let row = OldRow::sample(&sample::dealer_id(), 1).with_statuses("DONE", "terkirim");
    service.world.store.insert_old_row(&row).await;
    let data = service.get(&path(row.id)).await.json();
    assert_eq!(data["data"]["request_status"], "DONE");
    assert_eq!(data["data"]["whatsapp_status"], "terkirim");
}

#[tokio::test]
async fn the_providers_answer_is_passed_on_byte_for_byte() {
    for answer in [
        r#"{"raw_response":"<html>bad gateway</html>"}"#,
        r#"{"error":"timeout"}"#,
        r#"{ "big": 123456789012345678901234567890, "pi":3.140, "a":[1 ,2],"a":"é\u00e9" }"#,
        "null",
    ] {
        let service = with_found(move || {
            let mut request = Request::just_stored(&sample::new_request());
            request.provider_answer = Some(answer.to_owned());
            Ok(Some(request))
        });
        let reply = service.get(&path(Uuid::nil())).await;
        let shown = format!(r#""fonnte_response":{answer},"created_by""#);
        assert!(reply.body.contains(&shown), "{reply:?}");
    }
}

#[tokio::test]
async fn a_message_that_waits_shows_the_answer_of_the_last_try() {
    let service = Service::start();
    let request = sample::new_request();
    let store = &service.world.store;
    store.accept(&request).await.unwrap();
    let dispatcher = service.world.services().dispatcher;
    service
        .world
        .whatsapp
        .will(domain::delivery::Outcome::NotSent {
            reason: "connection refused".to_owned(),
            retry_after: None,
        });
    dispatcher.run_once(1).await.unwrap();
    let data = service.get(&path(request.id)).await.json();
    assert_eq!(data["data"]["whatsapp_status"], "NOT_SENT");
    assert_eq!(data["data"]["fonnte_response"]["error"], "connection_error");
    assert_eq!(data["data"]["last_modified_by"], "system");
}

#[tokio::test]
async fn a_store_that_is_away_is_a_503() {
    let service = with_found(|| Err(unavailable()));
    let reply = service.get(&path(Uuid::nil())).await;
    reply.is_error(503, "Unavailable", "The service cannot answer now");
    assert_eq!(reply.header("retry-after"), Some("5"));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_a_500() {
    let service = with_found(|| Err(corrupt()));
    let reply = service.get(&path(Uuid::nil())).await;
    reply.is_error(500, "InternalServerError", "Internal server error");
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_service_goes_on() {
    let service = with_found(|| panic!("an invented panic"));
    let reply = service.get(&path(Uuid::nil())).await;
    reply.is_error(500, "InternalServerError", "Internal server error");
    assert_eq!(service.get("/api/v1/health").await.status, 200);
    assert_eq!(service.get(&path("17")).await.status, 404);
}
