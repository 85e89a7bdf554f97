//! 1.1: what is stored, what is not, and what both are answered with.

use std::sync::Arc;

use domain::ports::{MockDealerDirectory, MockRequestStore, Outbox as _};

use crate::client::{Call, Reply};
use crate::service::{SUBMIT, Service, body, corrupt, fields, fields_with, rejected, unavailable};

const STORED: &str =
    r#"{"status":1,"message":{"confirmation":"Data berhasil disimpan"},"data":null}"#;
const UNKNOWN_DEALER: &str =
    r#"{"status":0,"message":{"error":"Dealer tidak ditemukan atau tidak aktif"},"data":null}"#;
const NO_ACCOUNT: &str = r#"{"status":0,"message":{"error":"Konfigurasi WhatsApp tidak tersedia untuk dealer ini"},"data":null}"#;
const NOT_STORED: &str =
    r#"{"status":0,"message":{"error":"Gagal menyimpan data ke database"},"data":null}"#;
const UNFORESEEN: &str =
    r#"{"status":0,"message":{"error":"Terjadi kesalahan sistem"},"data":null}"#;

/// The id in `Location`.
fn id(reply: &Reply) -> &str {
    let location = reply.header("location").expect("a location");
    location
        .strip_prefix("/api/v1/customer/request/")
        .expect("the path of a request")
}

fn assert_nothing_stored(service: &Service, reply: &Reply) {
    assert_eq!(service.world.store.request_count(), 0);
    assert_eq!(service.world.store.message_count(), 0);
    assert_eq!(service.world.bell.rings(), 0);
    assert_eq!(reply.header("location"), None);
    assert_eq!(reply.header("preference-applied"), None);
}

#[tokio::test]
async fn a_submission_is_stored_and_its_message_queued() {
    let service = Service::start();
    let reply = service.submit(body()).await;
    reply.is(200, STORED);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("preference-applied"), None);
    assert_eq!(service.world.store.request_count(), 1);
    assert_eq!(service.world.store.message_count(), 1);
    assert_eq!(service.world.bell.rings(), 1);
    let found = service.get(reply.header("location").unwrap()).await;
    assert_eq!(found.json()["data"]["id"], id(&reply));
}

#[tokio::test]
async fn the_caller_may_ask_for_what_was_stored() {
    let service = Service::start();
    let call = Call::post(SUBMIT, body()).header("Prefer", "return=representation");
    let reply = service.send(call).await;
    let item = service.item(id(&reply)).await;
    let waits = r#""no_pol":"D 123 AD","request_status":"PENDING","whatsapp_status":"NOT_SENT","fonnte_response":null,"created_by":"api","#;
    assert!(item.contains(waits), "{item}");
    reply.is(
        200,
        &format!(
            r#"{{"status":1,"message":{{"confirmation":"Data berhasil disimpan"}},"data":{item}}}"#
        ),
    );
    assert_eq!(
        reply.header("preference-applied"),
        Some("return=representation")
    );
    let found = service.get(reply.header("location").unwrap()).await;
    found.is(
        200,
        &format!(r#"{{"success":true,"message":"Request found","data":{item}}}"#),
    );
}

#[tokio::test]
async fn other_preferences_change_nothing() {
    let service = Service::start();
    for preference in ["return=minimal", "respond-async", "wait=10", "return", ""] {
        let call = Call::post(SUBMIT, body()).header("Prefer", preference);
        let reply = service.send(call).await;
        reply.is(200, STORED);
        assert_eq!(reply.header("preference-applied"), None, "{preference}");
    }
}

#[tokio::test]
async fn a_preference_does_not_show_what_was_not_stored() {
    let service = Service::start();
    let fields = fields_with("dealerId", "0000001");
    let call = Call::post(SUBMIT, serde_json::to_string(&fields).unwrap())
        .header("Prefer", "return=representation");
    let reply = service.send(call).await;
    reply.is(200, UNKNOWN_DEALER);
    assert_nothing_stored(&service, &reply);
}

#[tokio::test]
async fn a_phone_may_be_written_in_many_ways_and_is_stored_in_one() {
    let service = Service::start();
    for phone in [
        "082148523421",
        "+62 821-4852-3421",
        "6282148523421",
        "0062 82148523421",
        "82148523421",
        "(0821) 4852.3421",
        "\u{a0}0821\u{2003}48523421",
    ] {
        let reply = service.submit_fields(&fields_with("noTelp", phone)).await;
        reply.is(200, STORED);
        let found = service.get(reply.header("location").unwrap()).await;
        assert_eq!(found.json()["data"]["no_telp"], "082148523421", "{phone}");
    }
}

#[tokio::test]
async fn phones_of_the_shortest_and_the_longest_form_are_accepted() {
    let service = Service::start();
    for phone in ["0812000123", "0812000123456", "812000123"] {
        service
            .submit_fields(&fields_with("noTelp", phone))
            .await
            .is(200, STORED);
    }
}

#[tokio::test]
async fn unusual_plates_unpadded_times_and_long_texts_are_accepted() {
    let service = Service::start();
    for (name, value, column, shown) in [
        ("noPol", "TEMP/2024-XYZ", "no_pol", "TEMP/2024-XYZ"),
        ("noPol", " d 123 ad ", "no_pol", " d 123 ad "),
        (
            "createdTime",
            "1/2/2019 5:4:5",
            "created_date",
            "2019-02-01T05:04:05",
        ),
        (
            "createdTime",
            "29/02/2020 00:00:00",
            "request_time",
            "00:00:00",
        ),
        (
            "createdTime",
            "01/01/0001 00:00:00",
            "request_date",
            "0001-01-01",
        ),
        (
            "modifiedTime",
            "31/12/9999 23:59:59",
            "last_modified_date",
            "9999-12-31T23:59:59",
        ),
        (
            "namaPembawa",
            "Siti Nurhaliza \u{1f600} é \"\\",
            "nama_pembawa",
            "Siti Nurhaliza \u{1f600} é \"\\",
        ),
        (
            "namaPembawa",
            &"é".repeat(255),
            "nama_pembawa",
            &"é".repeat(255),
        ),
        (
            "tipeUnit",
            &"\u{1f600}".repeat(100),
            "tipe_unit",
            &"\u{1f600}".repeat(100),
        ),
        ("noPol", &"ß".repeat(20), "no_pol", &"ß".repeat(20)),
    ] {
        let reply = service.submit_fields(&fields_with(name, value)).await;
        reply.is(200, STORED);
        let found = service.get(reply.header("location").unwrap()).await;
        assert_eq!(found.json()["data"][column], shown, "{name}");
    }
}

#[tokio::test]
async fn unknown_fields_are_ignored_and_of_two_equal_ones_the_last_counts() {
    let service = Service::start();
    let body = body();
    let more = format!(
        r#"{{"namaPembawa":17,"extra":{{"a":[1,null,true]}},"__proto__":null,"":1e3,{}"#,
        &body[1..]
    );
    service.submit(more).await.is(200, STORED);
}

#[tokio::test]
async fn white_space_around_the_json_does_not_matter() {
    let service = Service::start();
    service
        .submit(format!("\r\n\t {} \n", body()))
        .await
        .is(200, STORED);
}

/// Some editors and programs write one before everything else.
#[tokio::test]
async fn a_byte_order_mark_before_the_json_does_not_matter() {
    let service = Service::start();
    for blank in ["", "\r\n "] {
        let text = format!("\u{feff}{blank}{}", body());
        service.submit(text).await.is(200, STORED);
    }
}

#[tokio::test]
async fn an_unknown_or_inactive_dealer_is_a_status_0() {
    let service = Service::start();
    let reply = service
        .submit_fields(&fields_with("dealerId", "0000001"))
        .await;
    reply.is(200, UNKNOWN_DEALER);
    assert_nothing_stored(&service, &reply);
    service.put_dealer(|dealer| dealer.active = false);
    let reply = service.submit(body()).await;
    reply.is(200, UNKNOWN_DEALER);
    assert_nothing_stored(&service, &reply);
}

#[tokio::test]
async fn a_dealer_without_a_usable_account_is_a_status_0() {
    let service = Service::start();
    for key in [None, Some(""), Some(" \t ")] {
        service.put_dealer(|dealer| dealer.api_key = key.map(Into::into));
        let reply = service.submit(body()).await;
        reply.is(200, NO_ACCOUNT);
        assert_nothing_stored(&service, &reply);
    }
    for url in [
        "https://evil.example/send",
        "http://api.fonnte.com/send",
        "nonsense",
    ] {
        service.put_dealer(|dealer| dealer.api_url = Some(url.to_owned()));
        let reply = service.submit(body()).await;
        reply.is(200, NO_ACCOUNT);
        assert_nothing_stored(&service, &reply);
    }
    service.put_dealer(|dealer| dealer.api_url = Some(String::new()));
    service.submit(body()).await.is(200, STORED);
}

#[tokio::test]
async fn faults_come_before_the_dealer_and_the_dealer_before_its_account() {
    let service = Service::start();
    service.put_dealer(|dealer| {
        dealer.active = false;
        dealer.api_key = None;
    });
    service.submit(body()).await.is(200, UNKNOWN_DEALER);
    let mut fields = fields();
    fields.insert("noTelp".to_owned(), "0712345678".into());
    assert_eq!(service.submit_fields(&fields).await.status, 422);
}

#[tokio::test]
async fn a_message_may_be_scheduled_and_a_time_that_has_passed_means_at_once() {
    let service = Service::start();
    for (send_at, seconds) in [
        ("2026-02-04T08:00:00+07:00", 30 * 24 * 3_600),
        ("2026-01-05T01:00:10.5Z", 10),
        ("2020-01-01T00:00:00Z", 0),
    ] {
        let reply = service.submit_fields(&fields_with("sendAt", send_at)).await;
        reply.is(200, STORED);
        let next = service.world.store.next_due().await.unwrap().unwrap();
        assert_eq!(next.as_secs(), seconds, "{send_at}");
    }
}

#[tokio::test]
async fn a_send_time_of_null_is_as_if_absent() {
    let service = Service::start();
    let reply = service
        .submit_fields(&fields_with("sendAt", serde_json::Value::Null))
        .await;
    reply.is(200, STORED);
    let next = service.world.store.next_due().await.unwrap().unwrap();
    assert_eq!(next.as_secs(), 0);
}

#[tokio::test]
async fn an_account_that_sends_nothing_plays_no_part() {
    let service = Service::start();
    service.world.whatsapp.hold();
    service.submit(body()).await.is(200, STORED);
    assert!(service.world.whatsapp.sent().is_empty());
}

#[tokio::test]
async fn a_store_that_is_away_is_a_503_that_says_when_to_come_back() {
    let mut requests = MockRequestStore::new();
    requests.expect_accept().returning(|_| Err(unavailable()));
    let service = Service::with(|ports| ports.requests = Arc::new(requests));
    let reply = service.submit(body()).await;
    reply.is(503, NOT_STORED);
    assert_eq!(reply.header("retry-after"), Some("5"));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_nothing_stored(&service, &reply);
}

#[tokio::test]
async fn a_dealer_that_cannot_be_looked_up_is_a_503_too() {
    let mut dealers = MockDealerDirectory::new();
    dealers.expect_find().returning(|_| Err(unavailable()));
    let service = Service::with(|ports| ports.dealers = Arc::new(dealers));
    let reply = service.submit(body()).await;
    reply.is(503, NOT_STORED);
    assert_eq!(reply.header("retry-after"), Some("5"));
    assert_nothing_stored(&service, &reply);
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_asked_for_again() {
    let mut requests = MockRequestStore::new();
    requests.expect_accept().returning(|_| Err(rejected()));
    let service = Service::with(|ports| ports.requests = Arc::new(requests));
    let reply = service.submit(body()).await;
    reply.is(500, NOT_STORED);
    assert_eq!(reply.header("retry-after"), None);
    assert_nothing_stored(&service, &reply);

    let mut dealers = MockDealerDirectory::new();
    dealers.expect_find().returning(|_| Err(rejected()));
    let service = Service::with(|ports| ports.dealers = Arc::new(dealers));
    let reply = service.submit(body()).await;
    reply.is(500, NOT_STORED);
    assert_eq!(reply.header("retry-after"), None);
    let reply = service.get("/api/v1/customer/dealer/0009999/stats").await;
    reply.is_error(500, "InternalServerError", "Internal server error");
    assert_eq!(reply.header("retry-after"), None);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_a_500() {
    let mut dealers = MockDealerDirectory::new();
    dealers.expect_find().returning(|_| Err(corrupt()));
    let service = Service::with(|ports| ports.dealers = Arc::new(dealers));
    let reply = service.submit(body()).await;
    reply.is(500, UNFORESEEN);
    assert_nothing_stored(&service, &reply);
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_service_goes_on() {
    let mut requests = MockRequestStore::new();
    requests
        .expect_accept()
        .returning(|_| panic!("an invented panic"));
    let service = Service::with(|ports| ports.requests = Arc::new(requests));
    for path in [SUBMIT.to_owned(), format!("{SUBMIT}/")] {
        let call = Call::post(&path, body()).header("X-Request-Id", "the-callers-own");
        let reply = service.send(call).await;
        reply.is(500, UNFORESEEN);
        assert_eq!(reply.header("x-request-id"), Some("the-callers-own"));
        assert_eq!(reply.header("content-type"), Some("application/json"));
    }
    assert_eq!(service.get("/api/v1/health/").await.status, 200);
}
