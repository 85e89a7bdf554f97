//! How much a caller may send, and that slow or broken callers disturb nobody. That a body which
//! does not arrive is given up is tested in `src/patience.rs`, where time can be made to pass.

use crate::client::{Call, Reply};
use crate::service::{SUBMIT, Service, body};

const LIMIT: usize = 65_536;
const TEST: &str = "/api/v1/customer/dealer/0009999/test-whatsapp";

/// The sample submission with an unknown field that makes it this long.
fn body_of(length: usize) -> String {
    let body = body();
    let frame = r#""padding":"","#.len();
    let padding = "x".repeat(length - body.len() - frame);
    let padded = format!(r#"{{"padding":"{padding}",{}"#, &body[1..]);
    assert_eq!(padded.len(), length);
    padded
}

#[track_caller]
fn assert_too_large(reply: &Reply) {
    reply.is_error(413, "PayloadTooLarge", "The body has more than 65536 bytes");
}

#[tokio::test]
async fn a_body_of_64_kib_is_read_and_one_byte_more_is_not() {
    let service = Service::start();
    assert_eq!(service.submit(body_of(LIMIT)).await.status, 200);
    assert_too_large(&service.submit(body_of(LIMIT + 1)).await);
    assert_eq!(service.world.store.request_count(), 1);
}

#[tokio::test]
async fn the_limit_holds_for_chunks() {
    let service = Service::start();
    let chunked = |body: &str| {
        let (a, b) = body.as_bytes().split_at(40_000);
        Call::new("POST", SUBMIT)
            .header("Content-Type", "application/json")
            .chunks(&[a, b])
    };
    assert_eq!(service.send(chunked(&body_of(LIMIT))).await.status, 200);
    assert_too_large(&service.send(chunked(&body_of(LIMIT + 1))).await);
    assert_too_large(&service.send(chunked(&body_of(LIMIT * 3))).await);
}

#[tokio::test]
async fn the_limit_holds_whatever_the_body_is_said_to_be() {
    let service = Service::start();
    for content_type in ["text/plain", "application/json"] {
        for path in [SUBMIT, TEST] {
            let call = Call::new("POST", path)
                .header("Content-Type", content_type)
                .body("x".repeat(LIMIT + 1));
            assert_too_large(&service.send(call).await);
        }
    }
}

#[tokio::test]
async fn a_much_larger_body_is_refused_in_a_way_that_callers_can_read() {
    let service = Service::start();
    for _ in 0..5 {
        assert_too_large(&service.submit(vec![b' '; 5_000_000]).await);
    }
    let announced = Call::new("POST", SUBMIT)
        .header("Content-Length", "18446744073709551615")
        .header("Content-Type", "application/json");
    assert_too_large(&service.send(announced).await);
}

#[tokio::test]
async fn a_body_that_breaks_off_or_is_framed_wrongly_stores_nothing() {
    let service = Service::start();
    let mut connection = service.connect().await;
    connection
        .write(format!(
            "POST {SUBMIT} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
        ))
        .await;
    assert_eq!(connection.reply("POST").await.status, 400);
    let mut connection = service.connect().await;
    connection
        .write(format!(
            "POST {SUBMIT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n{{"
        ))
        .await;
    drop(connection);
    assert_eq!(service.get("/api/v1/health").await.status, 200);
    assert_eq!(service.world.store.request_count(), 0);
}

#[tokio::test]
async fn callers_that_send_slowly_do_not_delay_others() {
    let service = Service::start();
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut connection = service.connect().await;
        let head = format!(
            "POST {SUBMIT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
            body().len()
        );
        connection.write(head).await;
        connection.write(&body()[..10]).await;
        slow.push(connection);
    }
    assert_eq!(service.submit(body()).await.status, 200);
    for mut connection in slow {
        connection.write(&body()[10..]).await;
        assert_eq!(connection.reply("POST").await.status, 200);
    }
    assert_eq!(service.world.store.request_count(), 51);
}

#[tokio::test]
async fn a_caller_that_expects_to_be_asked_is_asked() {
    let service = Service::start();
    let mut connection = service.connect().await;
    let body = body();
    connection
        .write(format!(
            "POST {SUBMIT} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
            body.len()
        ))
        .await;
    connection.write(&body).await;
    let asked = connection.interim().await;
    assert_eq!(asked, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(connection.reply("POST").await.status, 200);
}

#[tokio::test]
async fn json_may_be_nested_127_levels_deep() {
    let service = Service::start();
    for (levels, status) in [(127, 200), (128, 422)] {
        // The object itself is a level.
        let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
        let nested = format!(r#"{{"extra":{open}{close},{}"#, &body()[1..]);
        assert_eq!(service.submit(nested).await.status, status, "{levels}");
    }
}

#[tokio::test]
async fn long_addresses_are_answered_and_longer_ones_are_not() {
    let service = Service::start();
    let long = "x".repeat(8_000);
    let path = format!("/api/v1/customer/dealer/{long}/stats?q={long}");
    assert_eq!(service.get(&path).await.status, 404);
    let path = format!("/api/v1/health?{}", "x".repeat(8_192));
    assert_eq!(service.get(&path).await.status, 200);
    for (path, part) in [
        (format!("/{}", "x".repeat(8_192)), "path"),
        (format!("/{}", "x".repeat(65_000)), "path"),
        (format!("/api/v1/health?{}", "x".repeat(8_193)), "query"),
        (format!("{SUBMIT}?{}", "x".repeat(60_000)), "query"),
    ] {
        let sentence = format!("The {part} of the address has more than 8192 bytes");
        let reply = service.get(&path).await;
        reply.is_error(414, "UriTooLong", &sentence);
    }
}

#[tokio::test]
async fn headers_have_a_limit() {
    let service = Service::start();
    let with = |bytes| Call::get("/api/v1/health").header("X-Filler", &"x".repeat(bytes));
    assert_eq!(service.send(with(32_000)).await.status, 200);
    let reply = service.send(with(33_000)).await;
    reply.is_error(
        431,
        "HeadersTooLarge",
        "The headers have more than 32768 bytes",
    );
}

/// What actix says by itself, without our envelope: nobody knows yet what is asked.
#[tokio::test]
async fn heads_that_never_end_are_cut_off() {
    let service = Service::start();
    let many = "X-Filler: x\r\n".repeat(10_000);
    let huge = format!("X-Filler: {}\r\n", "x".repeat(1_000_000));
    let path = format!("GET /{} HTTP/1.1\r\n", "x".repeat(100_000));
    for (head, status) in [
        (
            format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"),
            431,
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: localhost\r\n{huge}\r\n"),
            431,
        ),
        (format!("{path}X-Filler: {}", "x".repeat(40_000)), 431),
        (
            format!(
                "GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "x".repeat(70_000)
            ),
            400,
        ),
        ("GET / HTTP/9.9\r\nHost: localhost\r\n\r\n".to_owned(), 400),
        ("\u{0}\u{1}\r\n\r\n".to_owned(), 400),
    ] {
        let mut connection = service.connect().await;
        let reply = connection.send_raw(head.as_bytes()).await;
        assert_eq!(reply.status, status, "{}", &head[..60.min(head.len())]);
        assert_eq!(reply.body, "");
    }
    assert_eq!(service.submit(body()).await.status, 200);
}

#[tokio::test]
async fn deep_broken_and_ambiguous_json_is_answered() {
    let service = Service::start();
    for deep in ["[".repeat(10_000), r#"{"a":"#.repeat(10_000)] {
        for end in [&deep[..], &format!("{deep}1")] {
            let reply = service.submit(end).await;
            assert_eq!(reply.status, 422);
            assert!(reply.body.contains("json_invalid"), "{reply:?}");
        }
    }
    let mut broken = body().into_bytes();
    let at = broken.windows(4).position(|four| four == b"Adit").unwrap();
    broken[at] = 0xff;
    let reply = service.submit(broken).await;
    assert_eq!(reply.status, 422);
    assert!(reply.body.contains("json_invalid"), "{reply:?}");
    assert_eq!(service.world.store.request_count(), 0);
    // Of a name that is there twice the last value counts.
    let twice = |first, last| {
        let rest = &body()[1..].replacen(r#""noPol":"D 123 AD","#, "", 1);
        format!(r#"{{"noPol":"{first}","noPol":"{last}",{rest}"#)
    };
    assert_eq!(service.submit(twice("", "D 123 AD")).await.status, 200);
    let reply = service.submit(twice("D 123 AD", "")).await;
    assert!(reply.body.contains("string_too_short"), "{reply:?}");
}

#[tokio::test]
async fn a_body_on_a_call_that_needs_none_is_ignored() {
    let service = Service::start();
    let call = Call::get("/api/v1/health").json("{");
    assert_eq!(service.send(call).await.status, 200);
}
