//! Connections whose first request is late. The limit is 10 seconds.

use std::time::{Duration, Instant};

use crate::service::{Service, body};

/// Somewhat less than the limit, and much more.
const EARLIEST: Duration = Duration::from_secs(9);

#[tokio::test]
async fn a_connection_on_which_nothing_came_is_closed_without_a_word() {
    let service = Service::start();
    let mut silent = service.connect().await;
    let began = Instant::now();
    assert_eq!(silent.rest().await, "");
    assert!(began.elapsed() > EARLIEST, "{:?}", began.elapsed());
}

#[tokio::test]
async fn half_a_head_is_told_that_it_is_late() {
    let service = Service::start();
    let begun: Vec<_> = ["G", "\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\n"]
        .into_iter()
        .map(|begin| {
            let connecting = service.connect();
            async move {
                let mut connection = connecting.await;
                connection.write(begin).await;
                connection.rest().await
            }
        })
        .collect();
    let began = Instant::now();
    for told in futures_util::future::join_all(begun).await {
        assert!(
            told.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
            "{told}"
        );
    }
    assert!(began.elapsed() > EARLIEST, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_request_that_comes_late_enough_is_answered() {
    let service = Service::start();
    let mut silent = service.connect().await;
    // Others come and go meanwhile.
    for _ in 0..20 {
        assert_eq!(service.submit(body()).await.status, 200);
    }
    let reply = silent
        .send(crate::client::Call::get("/api/v1/health"))
        .await;
    assert_eq!(reply.status, 200);
}
