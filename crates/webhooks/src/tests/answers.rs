use std::time::{Duration, Instant};

use domain::endpoints::{EventAnswer, EventError};
use reqwest::header::{HeaderMap, HeaderName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use secrecy::ExposeSecret as _;

use super::receiver::{
    OK, Receiver, answered_with, client, client_where, event, hasty_client, header, local, post,
    request, secret, status,
};

fn failed(error: EventError) -> EventAnswer {
    EventAnswer::Error(error)
}

async fn status_of(answer: &str) -> Option<u16> {
    answered_with(answer).await.status()
}

#[tokio::test]
async fn an_attempt_is_a_signed_post_that_the_specifications_library_accepts() {
    let receiver = Receiver::start().await;
    let (client, url) = (client(), receiver.here());
    let (ended, request) = tokio::join!(post(&client, &url), receiver.answer(OK));
    assert_eq!(ended.status(), Some(204));
    assert!(
        request.starts_with("POST /hook?token=1 HTTP/1.1\r\n"),
        "{request}"
    );
    assert_eq!(header(&request, "content-type"), "application/json");
    assert!(header(&request, "user-agent").starts_with("customer-service/"));
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, event().body());
    let mut headers = HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let value = header(&request, name).parse().unwrap();
        headers.insert(HeaderName::from_static(name), value);
    }
    assert_eq!(
        headers["webhook-id"],
        "evt_23f16411-6eb2-4829-a964-9ad1f0e0cc22"
    );
    let verifier = standardwebhooks::Webhook::new(secret().reveal().expose_secret()).unwrap();
    verifier.verify(body.as_bytes(), &headers).unwrap();
    assert!(verifier.verify(b"{}", &headers).is_err());
}

#[tokio::test]
async fn every_status_is_told_as_it_came() {
    assert_eq!(
        status_of("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await,
        Some(200)
    );
    assert_eq!(
        status_of("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n").await,
        Some(410)
    );
    assert_eq!(
        status_of("HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno").await,
        Some(500)
    );
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_told() {
    let answer = "HTTP/1.1 429 Too Many\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n";
    let expected = EventAnswer::Status {
        status: 429,
        retry_after: Some(Duration::from_secs(120)),
    };
    assert_eq!(answered_with(answer).await, expected);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Receiver::start().await;
    for status in [301, 302, 303, 307, 308] {
        let answer = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
            other.here()
        );
        assert_eq!(status_of(&answer).await, Some(status));
    }
    assert!(!other.was_called().await);
}

#[tokio::test]
async fn an_endless_body_is_not_read() {
    let receiver = Receiver::start().await;
    let (client, url) = (client(), receiver.here());
    let endless = async {
        let mut peer = receiver.accept().await;
        request(&mut peer).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n";
        peer.write_all(head).await.unwrap();
        // Until the client closes the connection.
        let (mut reading, mut writing) = peer.split();
        let (mut sent, mut rest) = (0, Vec::new());
        let writing = async {
            while writing.write_all(&[b'x'; 1024]).await.is_ok() {
                sent += 1024;
            }
        };
        tokio::join!(writing, async {
            drop(reading.read_to_end(&mut rest).await)
        });
        sent
    };
    let (ended, sent) = tokio::join!(post(&client, &url), endless);
    assert_eq!(ended.status(), Some(200));
    // Most of it filled the buffers of the two sockets.
    assert!(sent < 50_000_000, "{sent}");
}

#[tokio::test]
async fn a_body_that_never_comes_is_not_waited_for() {
    let receiver = Receiver::start().await;
    let (client, url) = (client(), receiver.here());
    let silent = async {
        let mut peer = receiver.accept().await;
        request(&mut peer).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        peer.write_all(head).await.unwrap();
        drop(peer.read_to_end(&mut Vec::new()).await);
    };
    let began = Instant::now();
    let (ended, ()) = tokio::join!(post(&client, &url), silent);
    assert_eq!(ended.status(), Some(200));
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_receiver_that_hangs_is_left_in_time() {
    let receiver = Receiver::start().await;
    let (client, url) = (hasty_client(200), receiver.here());
    let hang = async {
        let mut peer = receiver.accept().await;
        request(&mut peer).await;
        // Answers that are none, for ever.
        while peer
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
            .await
            .is_ok()
        {
            tokio::task::yield_now().await;
        }
    };
    let (ended, ()) = tokio::join!(post(&client, &url), hang);
    assert_eq!(ended, failed(EventError::Timeout));
}

#[tokio::test]
async fn what_goes_wrong_is_one_short_word() {
    let gone = Receiver::start().await.here();
    assert_eq!(post(&client(), &gone).await, failed(EventError::Connection));
    assert_eq!(answered_with("").await, failed(EventError::Connection));
    let half = answered_with("HTTP/1.1 200 OK\r\ncontent-le").await;
    assert_eq!(half, failed(EventError::Connection));
    let ssh = answered_with("SSH-2.0-OpenSSH_9.6\r\n").await;
    assert_eq!(ssh, failed(EventError::BadAnswer));
    let (nameless, _) = client_where(local(), None, &[]);
    let url = "https://hooks.example/";
    assert_eq!(post(&nameless, url).await, failed(EventError::NotResolved));
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let receiver = Receiver::start().await;
    let (client, url) = (client(), receiver.here());
    let twice = async {
        let mut peer = receiver.accept().await;
        for _ in 0..2 {
            request(&mut peer).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            peer.write_all(answer).await.unwrap();
        }
    };
    let posts = async {
        assert_eq!(status(&client, &url).await, Some(200));
        assert_eq!(status(&client, &url).await, Some(200));
    };
    tokio::join!(posts, twice);
    assert!(!receiver.was_called().await);
}
